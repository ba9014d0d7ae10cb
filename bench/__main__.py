"""`python -m bench`: load people, measure the service, and the ceilings beside it.

`python -m bench search` measures searches beside SQL that is written by hand: bench/queries.py.

Without --base-url it starts the service itself on a new data directory, two ceilings with it.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from itertools import count, islice, product
from pathlib import Path
from typing import Any

import asyncpg

from app.storage.embedded import embedded
from bench import ceilings, loader, processes, report, validation
from bench.client import Sample, run
from bench.workloads import WORKLOADS, World, transactions

ALONE = "system/*.cruds"
CEILED = ("read", "plan pull", "goal search")
SAMPLES = 120  # pgbench takes 128 scripts
MB = 1_000_000


async def load(world: World, patients: int) -> Sample:
    """Create the people, sixteen transactions at a time. Raises RuntimeError if one fails."""
    world.fresh = count()
    steps = islice(transactions(world), patients)
    sample = await run((world.address.host, world.address.port), steps, 16, float("inf"))
    if sample.errors:
        raise RuntimeError(f"loading failed: {sample.errors}")
    world.fresh = count(patients)
    return sample


async def measure(
    world: World, names: list[str], options: argparse.Namespace, watched: Mapping[str, int]
) -> dict[str, Any]:
    """The figures of each workload at each concurrency.

    `watched` names processes by id; `cpu_us` is what a request costs each, descendants included.
    """
    found: dict[str, Any] = {}
    for name, clients in product(names, options.concurrency):
        steps = WORKLOADS[name](world)
        before = {each: processes.processor_seconds(pid) for each, pid in watched.items()}
        sample = await run(
            (world.address.host, world.address.port), steps, clients, options.seconds
        )
        spent = {
            each: round((processes.processor_seconds(pid) - before[each]) * 1e6 / sample.answered)
            for each, pid in watched.items()
        }
        figures = sample.figures()
        found.setdefault(name, {})[clients] = figures | {"cpu_us": spent, "wrong": sample.errors}
        print(f"{name} at {clients}: {figures['rps']:.0f}/s {spent} {sample.errors}", flush=True)
    return found


async def token(data: Path) -> str:
    """A token of a new client of the role operator."""
    arguments = ["client", "create", "--name", "bench", "--scope", ALONE, "--role", "operator"]
    client = json.loads(await processes.command([*arguments, "--secret"], data))
    asked = ["token", "--client", client["client_id"], "--scope", ALONE]
    return (await processes.command(asked, data)).strip()


async def measure_service(
    data: Path, dsn: str, options: argparse.Namespace
) -> tuple[dict[str, Any], World]:
    """Start the service, load it, measure every workload, then capture its statements."""
    environment = {"ISP_ACCESS_TOKEN_LIFETIME": "3600"}
    async with processes.service(data, options.workers, environment) as (url, process):
        world = World(processes.address(url), await token(data))
        loaded = await load(world, options.patients)
        results: dict[str, Any] = {"load": loaded.figures()}
        await loader.settle(dsn)
        results["bytes_a_resource"] = await _bytes(dsn)
        watched = {"workers": process, "postgres": processes.postmaster(data)}
        results["workloads"] = await measure(world, list(WORKLOADS), options, watched)
        if options.grow:
            grown = await measure_grown(dsn, world, options, watched)
            results["workloads"] |= {f"{name}, grown": rows for name, rows in grown.items()}
        results["memory_mb"] = [size / MB for size in processes.resident(process)]
        results["ceilings"] = await sql_ceilings(data, dsn, world, options)
    return results, world


async def measure_grown(
    dsn: str, world: World, options: argparse.Namespace, watched: Mapping[str, int]
) -> dict[str, Any]:
    """The same workloads with `options.grow` patients; those who come are loaded by COPY."""
    # Beyond every person that the workloads made.
    start = 10_000_000
    persons = range(start, start + options.grow - options.patients)
    await loader.fill(dsn, f"http://{world.address.netloc}/fhir", persons)
    await loader.settle(dsn)
    world.people |= {n: loader.references(n) for n in persons}
    return await measure(world, list(WORKLOADS), options, watched)


async def sql_ceilings(
    data: Path, dsn: str, world: World, options: argparse.Namespace
) -> dict[str, Any]:
    """pgbench of what CEILED workloads send."""
    found: dict[str, Any] = {}
    where = (world.address.host, world.address.port)
    for name in CEILED:
        async with ceilings.logged(dsn, data / "postgres" / "server.log") as statements:
            await run(where, islice(WORKLOADS[name](world), SAMPLES), 1, 60)
        if statements:
            figures = await ceilings.pgbench(dsn, statements[-SAMPLES:], 16, options.seconds)
            found[f"{name}: SQL"] = figures | {"example": statements[-1]}
    return found


async def _bytes(dsn: str) -> float:
    connection = await asyncpg.connect(dsn)
    size = await connection.fetchval(
        "SELECT pg_database_size(current_database())::float / count(*) FROM resource"
    )
    await connection.close()
    return round(float(size))


async def measure_bare(
    data: Path, dsn: str, world: World, options: argparse.Namespace, module: str
) -> dict[str, Any]:
    """The read workload on bench/bare.py or bench/audited.py."""
    async with processes.bare(dsn, options.workers, module) as (url, process):
        bare = World(processes.address(url), None, world.people)
        await asyncio.sleep(1)
        watched = {"workers": process, "postgres": processes.postmaster(data)}
        return await measure(bare, ["read"], options, watched)


async def measure_asynchronous(
    data: Path, dsn: str, world: World, options: argparse.Namespace
) -> dict[str, Any]:
    """Reads and pulls with the audit trail written behind the answer.

    `sustained` is the rate with the time counted in which the trail catches up.
    """
    environment = {"ISP_ACCESS_TOKEN_LIFETIME": "3600", "ISP_AUDIT": "async"}
    found: dict[str, Any] = {"read": {}, "plan pull": {}}
    async with processes.service(data, options.workers, environment) as (url, _):
        other = World(processes.address(url), await token(data), world.people)
        where = (other.address.host, other.address.port)
        for name, clients in product(found, options.concurrency):
            sample = await run(where, WORKLOADS[name](other), clients, options.seconds)
            begin = time.perf_counter()
            await _caught_up(dsn)
            whole = sample.seconds + time.perf_counter() - begin
            sustained = {"sustained": len(sample.latencies) / whole}
            found[name][clients] = sample.figures() | sustained | {"wrong": sample.errors}
    return found


async def _caught_up(dsn: str) -> None:
    """Wait until the number of events no longer grows."""
    connection = await asyncpg.connect(dsn)
    events = -1
    while (now := await connection.fetchval("SELECT count(*) FROM audit_event")) != events:
        events = now
        await asyncio.sleep(0.05)
    await connection.close()


def compare(results: dict[str, Any], clients: int) -> None:
    """Put beside each ceiling which share of it the service reached at this concurrency."""
    for name, ceiling in results["ceilings"].items():
        reached = results["workloads"][name.partition(":")[0]].get(clients)
        if reached:
            ceiling["reached"] = reached["rps"] / ceiling["rps"]


async def whole(options: argparse.Namespace) -> dict[str, Any]:
    """Everything, on a service of our own."""
    data = Path(tempfile.mkdtemp(prefix="isp-bench-"))
    try:
        with embedded(data, {"log_error_verbosity": "default"}) as dsn:
            results, world = await measure_service(data, dsn, options)
            floors = {
                name: await measure_bare(data, dsn, world, options, f"bench.{name}")
                for name in ("bare", "audited")
            }
            asynchronous = await measure_asynchronous(data, dsn, world, options)
    finally:
        shutil.rmtree(data, ignore_errors=True)
    results["workloads"] |= {f"{name}, audit async": rows for name, rows in asynchronous.items()}
    middle = 16 if 16 in options.concurrency else options.concurrency[-1]
    for name, found in floors.items():
        results["workloads"][f"read, {name}"] = found["read"]
        results["ceilings"][f"read: {name}"] = dict(found["read"][middle])
    compare(results, middle)
    return results | {"validation_us": validation.measure()}


async def other(options: argparse.Namespace) -> dict[str, Any]:
    """The workloads alone, on a server that runs already."""
    world = World(processes.address(options.base_url), options.token)
    loaded = await load(world, options.patients)
    return {
        "load": loaded.figures(),
        "workloads": await measure(world, list(WORKLOADS), options, {}),
    }


def main() -> None:
    """Read the command line, measure, print the table and write the JSON."""
    if sys.argv[1:2] == ["search"]:
        from bench import queries

        return queries.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--grow", type=int, help="measure again with as many patients as this")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--base-url", help="of a server that runs already; no ceilings then")
    parser.add_argument("--token", help="for --base-url")
    parser.add_argument("--output", type=Path, default=Path("bench/results"))
    options = parser.parse_args()
    results = asyncio.run(other(options) if options.base_url else whole(options))
    arguments = {"patients": options.patients, "seconds": options.seconds}
    results = report.circumstances() | arguments | {"workers": options.workers} | results
    print(report.table(results))
    print(report.write(results, options.output))


if __name__ == "__main__":
    main()
