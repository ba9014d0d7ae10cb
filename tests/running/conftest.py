"""One server for the commands that run beside one."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from tests.conftest import new_database
from tests.running.installation import Installation


@pytest.fixture(scope="session")
def installation(server: str, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """With an empty, migrated database when the first test comes."""
    dsn = asyncio.run(new_database(server, f"isp_running_{os.getpid()}"))
    return Installation(tmp_path_factory.mktemp("isp"), {"ISP_DATABASE_URL": dsn})


@pytest.fixture(scope="session")
def issuer(installation: Installation) -> Iterator[str]:
    """The address of a server that runs on it."""
    with installation.serving() as (_, lines):
        yield lines[-1].removeprefix("Ready: ").removesuffix("/fhir")
