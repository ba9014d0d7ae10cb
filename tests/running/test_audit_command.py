"""`isp audit`: what an operator learns about the trail, and how little can be done to it."""

import asyncio
import json
import os

import asyncpg
import pytest

from app.storage.audit_chain import seal
from app.storage.database import Database
from tests.conftest import new_database
from tests.running.installation import Installation

BERTHA = "UPDATE audit_event SET body = replace(body, 'Organization', 'Patient') WHERE id = $1"


@pytest.fixture(scope="module")
def dsn(server: str) -> str:
    """A database of its own, for its trail is tampered with."""
    return asyncio.run(new_database(server, f"isp_trail_{os.getpid()}"))


@pytest.fixture(scope="module")
def sealed(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """With a sealed trail of three writes."""
    made = Installation(tmp_path_factory.mktemp("isp"), {"ISP_DATABASE_URL": dsn})
    for name in ("one", "two", "three"):
        (made.data_dir / f"{name}.json").write_text(
            json.dumps({"resourceType": "Organization", "id": name, "name": name})
        )
    loaded = made.isp("load", *(str(file) for file in sorted(made.data_dir.glob("*.json"))))
    assert loaded.returncode == 0, loaded.stderr
    asyncio.run(_seal(dsn))
    return made


async def _seal(dsn: str) -> None:
    database = await Database.open(dsn, role="isp_service")
    assert await seal(database) >= 3
    await database.close()


async def _tamper(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET session_replication_role = 'replica'")
    id_: str = await connection.fetchval("SELECT id FROM audit_event ORDER BY rid LIMIT 1")
    await connection.execute(BERTHA, id_)
    await connection.close()
    return id_


def test_verify_says_whether_the_trail_is_whole_and_where_it_is_not(
    sealed: Installation, dsn: str
) -> None:
    done = sealed.isp("audit", "verify")
    found = json.loads(done.stdout)
    assert (done.returncode, found["intact"], found["problems"]) == (0, True, [])
    assert found["events"] >= 3
    assert sealed.isp("audit", "verify", "--expect", found["head"]).returncode == 0
    other = sealed.isp("audit", "verify", "--expect", f"1:{'0' * 64}")
    assert (other.returncode, json.loads(other.stdout)["intact"]) == (1, False)
    id_ = asyncio.run(_tamper(dsn))
    done = sealed.isp("audit", "verify")
    [problem] = json.loads(done.stdout)["problems"]
    assert done.returncode == 1
    assert f"AuditEvent/{id_} " in problem


def test_nothing_young_expires(sealed: Installation) -> None:
    done = sealed.isp("audit", "expire")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"expired": 0})
    assert sealed.isp("audit", "expire", "--years", "5").returncode == 2
    assert sealed.isp("audit", "verify", "--expect", "what").returncode == 2
