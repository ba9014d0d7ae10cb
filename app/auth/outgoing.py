"""What this server asks of others by HTTP, without being led astray.

https only, no redirects, no proxy, small, quick, and never to an address inside our own network
unless an operator says so. https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import asyncio
import ipaddress
import json
import re
import socket
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

MAX_BYTES = 65_536
MAX_SECONDS = 5.0
MAX_AGE = 300
"""Seconds an answer is kept, at most; less when its Cache-Control says so."""
DEFAULT_AGE = 5
"""Seconds an answer is kept when its server says nothing about caching."""

_MAX_AGE = re.compile(r"max-age=\"?(\d{1,9})")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Unreachable(Exception):
    """What was asked for cannot be had; the message is fit for a client's developer."""


@cache
def _authorities() -> ssl.SSLContext:
    """The certificate authorities we trust, read once, for that takes a while."""
    return httpx.create_ssl_context(trust_env=False)


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


class Outgoing:
    """Asks other servers for JSON; `inside` as GuardedTransport has it, and plain http as well."""

    def __init__(self, *, inside: bool) -> None:
        self._inside = inside
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(inside=inside),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=MAX_SECONDS,
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def check(self, url: str) -> None:
        """Refuse a URL that nothing may be asked of. Raises Unreachable."""
        parts = urlsplit(url)
        if parts.scheme == "http" and self._inside and parts.hostname:
            return
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
            raise Unreachable("its URL must be https, without credentials or fragment")

    async def get(self, url: str) -> tuple[Any, int]:
        """The JSON at a URL, and the seconds it may be kept. Raises Unreachable."""
        return await self._ask("GET", url)

    async def post(self, url: str, form: Mapping[str, str], authorization: str | None) -> Any:
        """The JSON that a posted form is answered with. Raises Unreachable."""
        headers = {"Authorization": authorization} if authorization else None
        return (await self._ask("POST", url, data=dict(form), headers=headers))[0]

    async def _ask(self, method: str, url: str, **how: Any) -> tuple[Any, int]:
        self.check(url)
        try:
            async with (
                asyncio.timeout(MAX_SECONDS),
                self._client.stream(method, url, **how) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    raise Unreachable(f"its server answered {response.status_code}")
                value = json.loads(await _read(response))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise Unreachable("it could not be fetched") from error
        except (ValueError, RecursionError) as error:
            raise Unreachable("it is not JSON") from error
        return value, _age(response.headers.get("cache-control", ""))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, whatever it is wrapped in."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner or ip in _NAT64 or ip.teredo:
            return inner is not None and is_public(str(inner))
    return ip.is_global and not ip.is_multicast


async def _read(response: httpx.Response) -> bytes:
    data = bytearray()
    async for chunk in response.aiter_raw():
        data += chunk
        if len(data) > MAX_BYTES:
            raise Unreachable(f"it is larger than {MAX_BYTES} bytes")
    return bytes(data)


def _age(cache_control: str) -> int:
    directives = cache_control.lower()
    if "no-store" in directives or "no-cache" in directives:
        return 0
    match = _MAX_AGE.search(directives)
    return min(int(match[1]), MAX_AGE) if match else DEFAULT_AGE
