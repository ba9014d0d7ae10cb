"""Fetching a client's JSON Web Key Set from the URL it registered.

https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html
"""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.auth import jose
from app.auth.outgoing import Outgoing, Unreachable
from app.settings import Settings, is_loopback

REFETCH_INTERVAL = 1.0
MAX_SETS = 1_024


@dataclass(frozen=True, slots=True)
class _Set:
    keys: list[jose.Claims]
    fetched: float
    until: float


class ClientKeys:
    """The key sets at URLs, each kept as long as its server allows."""

    def __init__(self, settings: Settings, *, inside: bool = False) -> None:
        self._sets: dict[str, _Set] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._outgoing = Outgoing(inside=inside or reaches_inside(settings))

    async def close(self) -> None:
        """Close the connections."""
        await self._outgoing.close()

    async def get(
        self, url: str, algorithms: tuple[str, ...], *, again: bool = False
    ) -> list[jose.Claims]:
        """The usable keys at a URL; `again` asks its server unless that happened this second.

        Raises Unreachable, jose.InvalidKey.
        """
        try:
            self._outgoing.check(url)
            async with self._locks.setdefault(url, asyncio.Lock()):
                kept, now = self._sets.get(url), time.monotonic()
                age = now - kept.fetched if kept else float("inf")
                if kept and now < kept.until and not (again and age > REFETCH_INTERVAL):
                    return kept.keys
                fresh = await self._fetch(url, algorithms)
                self._keep(url, fresh)
                return fresh.keys
        except Unreachable as error:
            raise Unreachable(f"the key set: {error}") from error

    def _keep(self, url: str, fresh: _Set) -> None:
        if len(self._sets) >= MAX_SETS:
            self._sets.clear()
        self._sets[url] = fresh

    async def _fetch(self, url: str, algorithms: tuple[str, ...]) -> _Set:
        value, age = await self._outgoing.get(url)
        now = time.monotonic()
        return _Set(jose.read_jwks(value, algorithms), now, now + age)


def reaches_inside(settings: Settings) -> bool:
    """Whether this server stands where others may be asked at addresses inside the network."""
    return settings.allow_http or is_loopback(urlsplit(settings.base_url).hostname or "")
