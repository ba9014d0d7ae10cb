"""Forgeries: each is signed in a way that some JOSE library once accepted."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jose.backends.cryptography_backend import CryptographyECKey, CryptographyRSAKey

from app.auth import jose
from tests.auth.assertions import rsa_jwk

CLAIMS = {"iss": "me", "exp": 4_000_000_000}
ALGORITHMS = ("RS384", "ES384")


@pytest.fixture(scope="module")
def rsa_key() -> jose.Claims:
    return rsa_jwk()


@pytest.fixture(scope="module")
def ec_key() -> jose.Claims:
    return jose.generate("ES384")


def encoded(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def hmac_signed(header: Any, secret: bytes, digest: str = "sha256") -> str:
    signed = f"{encoded(header)}.{encoded(CLAIMS)}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), digest))}"


def with_header(token: str, **changed: Any) -> str:
    _, payload, signature = token.split(".")
    return f"{encoded(jose.read_header(token) | changed)}.{payload}.{signature}"


def public_bytes(jwk: jose.Claims, encoding: Encoding) -> bytes:
    made: Any = (CryptographyECKey if jwk["kty"] == "EC" else CryptographyRSAKey)(
        jose.public(jwk), jwk["alg"]
    )
    return bytes(made.prepared_key.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo))


def test_a_token_verifies_with_the_public_part_of_its_key(
    rsa_key: jose.Claims, ec_key: jose.Claims
) -> None:
    jwks = [jose.public(rsa_key), jose.public(ec_key)]
    for key in (rsa_key, ec_key):
        assert jose.verify(jose.sign(CLAIMS, key), jwks, ALGORITHMS) == CLAIMS


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("name", ["HS256", "HS384", "RS384", "ES384"])
@pytest.mark.parametrize("fixture", ["rsa_key", "ec_key"])
def test_an_hmac_keyed_with_the_public_key_is_refused(
    request: pytest.FixtureRequest, fixture: str, name: str, encoding: Encoding
) -> None:
    key: jose.Claims = request.getfixturevalue(fixture)
    header = {"alg": name, "kid": key["kid"], "typ": "JWT"}
    digest = "sha384" if name.endswith("384") else "sha256"
    forged = hmac_signed(header, public_bytes(key, encoding), digest)
    with pytest.raises(jose.InvalidToken):
        jose.verify(forged, [jose.public(key)], ALGORITHMS)


def test_a_symmetric_key_in_the_set_does_not_make_hmac_possible() -> None:
    secret = {"kty": "oct", "k": encoded(b"secret"), "kid": "s", "alg": "HS256"}
    forged = hmac_signed({"alg": "HS256", "kid": "s"}, b"secret")
    with pytest.raises(jose.InvalidToken):
        jose.verify(forged, [secret], ALGORITHMS)


@pytest.mark.parametrize("name", ["none", "None", "nOnE", ""])
def test_a_token_without_a_signature_is_refused(ec_key: jose.Claims, name: str) -> None:
    unsigned = f"{encoded({'alg': name, 'kid': ec_key['kid']})}.{encoded(CLAIMS)}."
    for token in (unsigned, unsigned + "AA"):
        with pytest.raises(jose.InvalidToken):
            jose.verify(token, [jose.public(ec_key)], ALGORITHMS)


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], "exp", None])
def test_a_critical_extension_is_refused_though_properly_signed(
    ec_key: jose.Claims, crit: Any
) -> None:
    key: Any = CryptographyECKey(ec_key, "ES384")
    header = {"alg": "ES384", "kid": ec_key["kid"], "crit": crit}
    signed = f"{encoded(header)}.{encoded(CLAIMS)}"
    token = f"{signed}.{encoded(key.sign(signed.encode()))}"
    with pytest.raises(jose.InvalidToken, match="extension"):
        jose.verify(token, [jose.public(ec_key)], ALGORITHMS)


def test_a_key_in_the_header_is_never_used(ec_key: jose.Claims) -> None:
    stranger = jose.generate("ES384")
    key: Any = CryptographyECKey(stranger, "ES384")
    header = {"alg": "ES384", "kid": ec_key["kid"], "jwk": jose.public(stranger)}
    signed = f"{encoded(header)}.{encoded(CLAIMS)}"
    token = f"{signed}.{encoded(key.sign(signed.encode()))}"
    with pytest.raises(jose.InvalidToken, match="signature"):
        jose.verify(token, [jose.public(ec_key)], ALGORITHMS)


def test_no_key_or_two_keys_of_a_kid_are_refused(ec_key: jose.Claims) -> None:
    token, public = jose.sign(CLAIMS, ec_key), jose.public(ec_key)
    for jwks in ([], [public | {"kid": "other"}], [public, public]):
        with pytest.raises(jose.UnknownKey):
            jose.verify(token, jwks, ALGORITHMS)


def test_two_keys_share_a_kid_when_their_types_differ(
    ec_key: jose.Claims, rsa_key: jose.Claims
) -> None:
    jwks = [jose.public(ec_key), jose.public(rsa_key) | {"kid": ec_key["kid"]}]
    assert jose.verify(jose.sign(CLAIMS, ec_key), jwks, ALGORITHMS) == CLAIMS


def test_a_key_serves_its_own_algorithm_only(ec_key: jose.Claims) -> None:
    token = jose.sign(CLAIMS, ec_key)
    for changed in ({"alg": "RS384"}, {"alg": "ES256"}, {"use": "enc"}, {"crv": "P-256"}):
        with pytest.raises(jose.InvalidToken):
            jose.verify(token, [jose.public(ec_key) | changed], ALGORITHMS)
    with pytest.raises(jose.InvalidToken):
        jose.verify(token, [jose.public(ec_key)], ("RS384", "ES256"))


@pytest.mark.parametrize("changed", [{"alg": "RS384"}, {"kid": "other"}, {"kid": None}, {"alg": 1}])
def test_a_changed_header_is_refused(ec_key: jose.Claims, changed: dict[str, Any]) -> None:
    token = with_header(jose.sign(CLAIMS, ec_key), **changed)
    with pytest.raises(jose.InvalidToken):
        jose.verify(token, [jose.public(ec_key)], ALGORITHMS)


def test_a_token_of_another_type_is_refused(ec_key: jose.Claims) -> None:
    jwks = [jose.public(ec_key)]
    with pytest.raises(jose.InvalidToken, match="type"):
        jose.verify(jose.sign(CLAIMS, ec_key, "at+jwt"), jwks, ALGORITHMS)
    token = jose.sign(CLAIMS, ec_key, "application/at+jwt")
    assert jose.verify(token, jwks, ALGORITHMS, "at+jwt") == CLAIMS


def test_what_is_too_long_is_refused_before_it_is_read(ec_key: jose.Claims) -> None:
    jwks = [jose.public(ec_key)]
    long_claims = jose.sign(CLAIMS | {"pad": "x" * jose.MAX_TOKEN}, ec_key)
    long_header = with_header(jose.sign(CLAIMS, ec_key), pad="x" * jose.MAX_HEADER)
    for token in (long_claims, long_header):
        with pytest.raises(jose.InvalidToken):
            jose.verify(token, jwks, ALGORITHMS)


@pytest.mark.parametrize(
    "damage",
    [
        lambda t: t + "=",
        lambda t: t.replace(".", "..", 1),
        lambda t: t + "\n",
        lambda t: " " + t,
        lambda t: t.replace(".", ".*", 1),
        lambda t: t.rsplit(".", 1)[0],
        lambda t: "é" + t,
        lambda t: t.split(".")[0] + "." + encoded(b"[1]") + "." + t.split(".")[2],
        lambda t: encoded(b"\xff\xfe") + "." + t.split(".", 1)[1],
        lambda t: encoded(b'{"alg":"ES384","alg":"ES384"}') + "." + t.split(".", 1)[1],
        lambda t: encoded(b"[" * 700) + "." + t.split(".", 1)[1],
        lambda t: "a." + t.split(".", 1)[1],
        lambda t: "",
    ],
)
def test_what_is_not_strictly_a_compact_jws_is_refused(ec_key: jose.Claims, damage: Any) -> None:
    with pytest.raises(jose.InvalidToken):
        jose.verify(damage(jose.sign(CLAIMS, ec_key)), [jose.public(ec_key)], ALGORITHMS)


@pytest.mark.parametrize("payload", [b"[1]", b"not json", b'{"iss":"a","iss":"b"}', b"\xff"])
def test_claims_that_are_no_object_are_refused_though_signed(
    ec_key: jose.Claims, payload: bytes
) -> None:
    key: Any = CryptographyECKey(ec_key, "ES384")
    signed = f"{encoded({'alg': 'ES384', 'kid': ec_key['kid']})}.{encoded(payload)}"
    token = f"{signed}.{encoded(key.sign(signed.encode()))}"
    with pytest.raises(jose.InvalidToken):
        jose.verify(token, [jose.public(ec_key)], ALGORITHMS)


def test_public_shows_no_private_member(rsa_key: jose.Claims, ec_key: jose.Claims) -> None:
    assert jose.public(rsa_key).keys() == {"kty", "kid", "alg", "n", "e"}
    assert jose.public(ec_key).keys() == {"kty", "kid", "alg", "use", "crv", "x", "y"}


def test_the_kid_of_a_generated_key_is_its_thumbprint(ec_key: jose.Claims) -> None:
    members = {name: ec_key[name] for name in ("crv", "kty", "x", "y")}
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))
    assert ec_key["kid"] == encoded(hashlib.sha256(text.encode()).digest())


def test_a_key_set_keeps_what_is_usable(rsa_key: jose.Claims, ec_key: jose.Claims) -> None:
    encryption = jose.public(rsa_key) | {"use": "enc", "kid": "e"}
    keys = [jose.public(rsa_key), jose.public(ec_key), encryption, {"kty": "OKP", "kid": "o"}]
    assert jose.read_jwks({"keys": keys}, ALGORITHMS) == keys[:2]


def test_a_key_set_that_cannot_work_is_refused(rsa_key: jose.Claims, ec_key: jose.Claims) -> None:
    weak = jose.public(rsa_jwk(1024))
    off_curve = jose.public(ec_key) | {"x": ec_key["y"]}
    for value in (
        None,
        [],
        {"keys": {}},
        {"keys": []},
        {"keys": ["text"]},
        {"keys": [weak]},
        {"keys": [ec_key]},
        {"keys": [off_curve]},
        {"keys": [jose.public(ec_key) | {"kid": 1}]},
        {"keys": [jose.public(rsa_key) | {"n": None}]},
        {"keys": [jose.public(rsa_key) | {"n": [1]}]},
        {"keys": [{"kty": "EC", "crv": "P-384", "kid": "k"}]},
    ):
        with pytest.raises(jose.InvalidKey):
            jose.read_jwks(value, ALGORITHMS)


def test_a_256_bit_curve_is_not_taken_for_es384() -> None:
    key: Any = CryptographyECKey(ec.generate_private_key(ec.SECP256R1()), "ES256")
    jwk = key.to_dict() | {"kid": "k"}
    with pytest.raises(jose.InvalidKey):
        jose.read_jwks({"keys": [jose.public(jwk)]}, ALGORITHMS)
