"""`python -m bench search`: searches and transactions at a size, each beside hand-written SQL.

For each row three figures, of the same values in the same run: what the service takes for the
request (HTTP, scopes, audit trail and all), what the statement takes that the engine compiles for
it, and what the SQL takes that somebody who knows the tables would write by hand.
"""

import argparse
import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import asyncpg

from app.fhir.access import Everything
from app.fhir.search.compile import compile_search
from app.fhir.search.parameters.keys import key, param
from app.fhir.search.query import parse_query
from app.fhir.visible import SHOWN
from app.storage.embedded import embedded
from app.storage.migrate import migrate
from bench import consents, loader, processes, report, transactions
from bench.__main__ import token
from bench.client import connect
from bench.population import GIVEN, ORDER, SNOMED, SYSTEM
from bench.timing import answered, figures, timed
from bench.workloads import World

ALL = Everything("bench")
Values = dict[str, Any]
NAMED = ", r.consents"
BODY = f"r.rid, r.type, r.id, r.version, r.last_updated, {SHOWN.removesuffix(NAMED)}"
"""What the statement of the engine gives of a resource, too."""


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
        f" WHERE i.param = {param('Patient', 'family')} AND i.is_least AND NOT r.deleted"
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
            "http": partial(answered, client, world, url),
            "statement": partial(connection.fetch, statement, *bound),
            "by hand": partial(connection.fetch, query.sql, *values["args"]),
        }
        # Untimed first: whoever comes first would read from the disk for all three.
        for name in sizes:
            sizes[name] += len(await ways[name]())
        for name in [*ways, *ways][turn % len(ways) :][: len(ways)]:
            times[name].append(await timed(ways[name]))
        client.close()
    return figures(times) | {"rows": sizes}


def _compiled(url: str, world: World) -> Any:
    type_, _, text = url.partition("?")
    pairs = [each for each in parse_qsl(text) if each != ("_total", "estimate")]
    return compile_search(parse_query(type_, pairs), ALL, f"http://{world.address.netloc}/fhir")


async def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Load, unless the data directory holds what was loaded before, and measure every row."""
    data = options.data or Path(tempfile.mkdtemp(prefix="isp-bench-"))
    try:
        data.mkdir(parents=True, exist_ok=True)
        with embedded(data, {}) as dsn:
            return await _on(data, dsn, options)
    finally:
        if options.data is None:
            shutil.rmtree(data, ignore_errors=True)


async def _loaded(dsn: str, options: argparse.Namespace) -> float | None:
    """The seconds it took to load; None where it is there already."""
    await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    is_there = await connection.fetchval("SELECT EXISTS (SELECT FROM resource)")
    await connection.close()
    if is_there:
        return None
    begin = time.perf_counter()
    await loader.fill(dsn, "http://127.0.0.1/fhir", range(options.resources // len(ORDER)))
    return round(time.perf_counter() - begin, 1)


async def _on(data: Path, dsn: str, options: argparse.Namespace) -> dict[str, Any]:
    results: dict[str, Any] = {"load_s": await _loaded(dsn, options), "rows": {}}
    async with processes.service(data, 1, {"ISP_ACCESS_TOKEN_LIFETIME": "3600"}) as (url, _):
        world = World(processes.address(url), await token(data))
        connection = await asyncpg.connect(dsn, server_settings={"jit": "off"})
        for query in QUERIES:
            _keep(results, query.name, await measure_query(query, world, connection, options))
        async for name, row in transactions.measure(world, connection, options):
            _keep(results, name, row)
        persons = options.resources // len(ORDER)
        consenting = await consents.fill(connection, "http://127.0.0.1/fhir", persons)
        worlds = {"operator": world, "consent": replace(world, token=await consents.token(data))}
        results["consents"] = consenting
        results["by consent"] = await consents.measure(worlds, consenting, options)
        await connection.close()
    return results


def _keep(results: dict[str, Any], name: str, row: dict[str, Any]) -> None:
    results["rows"][name] = row
    print(name, row, flush=True)


def main(arguments: Sequence[str]) -> None:
    """Read the command line, measure, and write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench search", description=__doc__)
    parser.add_argument("--resources", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=200, help="of each search")
    parser.add_argument("--transactions", type=int, default=10, help="of each size")
    parser.add_argument("--data", type=Path, help="a data directory to load into, and keep")
    parser.add_argument("--output", type=Path, default=Path("bench/results"))
    options = parser.parse_args(arguments)
    results = asyncio.run(measured(options))
    print(
        report.write(
            report.circumstances() | {"resources": options.resources} | results, options.output
        )
    )
