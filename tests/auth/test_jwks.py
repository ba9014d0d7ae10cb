"""Key sets by URL: from a real server on this machine, and never from inside the network."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509

from app.auth import jose
from app.auth.clients import ALGORITHMS, Registration, create_client
from app.auth.jwks import ClientKeys
from app.auth.outgoing import GuardedTransport, Unreachable, is_public
from app.settings import Settings
from app.storage.database import Database
from tests.auth.assertions import SCOPE, assertion, form
from tests.auth.served import Served, certificate, serving


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as served:
        yield served


@pytest.fixture
async def client_keys(settings: Settings) -> AsyncIterator[ClientKeys]:
    keys = ClientKeys(settings)
    yield keys
    await keys.close()


@pytest.fixture
async def outside() -> AsyncIterator[ClientKeys]:
    """As a server on the internet has it."""
    keys = ClientKeys(Settings(base_url="https://plans.example.org/fhir"))
    yield keys
    await keys.close()


async def test_a_client_is_known_by_the_keys_at_its_url(
    http: httpx.AsyncClient, database: Database, served: Served, key: jose.Claims
) -> None:
    served.set(key)
    asked = Registration("By URL", SCOPE, "ehr-system", jwks_url=served.url)
    client, _ = await create_client(database, asked)
    for _ in range(2):
        response = await http.post("/auth/token", data=form(assertion(client.id, key)))
        assert response.status_code == 200
    assert len(served.requests) == 1
    head = served.requests[0].lower()
    assert "accept: application/json" in head
    assert f"host: {served.url.split('/')[2]}" in head


async def test_jku_must_be_the_registered_url(
    http: httpx.AsyncClient, database: Database, served: Served, key: jose.Claims
) -> None:
    served.set(key)
    asked = Registration("By URL", SCOPE, "ehr-system", jwks_url=served.url)
    client, _ = await create_client(database, asked)
    signed = assertion(client.id, key)
    _, payload, signature = signed.split(".")
    for jku in (served.url + "?", "http://169.254.169.254/"):
        header = jose.read_header(signed) | {"jku": jku}
        encoded = jose.sign(header, key).split(".")[1]
        response = await http.post("/auth/token", data=form(f"{encoded}.{payload}.{signature}"))
        assert response.json()["error_description"].endswith(
            "jku is not the registered key set URL"
        )
    assert served.requests == []


async def test_a_new_key_is_found_by_asking_again_once(
    http: httpx.AsyncClient, database: Database, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.auth.jwks.REFETCH_INTERVAL", 0.0)
    old, new = jose.generate("ES384"), jose.generate("ES384")
    served.set(old, headers="Cache-Control: max-age=3600\r\n")
    asked = Registration("By URL", SCOPE, "ehr-system", jwks_url=served.url)
    client, _ = await create_client(database, asked)
    assert (await http.post("/auth/token", data=form(assertion(client.id, old)))).status_code == 200
    served.set(new)
    assert (await http.post("/auth/token", data=form(assertion(client.id, new)))).status_code == 200
    assert (await http.post("/auth/token", data=form(assertion(client.id, old)))).status_code == 401
    assert len(served.requests) == 3


async def test_many_unknown_keys_do_not_become_many_fetches(
    served: Served,
    client_keys: ClientKeys,
    key: jose.Claims,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.auth.jwks.REFETCH_INTERVAL", 60.0)
    served.set(key, headers="Cache-Control: max-age=60\r\n")
    for _ in range(10):
        assert await client_keys.get(served.url, ALGORITHMS, again=True) == [jose.public(key)]
    assert len(served.requests) == 1


async def test_concurrent_askers_share_one_fetch(
    served: Served, client_keys: ClientKeys, key: jose.Claims
) -> None:
    served.set(key)
    await asyncio.gather(*(client_keys.get(served.url, ALGORITHMS) for _ in range(20)))
    assert len(served.requests) == 1


@pytest.mark.parametrize("directive", ["no-store", "no-cache", "max-age=0", "private, max-age=0"])
async def test_a_set_is_not_kept_longer_than_its_server_allows(
    served: Served, client_keys: ClientKeys, key: jose.Claims, directive: str
) -> None:
    served.set(key, headers=f"Cache-Control: {directive}\r\n")
    for _ in range(2):
        await client_keys.get(served.url, ALGORITHMS)
    assert len(served.requests) == 2


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", "", "404 Not Found"),
        (b"", "Location: http://127.0.0.1:1/\r\n", "302 Found"),
        (b"not json", "", "200 OK"),
        (b"[" * 60_000, "", "200 OK"),
        (b"\xff", "", "200 OK"),
        (b" " * 70_000, "", "200 OK"),
    ],
)
async def test_an_answer_that_is_no_key_set_is_refused(
    served: Served, client_keys: ClientKeys, body: bytes, headers: str, status: str
) -> None:
    served.raw(body, headers, status)
    with pytest.raises(Unreachable):
        await client_keys.get(served.url, ALGORITHMS)


async def test_a_server_that_hangs_up_is_unreachable(
    served: Served, client_keys: ClientKeys
) -> None:
    served.answer = b""
    with pytest.raises(Unreachable):
        await client_keys.get(served.url, ALGORITHMS)


async def test_a_server_that_dawdles_is_given_up(
    client_keys: ClientKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.auth.outgoing.MAX_SECONDS", 0.2)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        try:
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            return

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable):
            await client_keys.get(f"http://localhost:{port}/jwks", ALGORITHMS)


@pytest.mark.parametrize(
    "url",
    [
        "http://plans.example.org/jwks",
        "https://user:password@plans.example.org/jwks",
        "https://plans.example.org/jwks#x",
        "https:///jwks",
        "file:///etc/passwd",
        "ftp://plans.example.org/jwks",
    ],
)
async def test_only_https_is_asked(outside: ClientKeys, url: str) -> None:
    with pytest.raises(Unreachable, match="https"):
        await outside.get(url, ALGORITHMS)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "0",
        "169.254.169.254",
        "10.0.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "[fd00::1]",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "224.0.0.1",
    ],
)
async def test_no_address_inside_is_dialled(outside: ClientKeys, host: str) -> None:
    with pytest.raises(Unreachable):
        await outside.get(f"https://{host}/jwks", ALGORITHMS)
    transport = GuardedTransport(inside=False)
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(httpx.ConnectError, match="public internet"):
            await client.get(f"https://{host}/jwks")


def test_public_addresses_are_public() -> None:
    for address in ("93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"):
        assert is_public(address)


@pytest.mark.parametrize(
    ("name", "is_trusted"),
    [
        (x509.DNSName("localhost"), True),
        (x509.DNSName("elsewhere.example"), False),
        (x509.IPAddress(ipaddress.ip_address("127.0.0.1")), False),
    ],
)
async def test_tls_checks_the_host_name_not_the_address_dialled(
    tmp_path: Path, key: jose.Claims, name: Any, is_trusted: bool
) -> None:
    server, verify = certificate(tmp_path, name)
    async with serving(server) as served:
        served.set(key)
        transport = GuardedTransport(inside=True, verify=verify)
        async with httpx.AsyncClient(transport=transport) as client:
            if is_trusted:
                assert (await client.get(served.url)).status_code == 200
            else:
                with pytest.raises(httpx.ConnectError):
                    await client.get(served.url)
