"""The same requests by an operator and by an organization that people let in by a Consent.

Both in one run, one after the other for the same person, so that what else the machine does falls
on both.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from app.fhir.change import Change
from bench import loader, processes
from bench.client import Connection, connect
from bench.population import ORDER, Resource, concept
from bench.workloads import PULL, World

MOST = 100_000
"""Persons who consent; one has agreed to this and to nothing else."""

ORGANIZATION = "Organization/partner"
HL7 = "http://terminology.hl7.org/CodeSystem"
REQUESTS = {
    "read": "{goal}",
    "plan pull": f"CarePlan?patient={{patient}}{PULL}",
    "goal search": "Goal?patient={patient}",
    "sorted search": "Goal?patient={patient}&_sort=-start-date&_count=20",
    "history": "Goal/{goal_id}/_history",
}


def consent(n: int) -> Resource:
    """Person n lets the organization see the record."""
    recipient = concept(f"{HL7}/v3-ParticipationType", "IRCP", "information recipient")
    return {
        "resourceType": "Consent",
        "id": f"{n:08x}-consent",
        "status": "active",
        "scope": concept(f"{HL7}/consentscope", "patient-privacy", "Privacy Consent"),
        "category": [concept(f"{HL7}/v3-ActCode", "IDSCL", "information disclosure")],
        "patient": {"reference": loader.references(n)[0]},
        "dateTime": "2025-01-01T00:00:00Z",
        "policyRule": concept(f"{HL7}/consentpolicycodes", "hipaa-auth", "HIPAA Authorization"),
        "provision": {
            "type": "permit",
            "period": {"start": "2025-01-01", "end": "2099-01-01"},
            "actor": [{"role": recipient, "reference": {"reference": ORGANIZATION}}],
        },
    }


def _changes(persons: int) -> Iterator[Change]:
    partner = {"resourceType": "Organization", "id": "partner", "name": "Partner"}
    yield Change("create", "POST", "Organization", "partner", partner)
    for n in range(persons):
        made = consent(n)
        yield Change("create", "POST", "Consent", made["id"], made)


async def fill(connection: "asyncpg.Connection[Any]", base_url: str, persons: int) -> int:
    """Load the Consents of the first persons and the organization they name; how many Consents."""
    made, consenting = loader.engine(base_url), min(persons, MOST)
    if await connection.fetchval("SELECT EXISTS (SELECT FROM resource WHERE type = 'Consent')"):
        return consenting
    first = int(await connection.fetchval("SELECT nextval('resource_rid')"))
    await connection.execute("SELECT setval('resource_rid', $1)", first + consenting + 1)
    for found in loader.batches(made, _changes(consenting), first):
        await loader.copy(connection, found)
    await connection.execute("VACUUM ANALYZE resource, consent_rule, affiliation")
    return consenting


async def token(data: Path) -> str:
    """A token of a client that acts for the organization."""
    arguments = ["client", "create", "--name", "partner", "--scope", "system/*.rs", "--secret"]
    arguments += ["--role", "partner-system", "--organization", ORGANIZATION]
    client = json.loads(await processes.command(arguments, data))
    asked = ["token", "--client", client["client_id"], "--scope", "system/*.rs"]
    return (await processes.command(asked, data)).strip()


async def measure(
    worlds: dict[str, World], persons: int, options: argparse.Namespace
) -> dict[str, Any]:
    """Medians in milliseconds of each request by each caller of `worlds`, and their ratio."""
    [client] = await connect(*_place(worlds), 1)
    found: dict[str, Any] = {}
    for name, url in REQUESTS.items():
        rng = random.Random(name)
        times: dict[str, list[float]] = {who: [] for who in worlds}
        for turn in range(1 + options.rounds):
            filled = url.format(**_values(rng.randrange(persons)))
            # Untimed first: what is read from the disk is no part of the comparison.
            for world in worlds.values():
                await _asked(client, world, filled)
            for who in sorted(worlds, reverse=bool(turn % 2)):
                times[who].append(await _asked(client, worlds[who], filled))
        ms = {who: median(each[1:]) for who, each in times.items()}
        ratio = ms["consent"] / ms["operator"]
        found[name] = {"ms": {who: round(each, 3) for who, each in ms.items()}}
        found[name]["times"] = round(ratio, 2)
        print(f"{name}, by consent: {found[name]}", flush=True)
    client.close()
    return found


def _place(worlds: dict[str, World]) -> tuple[str, int]:
    address = next(iter(worlds.values())).address
    return address.host, address.port


def _values(n: int) -> dict[str, str]:
    named = dict(zip(ORDER[::-1], loader.references(n)[::-1], strict=True))
    goal, patient = named["Goal"], named["Patient"]
    return {
        "goal": goal,
        "goal_id": goal.partition("/")[2],
        "patient": patient.partition("/")[2],
    }


async def _asked(client: Connection, world: World, url: str) -> float:
    raw = world.ask("GET", url)
    begin = time.perf_counter()
    answer = await client.ask(raw)
    seconds = time.perf_counter() - begin
    if answer.status != 200:
        raise RuntimeError(f"{url}: status {answer.status}")
    return seconds * 1e3
