"""JSON Web Signatures, guarded: the only importer of python-jose.

Left alone, python-jose accepts an HMAC keyed with a public key, ignores `crit` and reads base64
loosely. So keys are JWK dicts only, a key has exactly one algorithm, the header is judged first.
https://www.rfc-editor.org/rfc/rfc7515, https://www.rfc-editor.org/rfc/rfc8725
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import jws
from jose.backends.cryptography_backend import CryptographyECKey, CryptographyRSAKey
from jose.exceptions import JOSEError

JWK = Mapping[str, Any]
Claims = dict[str, Any]

MAX_TOKEN = 16_384
"""Characters of a token, at most: room for hundreds of scopes within one HTTP header."""
MAX_HEADER = 1_024
"""Characters of its encoded header, at most."""
MIN_RSA_BITS, MAX_RSA_BITS = 2_048, 8_192

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_KINDS = {
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
}
_PUBLIC = {
    "EC": ("kty", "kid", "alg", "use", "crv", "x", "y"),
    "RSA": ("kty", "kid", "alg", "use", "n", "e"),
}
SECRET = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
"""Members that no key has that may be shown."""


class InvalidToken(ValueError):
    """The token is not one that the keys and algorithms at hand can vouch for."""


class UnknownKey(InvalidToken):
    """No key, or more than one, has the kid and algorithm of the token's header."""


class InvalidKey(ValueError):
    """The JSON Web Key, or set of keys, cannot be used here."""


def sign(claims: Claims, jwk: JWK, typ: str = "JWT") -> str:
    """The claims as a compact JWS, signed with a private JWK that names its `kid` and `alg`."""
    headers = {"kid": jwk["kid"], "typ": typ}
    return str(jws.sign(claims, _key(jwk, jwk["alg"]), headers, jwk["alg"]))


def verify(token: str, jwks: Iterable[JWK], algorithms: Sequence[str], typ: str = "JWT") -> Claims:
    """The claims of a token signed by the one key among `jwks` that its header points to.

    A `typ` that is present must be the one expected. Raises InvalidToken, UnknownKey.
    """
    header = read_header(token)
    if str(header.get("typ", typ)).lower().removeprefix("application/") != typ.lower():
        raise InvalidToken("the token is of another type")
    key = select(header, jwks, algorithms)
    try:
        payload = jws.verify(token, _key(public(key), header["alg"]), [header["alg"]])
    except (JOSEError, InvalidKey) as error:
        raise InvalidToken("the signature does not match") from error
    return _object(payload)


def read_header(token: str) -> Claims:
    """The header of a token that has the shape of a JWS and demands nothing unknown of us.

    Raises InvalidToken.
    """
    header = _header(_shaped(token))
    if not isinstance(header.get("alg"), str) or not isinstance(header.get("kid"), str):
        raise InvalidToken("the header must name alg and kid")
    return header


def verify_embedded(token: str, algorithms: Sequence[str], typ: str) -> tuple[Claims, str]:
    """The claims of a token that the very key in its header signed, and that key's thumbprint.

    It proves that somebody has the key, and nothing else. Raises InvalidToken.
    """
    header = _header(_shaped(token))
    jwk = header.get("jwk")
    if header.get("typ") != typ:
        raise InvalidToken("the token is of another type")
    if not isinstance(jwk, dict) or jwk.get("kty") not in (*_PUBLIC,) or SECRET.intersection(jwk):
        raise InvalidToken("the header must have a public key (jwk)")
    name, members = algorithm(jwk, algorithms), public(jwk)
    if name is None or name != header.get("alg"):
        raise InvalidToken(f"alg must be the key's, and one of {', '.join(algorithms)}")
    try:
        if not all(isinstance(value, str) for value in members.values()):
            raise InvalidKey("a key is not well formed")
        # Past the memory of keys, which strangers could fill.
        payload = jws.verify(token, _prepare(name, tuple(members.items())), [name])
    except (JOSEError, InvalidKey) as error:
        raise InvalidToken("the signature does not match") from error
    return _object(payload), thumbprint(members)


def _shaped(token: str) -> str:
    if len(token) > MAX_TOKEN or not _SHAPE.fullmatch(token):
        raise InvalidToken("not a compact JWS of at most 16384 characters")
    return token


def _header(token: str) -> Claims:
    encoded = token.partition(".")[0]
    if len(encoded) > MAX_HEADER:
        raise InvalidToken("the header is too long")
    header = _object(_decode(encoded))
    # RFC 7515 4.1.11: a critical extension that is not understood makes the JWS invalid.
    if "crit" in header or "b64" in header:
        raise InvalidToken("the header demands an extension")
    return header


def read_unverified(token: str) -> Claims:
    """The claims before any check, to learn whose keys to check them with. Raises InvalidToken."""
    read_header(token)
    return _object(_decode(token.split(".")[1]))


def select(header: Claims, jwks: Iterable[JWK], algorithms: Sequence[str]) -> JWK:
    """The one key that has the header's kid and whose own algorithm is the header's alg.

    SMART: "If no keys match, or more than one key matches, the verification fails."
    https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html#signature-verification
    """
    found = [
        jwk
        for jwk in jwks
        if jwk.get("kid") == header["kid"] and algorithm(jwk, algorithms) == header["alg"]
    ]
    if len(found) != 1:
        raise UnknownKey("no key, or more than one, has this kid and alg")
    return found[0]


def algorithm(jwk: JWK, algorithms: Sequence[str]) -> str | None:
    """The one algorithm of `algorithms` the key is for; None when there is none, or a choice."""
    if jwk.get("use", "sig") != "sig":
        return None
    kind = (jwk.get("kty"), jwk.get("crv"))
    fitting = [name for name in algorithms if _KINDS[name] == kind]
    if "alg" in jwk:
        fitting = [name for name in fitting if name == jwk["alg"]]
    return fitting[0] if len(fitting) == 1 else None


def generate(name: str = "ES256") -> Claims:
    """A new private key as JWK; its kid is its thumbprint. https://www.rfc-editor.org/rfc/rfc7638

    An RSA key (RS256, RS384) has 2048 bits and takes some 0.1 s to make.
    """
    key: Any
    if _KINDS[name][0] == "EC":
        curve = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1}[name]
        key = CryptographyECKey(ec.generate_private_key(curve()), name)
    else:
        key = CryptographyRSAKey(rsa.generate_private_key(65_537, MIN_RSA_BITS), name)
    jwk: Claims = key.to_dict()
    return jwk | {"kid": thumbprint(jwk), "use": "sig"}


def thumbprint(jwk: JWK) -> str:
    """The SHA-256 thumbprint of a key. https://www.rfc-editor.org/rfc/rfc7638"""
    names = ("crv", "kty", "x", "y") if jwk["kty"] == "EC" else ("e", "kty", "n")
    members = json.dumps({name: jwk[name] for name in names}, separators=(",", ":"))
    return hash_of(members)


def hash_of(text: str) -> str:
    """The base64url of the SHA-256 of a text, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def public(jwk: JWK) -> Claims:
    """The members of a key that may be shown to anybody."""
    return {name: jwk[name] for name in _PUBLIC[jwk["kty"]] if name in jwk}


def read_jwks(value: Any, algorithms: Sequence[str]) -> list[Claims]:
    """The usable public keys of a JSON Web Key Set; keys for other purposes are passed over.

    Raises InvalidKey when it is no such set, has a private or weak key, or none that is usable.
    https://www.rfc-editor.org/rfc/rfc7517#section-5
    """
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise InvalidKey("not a JSON Web Key Set")
    usable = [key for key in keys if isinstance(key.get("kid"), str) and algorithm(key, algorithms)]
    if not usable:
        raise InvalidKey(f"no key has a kid and is for one of {', '.join(algorithms)}")
    for key in usable:
        if "d" in key:
            raise InvalidKey("a private key belongs to the client alone")
        if not all(isinstance(value, str) for value in public(key).values()):
            raise InvalidKey("a key is not well formed")
        _key(key, algorithm(key, algorithms) or "")
    return [public(key) for key in usable]


def _key(jwk: JWK, name: str) -> Any:
    members = ("kty", "crv", "x", "y", "n", "e", "d", "p", "q", "dp", "dq", "qi")
    return _prepared(name, tuple((m, jwk[m]) for m in members if m in jwk))


def _prepare(name: str, members: tuple[tuple[str, str], ...]) -> Any:
    is_ec = _KINDS[name][0] == "EC"
    try:
        key: Any = (CryptographyECKey if is_ec else CryptographyRSAKey)(dict(members), name)
    except (JOSEError, ValueError, TypeError, KeyError) as error:
        raise InvalidKey("a key is not well formed") from error
    if not is_ec and not MIN_RSA_BITS <= key.prepared_key.key_size <= MAX_RSA_BITS:
        raise InvalidKey(f"an RSA key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")
    return key


_prepared = lru_cache(maxsize=1_024)(_prepare)
"""A key ready for use: preparing an RSA key takes up to 40 ms, so it happens once."""


def _decode(segment: str) -> bytes:
    try:
        return base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise InvalidToken("a segment is not base64url") from error


def _object(data: bytes) -> Claims:
    try:
        value = json.loads(data, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise InvalidToken("a segment is not a JSON object with unique names") from error
    if not isinstance(value, dict):
        raise InvalidToken("a segment is not a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> Claims:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate name")
    return value
