"""app/storage/embedded.py: the private PostgreSQL starts, is shared, survives and stops."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from app.storage import postmaster
from app.storage.embedded import embedded, for_memory, memory

SMALL = {"shared_buffers": "16MB", "fsync": "off"}

USE_IT = """
import sys, pathlib
from app.storage.embedded import embedded
with embedded(pathlib.Path(sys.argv[1])) as dsn:
    print(dsn, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    postmaster.stop(postmaster.locate(tmp_path))


@pytest.fixture
def other_process(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another `isp` that uses the same data directory until its input is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", USE_IT, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("postgresql://")
        yield process
        process.kill()


async def ask(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_the_data_is_there_after_a_restart(data_dir: Path) -> None:
    server = postmaster.locate(data_dir)
    with embedded(data_dir, SMALL) as dsn:
        await ask(dsn, "CREATE TABLE kept AS SELECT 7 AS seven")
    assert postmaster.pid(server) is None
    with embedded(data_dir, SMALL) as dsn:
        assert await ask(dsn, "SELECT seven FROM kept") == 7


def test_the_last_process_to_leave_stops_it(
    data_dir: Path, other_process: subprocess.Popen[str]
) -> None:
    server = postmaster.locate(data_dir)
    running = postmaster.pid(server)
    assert running is not None
    with embedded(data_dir):
        assert postmaster.pid(server) == running
    assert postmaster.pid(server) == running
    other_process.communicate()
    assert postmaster.pid(server) is None


async def test_a_killed_process_leaves_nothing_in_the_way(
    data_dir: Path, other_process: subprocess.Popen[str]
) -> None:
    other_process.kill()
    other_process.wait()
    server = postmaster.locate(data_dir)
    assert postmaster.pid(server) is not None
    with embedded(data_dir) as dsn:
        assert await ask(dsn, "SELECT 1") == 1
    assert postmaster.pid(server) is None


async def test_a_killed_server_starts_again_under_its_users(data_dir: Path) -> None:
    server = postmaster.locate(data_dir)
    with embedded(data_dir, SMALL) as dsn:
        await ask(dsn, "CREATE TABLE kept AS SELECT 7 AS seven")
        first = postmaster.pid(server)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        while postmaster.pid(server) in (None, first):
            await asyncio.sleep(0.05)
        postmaster.start(server, SMALL)
        assert await ask(dsn, "SELECT seven FROM kept") == 7


async def test_a_lock_file_with_the_number_of_another_program_is_no_obstacle(
    data_dir: Path,
) -> None:
    server = postmaster.locate(data_dir)
    with embedded(data_dir, SMALL):
        pass
    for name in (server.cluster / "postmaster.pid", server.socket / ".s.PGSQL.5432.lock"):
        name.write_text(f"{os.getpid()}\n")
    with embedded(data_dir, SMALL) as dsn:
        assert await ask(dsn, "SELECT 1") == 1


async def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    with embedded(tmp_path / ("long" * 30), SMALL) as dsn:
        assert await ask(dsn, "SELECT 1") == 1
        assert "long" not in dsn


async def test_two_threads_may_start_it_at_once(data_dir: Path) -> None:
    seen: list[int | None] = []

    def use() -> None:
        with embedded(data_dir, SMALL):
            seen.append(postmaster.pid(postmaster.locate(data_dir)))
            barrier.wait()

    barrier = threading.Barrier(3)
    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 3
    assert len(set(seen)) == 1


async def test_statements_never_reach_the_log(data_dir: Path) -> None:
    with embedded(data_dir, SMALL) as dsn:
        with pytest.raises(asyncpg.PostgresError):
            await ask(dsn, "SELECT 'Rosa Parks'::int")
        await ask(dsn, "CREATE TABLE one (name text PRIMARY KEY)")
        await ask(dsn, "INSERT INTO one VALUES ('Rosa Parks')")
        with pytest.raises(asyncpg.UniqueViolationError):
            await ask(dsn, "INSERT INTO one VALUES ('Rosa Parks')")
    log = (postmaster.locate(data_dir).cluster / "server.log").read_text()
    assert "unique constraint" in log
    assert "INSERT" not in log
    assert "name)=" not in log


@pytest.mark.parametrize(
    ("gigabytes", "buffers", "cache"),
    [
        (0.25, "128MB", "256MB"),
        (4, "1024MB", "2048MB"),
        (24, "6144MB", "12288MB"),
        (64, "8192MB", "32768MB"),
    ],
)
def test_the_cache_suits_the_memory(gigabytes: float, buffers: str, cache: str) -> None:
    found = for_memory(int(gigabytes * 2**30))
    assert found == {"shared_buffers": buffers, "effective_cache_size": cache}


def test_a_container_has_the_memory_that_it_is_given(tmp_path: Path) -> None:
    limit, machine = tmp_path / "memory.max", memory(tmp_path / "none")
    for said, expected in (("max", machine), (str(2**62), machine), (str(2**20), 2**20)):
        limit.write_text(f"{said}\n")
        assert memory(limit) == expected
    assert machine > 2**20


async def test_a_caller_has_the_last_word_about_settings(data_dir: Path) -> None:
    with embedded(data_dir, {"shared_buffers": "32MB"}) as dsn:
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SHOW shared_buffers") == "32MB"
        assert await connection.fetchval("SHOW effective_cache_size") != "4GB"
        await connection.close()
