"""A server as it runs, with people in it, and clients of several roles who send it anything.

`make fuzz` gives it half an hour; FUZZ_SEED repeats a run.
"""

import asyncio
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings

from app.auth.access_token import Grant, issue
from app.main import create_app
from app.settings import Settings
from tests.conftest import new_database
from tests.running.installation import Installation

SECONDS = float(os.environ.get("FUZZ_SECONDS", "8"))
"""For each way of making requests."""

SEED = int(os.environ.get("FUZZ_SEED", random.randrange(2**32)))
BUSY = 503
"""More prints than can be made: told with Retry-After, and not a fault."""

ROLES = (
    Grant("operator", "system/*.cruds", "operator"),
    Grant("county", "system/*.cruds", "provider-organization", "Organization/county"),
    Grant("narrow", "system/Goal.rs system/Patient.r", "case-manager", "Organization/county"),
    Grant("stranger", "system/*.cruds", "partner-system", "Organization/elsewhere"),
)
ONCE = settings(
    max_examples=15,
    database=None,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True, slots=True)
class Target:
    """The server, clients of it, and what they must never be answered with."""

    base: str
    clients: tuple[httpx.Client, ...]
    faults: list[str] = field(default_factory=list)

    def send(self, number: int, method: str, url: str, **rest: Any) -> None:
        """Send a request as one of the clients, and note a fault of the server."""
        client = self.clients[number % len(self.clients)]
        response = client.request(method, url, **rest)
        is_busy = response.status_code == BUSY and "retry-after" in response.headers
        if response.status_code >= 500 and not is_busy:
            shown = {name: str(value)[:2000] for name, value in rest.items()}
            self.faults.append(f"{method} {url} {shown}: {response.text[:2000]}")

    def check(self) -> None:
        """Fail the test for the faults noted; `FUZZ_SEED` makes the same requests again."""
        found = self.faults[:10]
        self.faults.clear()
        assert found == [], f"FUZZ_SEED={SEED}"


@pytest.fixture(scope="package")
def target(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The service in a process of its own, with the demonstration in it."""
    dsn = asyncio.run(new_database(server, f"isp_fuzz_{os.getpid()}"))
    directory: Path = tmp_path_factory.mktemp("fuzz")
    chosen = {"ISP_DATABASE_URL": dsn, "ISP_STATEMENT_TIMEOUT": "10", "ISP_LOG_LEVEL": "error"}
    with Installation(directory, chosen).serving("--demo") as (_, lines):
        base = lines[-1].removeprefix("Ready: ")
        tokens = asyncio.run(_tokens(dsn, base))
        clients = tuple(_client(base, token) for token in tokens)
        yield Target(base, clients)
        for client in clients:
            client.close()


async def _tokens(dsn: str, base: str) -> list[str]:
    app = create_app(Settings(database_url=dsn, base_url=base))
    async with app.router.lifespan_context(app):
        return [(await issue(app.state.authority, grant, 3600)).token for grant in ROLES]


def _client(base: str, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    return httpx.Client(base_url=base, headers=headers, timeout=60)
