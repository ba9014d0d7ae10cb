"""Several workers at one address."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import new_database
from tests.running.installation import Installation

PATIENCE = 30
LISTENING = "0A"
"""https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt: a state."""


@pytest.fixture(scope="module")
def address(
    server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Installation, str]]:
    dsn = asyncio.run(new_database(server, f"isp_workers_{os.getpid()}"))
    installation = Installation(tmp_path_factory.mktemp("workers"), {"ISP_DATABASE_URL": dsn})
    with installation.serving("--workers", "2") as (_, lines):
        yield installation, lines[-1].removeprefix("Ready: ").removesuffix("/fhir")


def listening(port: str) -> int:
    """The sockets that listen at this port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    here = f":{int(port):04X}"
    return sum(row[1].endswith(here) and row[3] == LISTENING for row in rows)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="sockets are counted in /proc")
def test_each_worker_has_a_socket_of_its_own_so_that_connections_are_spread(
    address: tuple[Installation, str],
) -> None:
    _, url = address
    port, deadline = url.rpartition(":")[2], time.monotonic() + PATIENCE
    while listening(port) < 2 and time.monotonic() < deadline:
        # The second worker is still starting; nobody waits for it.
        assert httpx.get(f"{url}/livez").status_code == 200
    assert listening(port) == 2


def test_a_second_server_does_not_share_their_address(address: tuple[Installation, str]) -> None:
    installation, url = address
    done = installation.isp("serve", "--workers", "2", "--port", url.rpartition(":")[2])
    assert done.returncode != 0
    assert "already in use" in done.stderr
