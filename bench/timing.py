"""What a request or a statement takes, and how the ways to do the same compare."""

import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

from bench.client import Connection
from bench.workloads import World


async def timed(work: Callable[[], Awaitable[Any]]) -> float:
    """The milliseconds until it is done."""
    begin = time.perf_counter()
    await work()
    return (time.perf_counter() - begin) * 1e3


async def answered(client: Connection, world: World, url: str, body: bytes | None = None) -> None:
    """Ask, GET without a body and POST with one. Raises RuntimeError unless the status is 200."""
    method = "GET" if body is None else "POST"
    answer = await client.ask(world.ask(method, url.replace("|", "%7C"), body))
    if answer.status != 200:
        raise RuntimeError(f"{url}: {answer.status} {answer.body[:300]!r}")


def figures(times: dict[str, list[float]]) -> dict[str, Any]:
    """Medians without the first round, and how many times the SQL by hand each is."""
    found = {name: median(row[1:]) for name, row in times.items()}
    ratios = {name: round(each / found["by hand"], 2) for name, each in found.items()}
    return {"ms": {name: round(each, 3) for name, each in found.items()}, "times": ratios}
