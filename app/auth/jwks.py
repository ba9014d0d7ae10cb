"""Fetching a client's JSON Web Key Set from the URL it registered, without being led astray.

https only, no redirects, no proxy, small, quick, and never to an address inside our own network.
https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html
"""

import asyncio
import ipaddress
import json
import re
import socket
import ssl
import time
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import httpx

from app.auth import jose
from app.settings import Settings, is_loopback

MAX_BYTES = 65_536
MAX_SECONDS = 5.0
MAX_AGE = 300
"""Seconds a set is kept, at most; less when its Cache-Control says so."""
DEFAULT_AGE = 5
"""Seconds a set is kept when its server says nothing about caching."""
REFETCH_INTERVAL = 1.0
MAX_SETS = 1_024

_MAX_AGE = re.compile(r"max-age=\"?(\d{1,9})")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Unreachable(Exception):
    """The key set cannot be had; the message is fit for the client's developer."""


@cache
def _authorities() -> ssl.SSLContext:
    """The certificate authorities we trust, read once, for that takes a while."""
    return httpx.create_ssl_context(trust_env=False)


@dataclass(frozen=True, slots=True)
class _Set:
    keys: list[jose.Claims]
    fetched: float
    until: float


class GuardedTransport(httpx.AsyncHTTPTransport):
    """Dials only addresses on the public internet, and exactly the address it looked at.

    `inside` also lets it reach this machine and private networks: development, a closed network.
    """

    def __init__(self, *, inside: bool, verify: ssl.SSLContext | None = None) -> None:
        limits = httpx.Limits(max_connections=20)
        super().__init__(verify=verify or _authorities(), limits=limits, trust_env=False)
        self._inside = inside

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Resolve, judge, then connect to an address judged; TLS still checks the host name."""
        url = request.url
        request.extensions = dict(request.extensions) | {"sni_hostname": url.host}
        failure = httpx.ConnectError("the host has no address")
        for address in await self._addresses(url.host):
            request.url = url.copy_with(host=address)
            try:
                return await super().handle_async_request(request)
            except httpx.ConnectError as error:
                failure = error
        raise failure

    async def _addresses(self, host: str) -> list[str]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        if not self._inside and not all(is_public(address) for address in addresses):
            raise httpx.ConnectError("the address is not on the public internet")
        return addresses


class ClientKeys:
    """The key sets of clients, each kept as long as its server allows."""

    def __init__(self, settings: Settings) -> None:
        self._inside = _reaches_inside(settings)
        self._sets: dict[str, _Set] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(inside=self._inside),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=MAX_SECONDS,
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def get(
        self, url: str, algorithms: tuple[str, ...], *, again: bool = False
    ) -> list[jose.Claims]:
        """The usable keys at a URL; `again` asks its server unless that happened this second.

        Raises Unreachable, jose.InvalidKey.
        """
        check_url(url, inside=self._inside)
        async with self._locks.setdefault(url, asyncio.Lock()):
            kept, now = self._sets.get(url), time.monotonic()
            age = now - kept.fetched if kept else float("inf")
            if kept and now < kept.until and not (again and age > REFETCH_INTERVAL):
                return kept.keys
            fresh = await self._fetch(url, algorithms)
            self._keep(url, fresh)
            return fresh.keys

    def _keep(self, url: str, fresh: _Set) -> None:
        if len(self._sets) >= MAX_SETS:
            self._sets.clear()
        self._sets[url] = fresh

    async def _fetch(self, url: str, algorithms: tuple[str, ...]) -> _Set:
        try:
            async with (
                asyncio.timeout(MAX_SECONDS),
                self._client.stream("GET", url) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    raise Unreachable(f"the key set's server answered {response.status_code}")
                value = json.loads(await _read(response))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise Unreachable("the key set could not be fetched") from error
        except (ValueError, RecursionError) as error:
            raise Unreachable("the key set is not JSON") from error
        now = time.monotonic()
        age = _age(response.headers.get("cache-control", ""))
        return _Set(jose.read_jwks(value, algorithms), now, now + age)


def check_url(url: str, *, inside: bool) -> None:
    """Refuse a URL that no key set may be fetched from. Raises Unreachable."""
    parts = urlsplit(url)
    if parts.scheme == "http" and inside and parts.hostname:
        return
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
        raise Unreachable("the key set's URL must be https, without credentials or fragment")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, whatever it is wrapped in."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner or ip in _NAT64 or ip.teredo:
            return inner is not None and is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def _reaches_inside(settings: Settings) -> bool:
    return settings.allow_http or is_loopback(urlsplit(settings.base_url).hostname or "")


async def _read(response: httpx.Response) -> bytes:
    data = bytearray()
    async for chunk in response.aiter_raw():
        data += chunk
        if len(data) > MAX_BYTES:
            raise Unreachable(f"the key set is larger than {MAX_BYTES} bytes")
    return bytes(data)


def _age(cache_control: str) -> int:
    directives = cache_control.lower()
    if "no-store" in directives or "no-cache" in directives:
        return 0
    match = _MAX_AGE.search(directives)
    return min(int(match[1]), MAX_AGE) if match else DEFAULT_AGE
