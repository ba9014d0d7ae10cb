"""`python -m bench search`: searches and transactions at a size, each beside hand-written SQL.

For each row three figures, of the same values in the same run: what the service takes for the
request (HTTP, scopes, audit trail and all), what the statement takes that the engine compiles for
it, and what the SQL takes that somebody who knows the tables would write by hand.
"""

import argparse
import asyncio
import json
import random
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import parse_qsl

import asyncpg

from app.fhir.access import Everything
from app.fhir.search.compile import compile_search
from app.fhir.search.parameters.keys import key, param
from app.fhir.search.query import parse_query
from app.storage.embedded import embedded
from app.storage.migrate import migrate
from bench import consents, loader, processes, report
from bench.__main__ import token
from bench.client import connect
from bench.population import GIVEN, ORDER, SNOMED, SYSTEM, bundle
from bench.workloads import World

ALL = Everything("bench")
Values = dict[str, Any]
BODY = "r.rid, r.type, r.id, r.version, r.last_updated, r.body"


@dataclass(frozen=True, slots=True)
class Query:
    """A search, and SQL by hand that finds the same; both are filled from the same values.

    `url` has {names}; `values` gives them with the arguments of the SQL under `args`.
    """

    name: str
    url: str
    sql: str
    values: Callable[[random.Random, int], Values]


def token_key(name: str, system: str, code: str) -> int:
    """The key under which `system|code` of a token parameter stands."""
    return key(name, "system|code", system, code)


def _person(rng: random.Random, persons: int) -> Values:
    n = rng.randrange(persons)
    number = f"{n:08d}"
    return {"number": number, "args": [[token_key("Patient.identifier", SYSTEM, number)]]}


def _goal(rng: random.Random, persons: int) -> Values:
    number = f"{rng.randrange(persons):08d}-g0"
    return {"number": number, "args": [[token_key("Goal.identifier", f"{SYSTEM}-g0", number)]]}


def _code(rng: random.Random, _: int) -> Values:
    name = rng.choice(GIVEN)
    wanted = [token_key("Condition.code", SNOMED, "84757009")]
    return {"name": name, "args": [name.lower(), name.lower() + "\U0010ffff", wanted]}


def _day(rng: random.Random, _: int) -> Values:
    day = date(2022, 1, 1) + timedelta(days=rng.randrange(1200))
    return {"day": day, "args": [day]}


def _nothing(_: random.Random, __: int) -> Values:
    return {"args": []}


def _on_hold(_: random.Random, __: int) -> Values:
    return {"args": [[key("Goal.lifecycle-status", "code", "on-hold")]]}


FOUND = "r.type = '{}' AND NOT r.deleted AND r.keys && $1::bigint[]"
QUERIES = (
    Query(
        "chain",
        f"Goal?patient.identifier={SYSTEM}|{{number}}",
        f"SELECT {BODY} FROM resource AS p JOIN resource AS r ON r.patient = p.id"
        " AND r.type = 'Goal' AND NOT r.deleted WHERE p.type = 'Patient' AND NOT p.deleted"
        " AND p.keys && $1::bigint[] ORDER BY r.last_updated DESC, r.rid DESC LIMIT 51",
        _person,
    ),
    Query(
        "_has, rare",
        f"Patient?_has:Goal:patient:identifier={SYSTEM}-g0|{{number}}",
        f"SELECT {BODY} FROM resource AS g JOIN resource AS r ON r.id = g.patient"
        " AND r.type = 'Patient' AND NOT r.deleted WHERE g.type = 'Goal' AND NOT g.deleted"
        " AND g.keys && $1::bigint[] ORDER BY r.last_updated DESC, r.rid DESC LIMIT 51",
        _goal,
    ),
    Query(
        "_has, frequent",
        f"Patient?given={{name}}&_has:Condition:patient:code={SNOMED}|84757009&_count=20",
        f"SELECT {BODY} FROM resource AS r WHERE r.type = 'Patient' AND NOT r.deleted"
        f" AND EXISTS (SELECT FROM index_string AS s WHERE s.rid = r.rid"
        f" AND s.param = {param('Patient', 'given')} AND s.folded >= $1 AND s.folded < $2)"
        " AND EXISTS (SELECT FROM resource AS c WHERE c.type = 'Condition' AND NOT c.deleted"
        " AND c.patient = r.id AND c.keys && $3::bigint[])"
        " ORDER BY r.last_updated DESC, r.rid DESC LIMIT 21",
        _code,
    ),
    Query(
        "_include:iterate",
        f"Goal?identifier={SYSTEM}-g0|{{number}}&_revinclude=CarePlan:goal"
        "&_include:iterate=CarePlan:care-team&_include:iterate=CarePlan:condition",
        f"WITH g AS (SELECT {BODY} FROM resource AS r WHERE {FOUND.format('Goal')}),"
        f" p AS (SELECT {BODY} FROM g JOIN index_reference AS x ON x.target = 'Goal/' || g.id"
        f" AND x.param = {param('CarePlan', 'goal')} JOIN resource AS r ON r.rid = x.rid"
        " WHERE r.type = 'CarePlan' AND NOT r.deleted),"
        f" o AS (SELECT DISTINCT {BODY} FROM p JOIN index_reference AS x ON x.rid = p.rid"
        f" AND x.param IN ({param('CarePlan', 'care-team')}, {param('CarePlan', 'condition')})"
        " JOIN resource AS r ON r.type = split_part(x.target, '/', 1)"
        " AND r.id = split_part(x.target, '/', 2) AND NOT r.deleted)"
        " SELECT * FROM g UNION ALL SELECT * FROM p UNION ALL SELECT * FROM o",
        _goal,
    ),
    Query(
        "_sort by date",
        "Goal?start-date=ge{day}&_sort=-start-date&_count=20",
        f"SELECT {BODY} FROM index_date AS i JOIN resource AS r USING (rid)"
        f" WHERE i.param = {param('Goal', 'start-date')} AND i.hi > $1::date AND NOT r.deleted"
        " ORDER BY i.hi DESC, i.rid DESC LIMIT 21",
        _day,
    ),
    Query(
        "_sort by string",
        "Patient?_sort=family&_count=20",
        f"SELECT {BODY} FROM index_string AS i JOIN resource AS r USING (rid)"
        f" WHERE i.param = {param('Patient', 'family')} AND NOT r.deleted"
        " ORDER BY i.folded, i.rid LIMIT 21",
        _nothing,
    ),
    Query(
        "_total=accurate",
        "Goal?lifecycle-status=on-hold&_total=accurate&_count=20",
        f"WITH f AS MATERIALIZED (SELECT r.rid FROM resource AS r WHERE {FOUND.format('Goal')}),"
        f" m AS (SELECT {BODY} FROM f JOIN resource AS r USING (rid)"
        " ORDER BY r.last_updated DESC, r.rid DESC LIMIT 21)"
        " SELECT (SELECT count(*) FROM f) AS total, m.* FROM m",
        _on_hold,
    ),
    Query(
        "_total=estimate",
        "Goal?_total=estimate&_count=20",
        f"SELECT {BODY} FROM resource AS r WHERE r.type = 'Goal' AND NOT r.deleted"
        " ORDER BY r.last_updated DESC, r.rid DESC LIMIT 21",
        _nothing,
    ),
)

TRANSACTIONS = (100, 1000)


async def _timed(work: Callable[[], Awaitable[Any]]) -> float:
    begin = time.perf_counter()
    await work()
    return (time.perf_counter() - begin) * 1e3


async def measure_query(
    query: Query, world: World, connection: "asyncpg.Connection[Any]", options: argparse.Namespace
) -> dict[str, Any]:
    """The three medians of a query in milliseconds, and how many rows each way found."""
    rng = random.Random(query.name)
    persons = options.resources // len(ORDER)
    drawn = [query.values(rng, persons) for _ in range(options.rounds)]
    times: dict[str, list[float]] = {"http": [], "statement": [], "by hand": []}
    sizes: dict[str, int] = {"statement": 0, "by hand": 0}
    for turn, values in enumerate([drawn[0], *drawn]):  # the first fills caches and prepares
        url = query.url.format(**values)
        # Anew, for the server closes what was idle while the statements ran.
        [client] = await connect(world.address.host, world.address.port, 1)
        statement, *bound = _compiled(url, world).complete
        ways: dict[str, Callable[[], Awaitable[Any]]] = {
            "http": partial(_answered, client, world, url),
            "statement": partial(connection.fetch, statement, *bound),
            "by hand": partial(connection.fetch, query.sql, *values["args"]),
        }
        # Untimed first: whoever comes first would read from the disk for all three.
        for name in sizes:
            sizes[name] += len(await ways[name]())
        for name in [*ways, *ways][turn % len(ways) :][: len(ways)]:
            times[name].append(await _timed(ways[name]))
        client.close()
    return _figures(times) | {"rows": sizes}


def _compiled(url: str, world: World) -> Any:
    type_, _, text = url.partition("?")
    pairs = [each for each in parse_qsl(text) if each != ("_total", "estimate")]
    return compile_search(parse_query(type_, pairs), ALL, f"http://{world.address.netloc}/fhir")


async def _answered(client: Any, world: World, url: str, body: bytes | None = None) -> None:
    method = "GET" if body is None else "POST"
    answer = await client.ask(world.ask(method, url.replace("|", "%7C"), body))
    if answer.status != 200:
        raise RuntimeError(f"{url}: {answer.status} {answer.body[:300]!r}")


def _figures(times: dict[str, list[float]]) -> dict[str, Any]:
    """Medians without the first round, and how many times the SQL by hand each is."""
    found = {name: median(row[1:]) for name, row in times.items()}
    ratios = {name: round(each / found["by hand"], 2) for name, each in found.items()}
    return {"ms": {name: round(each, 3) for name, each in found.items()}, "times": ratios}


async def measure_transaction(
    size: int, world: World, connection: "asyncpg.Connection[Any]", options: argparse.Namespace
) -> dict[str, Any]:
    """A transaction Bundle of `size` creates, beside COPY of the same rows in one transaction."""
    [client] = await connect(world.address.host, world.address.port, 1)
    times: dict[str, list[float]] = {"http": [], "by hand": []}
    fresh = iter(range(10_000_000 + size * 100_000, 2**31))
    made = loader.engine(f"http://{world.address.netloc}/fhir")
    for _ in range(1 + options.transactions):
        body = _creates(fresh, size)
        times["http"].append(await _timed(partial(_answered, client, world, "", body)))
        rows = _rows(made, fresh, size)
        times["by hand"].append(await _timed(partial(loader.copy, connection, rows)))
    client.close()
    return _figures(times)


def _creates(fresh: Iterator[int], size: int) -> bytes:
    """A Bundle of the first `size` resources of new persons."""
    entries: list[Any] = []
    while len(entries) < size:
        entries += bundle(next(fresh))["entry"]
    kept = entries[:size]
    known = {entry["fullUrl"] for entry in kept}
    # The last person may lack a resource that others of theirs refer to: those are left out.
    kept = [entry for entry in kept if not _lacks(json.dumps(entry["resource"]), known)]
    whole = {"resourceType": "Bundle", "type": "transaction", "entry": kept}
    return json.dumps(whole, separators=(",", ":")).encode()


def _lacks(text: str, known: set[str]) -> bool:
    parts = text.split('"urn:uuid:')[1:]
    return any(f"urn:uuid:{part[:36]}" not in known for part in parts)


def _rows(made: Any, fresh: Iterator[int], size: int) -> loader.Rows:
    persons = [next(fresh) for _ in range(-(-size // len(ORDER)))]
    # Row numbers far from those of the sequence.
    found = loader.rows(made, persons, 2**40)
    rids = {row[0] for row in found["resource"][:size]}
    return {table: [row for row in its if row[0] in rids] for table, its in found.items()}


async def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Load, start the service on it, and measure every row."""
    data = Path(tempfile.mkdtemp(prefix="isp-bench-"))
    try:
        with embedded(data, {}) as dsn:
            return await _on(data, dsn, options)
    finally:
        shutil.rmtree(data, ignore_errors=True)


async def _on(data: Path, dsn: str, options: argparse.Namespace) -> dict[str, Any]:
    await migrate(dsn)
    persons = range(options.resources // len(ORDER))
    begin = time.perf_counter()
    await loader.fill(dsn, "http://127.0.0.1/fhir", persons)
    loaded = time.perf_counter() - begin
    print(f"{len(persons) * len(ORDER)} resources in {loaded:.0f} s", flush=True)
    results: dict[str, Any] = {"load_s": round(loaded, 1), "rows": {}}
    async with processes.service(data, 1, {"ISP_ACCESS_TOKEN_LIFETIME": "3600"}) as (url, _):
        world = World(processes.address(url), await token(data))
        connection = await asyncpg.connect(dsn, server_settings={"jit": "off"})
        for query in QUERIES:
            results["rows"][query.name] = await measure_query(query, world, connection, options)
            print(query.name, results["rows"][query.name], flush=True)
        for size in TRANSACTIONS:
            name = f"transaction of {size}"
            row = await measure_transaction(size, world, connection, options)
            results["rows"][name] = row
            print(name, row, flush=True)
        consenting = await consents.fill(connection, "http://127.0.0.1/fhir", len(persons))
        worlds = {"operator": world, "consent": replace(world, token=await consents.token(data))}
        results["consents"] = consenting
        results["by consent"] = await consents.measure(worlds, consenting, options)
        await connection.close()
    return results


def main(arguments: Sequence[str]) -> None:
    """Read the command line, measure, and write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench search", description=__doc__)
    parser.add_argument("--resources", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=200, help="of each search")
    parser.add_argument("--transactions", type=int, default=10, help="of each size")
    parser.add_argument("--output", type=Path, default=Path("bench/results"))
    options = parser.parse_args(arguments)
    results = asyncio.run(measured(options))
    print(
        report.write(
            report.circumstances() | {"resources": options.resources} | results, options.output
        )
    )
