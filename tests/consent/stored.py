"""Cases in a database, each among its own people and organizations, and what `visible` shows."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.consent.access import permitted
from app.consent.marks import author_key, marks
from app.consent.policy import standings
from app.consent.purpose import broader
from app.consent.relationships import project
from app.fhir import json
from app.fhir.access import Permitted
from app.fhir.compartments import is_single, subjects
from app.fhir.grounds import timed
from app.fhir.search.parameters import extract
from app.fhir.visible import visible
from app.storage.database import Database
from app.storage.sql import Arguments
from app.storage.versions import Head, Part, write
from tests.consent.case import BASE, NOW, Case
from tests.consent.paper import Resource

__all__ = ["load", "permitted", "shown"]


def own(value: Any, number: int) -> Any:
    """The same with ids and references that no other case has."""
    if isinstance(value, list):
        return [own(each, number) for each in value]
    if not isinstance(value, dict):
        return value
    made = {name: own(each, number) for name, each in value.items()}
    for name in ("id", "reference"):
        if isinstance(made.get(name), str):
            made[name] = f"{made[name]}-{number}"
    return made


async def load(database: Database, cases: Sequence[Case]) -> None:
    """Store what each case needs, under the number of the case."""
    heads, rows = [], {}
    for number, case in enumerate(cases):
        for resource in (*case.everything, *case.consents):
            mine = own(resource, number)
            heads.append(_head(len(heads) + 1, mine))
            references = {"index_reference": extract(mine, BASE).references}
            for table, made in (references | dict(project(mine, BASE))).items():
                rows.setdefault(table, []).extend((len(heads), *row) for row in made)
    async with database.transaction() as connection:
        await write(connection, Part(heads, rows))
    await database.execute("ANALYZE")


def _head(rid: int, resource: Resource) -> Head:
    type_, about = resource["resourceType"], subjects(resource, BASE)
    found = marks(resource, BASE)
    return Head(
        rid=rid,
        type=type_,
        id=resource["id"],
        version=1,
        last_updated=NOW,
        method="PUT",
        patient=about[0] if is_single(type_) and about else None,
        patients=None if is_single(type_) else about or None,
        keys=[],
        digest=0,
        body=json.dump(resource).decode(),
        confidentiality=found.confidentiality,
        labels=found.labels or None,
        seals=found.seals or None,
        traits=found.traits,
        lo=found.lo,
        hi=found.hi,
    )


def access(case: Case, number: int) -> Permitted:
    """The Access of whoever asks in a case."""
    actor = f"{case.actor}-{number}"
    purposes, actions = broader(*case.purpose.split()), tuple(case.action.split())
    given = standings(purposes, actions)
    return Permitted((actor,), purposes, actions, given, (author_key(actor),))


async def shown(database: Database, case: Case, number: int, now: datetime = NOW) -> bool:
    """Whether `visible` shows the resource of a case, as if it were that time."""
    args, subject = Arguments(), case.subject
    source = visible(access(case, number), subject["resourceType"], args)
    id_ = args.add(f"{subject['id']}-{number}")
    sql = f"SELECT count(*) FROM {source} AS r WHERE r.id = {id_}"
    return bool(await database.fetchval(*timed(args.statement(sql), now)))


def at(case: Case, now: datetime) -> Case:
    return replace(case, now=now)
