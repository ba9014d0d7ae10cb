"""How long the hidden takes, and what is not there, side by side: `python -m bench.hidden`.

Asks for both in turns through the whole service on a private PostgreSQL, each time with a fresh id
and a warm and a cold token, and prints the quantiles and how often one is slower than the other,
which is half the time if nothing can be told. Not a test: a busy machine decides what it prints.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx

from app.storage.embedded import embedded
from tests.build import goal, organization, patient
from tests.conftest import FAST, new_database
from tests.http.conftest import COUNTY, Service, load, serving

PAIRS = 1000
QUANTILES = (5, 25, 50, 75, 95)


async def _seconds(client: httpx.AsyncClient, url: str) -> float:
    began = time.perf_counter()
    response = await client.get(url)
    assert response.status_code == 404
    return time.perf_counter() - began


async def _measure(service: Service, is_warm: bool) -> tuple[list[float], list[float]]:
    hidden: list[float] = []
    absent: list[float] = []
    client = await service.as_("ehr-system", "Organization/elsewhere")
    for at in range(PAIRS):
        if not is_warm:
            client = await service.as_("ehr-system", "Organization/elsewhere")
        turns = [(hidden, f"/Goal/hidden-{at}"), (absent, f"/Goal/absent-{at}")]
        random.shuffle(turns)
        for found, url in turns:
            found.append(await _seconds(client, url))
    return hidden, absent


def _print(name: str, hidden: list[float], absent: list[float]) -> None:
    for kind, found in (("hidden", hidden), ("absent", absent)):
        cuts = statistics.quantiles(found, n=100)
        shown = " ".join(f"p{at} {cuts[at - 1] * 1e6:6.0f}" for at in QUANTILES)
        sys.stdout.write(f"{name} {kind}: {shown} µs\n")
    slower = sum(one > other for one, other in zip(hidden, absent, strict=True))
    sys.stdout.write(f"{name}: hidden is slower in {slower / len(hidden):.1%} of pairs\n")


async def _run(server: str) -> None:
    async with serving(await new_database(server, "hidden")) as service:
        operator = await service.as_("operator")
        await load(operator, organization("county"), organization("elsewhere"))
        await load(operator, patient("ada", COUNTY))
        await load(operator, *(goal(f"hidden-{at}") for at in range(PAIRS)))
        for name, is_warm in (("known token", True), ("new token", False)):
            _print(name, *await _measure(service, is_warm))


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory(prefix="isp-hidden-") as folder,
        embedded(Path(folder), FAST) as dsn,
    ):
        asyncio.run(_run(dsn))
