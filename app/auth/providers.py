"""What the trusted issuers publish about themselves, and how they are asked.

https://openid.net/specs/openid-connect-discovery-1_0.html, https://www.rfc-editor.org/rfc/rfc8414
"""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote_plus

from app.auth import jose
from app.auth.issuers import Issuer, Issuers, read_issuers
from app.auth.jwks import ClientKeys, reaches_inside
from app.auth.outgoing import Outgoing, Unreachable
from app.settings import Settings

KEPT = 300
"""Seconds the metadata of an issuer is believed."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What an issuer says of itself; `said` is all of it, `until` by the monotonic clock."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    says_iss: bool
    said: Mapping[str, Any]
    until: float


class Providers:
    """The issuers an operator trusts, as this worker knows them."""

    def __init__(self, issuers: Issuers, settings: Settings) -> None:
        self.issuers = issuers
        self._metadata: dict[str, Metadata] = {}
        # Only for those there are: who can ask takes a while to make.
        kinds, inside = {each.is_inside for each in issuers.issuers}, reaches_inside(settings)
        self._keys = {each: ClientKeys(settings, inside=each) for each in kinds}
        self._outgoing = {each: Outgoing(inside=each or inside) for each in kinds}

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Those that the settings name. Raises InvalidIssuers."""
        return cls(read_issuers(settings.external_issuers, settings.issuer), settings)

    async def close(self) -> None:
        """Close the connections."""
        for keys in self._keys.values():
            await keys.close()
        for outgoing in self._outgoing.values():
            await outgoing.close()

    async def metadata(self, issuer: Issuer) -> Metadata:
        """What an issuer says of itself. Raises Unreachable."""
        kept = self._metadata.get(issuer.issuer)
        if kept and time.monotonic() < kept.until:
            return kept
        url = f"{issuer.issuer.rstrip('/')}/.well-known/openid-configuration"
        said, _ = await self._outgoing[issuer.is_inside].get(url)
        fresh = _metadata(issuer, said)
        self._metadata[issuer.issuer] = fresh
        return fresh

    async def verify(self, issuer: Issuer, token: str, typ: str) -> jose.Claims:
        """The claims of a token that the issuer signed. Raises jose.InvalidToken, Unreachable."""
        # RFC 9068 2.1: what says of itself what it is cannot be taken for something else.
        if typ != "JWT" and "typ" not in jose.read_header(token):
            raise jose.InvalidToken("the token is of another type")
        uri = (await self.metadata(issuer)).jwks_uri
        keys, algorithms = self._keys[issuer.is_inside], issuer.algorithms
        try:
            return jose.verify(token, await keys.get(uri, algorithms), algorithms, typ)
        except jose.UnknownKey:
            found = await keys.get(uri, algorithms, again=True)
            return jose.verify(token, found, algorithms, typ)
        except jose.InvalidKey as error:
            raise Unreachable(f"the key set: {error}") from error

    async def redeem(self, issuer: Issuer, form: Mapping[str, str]) -> Any:
        """What the token endpoint of an issuer answers to us as its client. Raises Unreachable."""
        assert issuer.sign_in
        asked, authorization = dict(form), None
        secret = _secret(issuer.sign_in.secret_file)
        if secret is None:
            asked["client_id"] = issuer.sign_in.client_id
        else:
            pair = f"{quote_plus(issuer.sign_in.client_id)}:{quote_plus(secret)}"
            authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
        url = (await self.metadata(issuer)).token_endpoint
        return await self._outgoing[issuer.is_inside].post(url, asked, authorization)


def _metadata(issuer: Issuer, said: Any) -> Metadata:
    """OpenID Connect Discovery 4.3: the issuer MUST be exactly the one that was asked."""
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    if not isinstance(said, dict) or said.get("issuer") != issuer.issuer:
        raise Unreachable("the metadata is of another issuer")
    if not all(isinstance(said.get(name), str) for name in names):
        raise Unreachable("the metadata names no endpoints")
    return Metadata(
        authorization_endpoint=said["authorization_endpoint"],
        token_endpoint=said["token_endpoint"],
        jwks_uri=said["jwks_uri"],
        says_iss=said.get("authorization_response_iss_parameter_supported") is True,
        said=said,
        until=time.monotonic() + KEPT,
    )


def _secret(path: Path | None) -> str | None:
    """Read when it is used, so that a rotated secret counts at once."""
    try:
        return path.read_text("utf-8").strip() if path else None
    except OSError as error:
        raise Unreachable("the secret for this issuer cannot be read") from error
