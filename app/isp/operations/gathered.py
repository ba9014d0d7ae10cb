"""Everything of a person that the caller may see around one resource, as it was disclosed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from app.fhir import json
from app.fhir.alike import unlike_of
from app.fhir.context import Call, Context, Disclosed, Resource
from app.fhir.disclose import Entry, disclose, patients
from app.fhir.errors import Gone
from app.fhir.grounds import consents_of
from app.fhir.hidden import hidden
from app.fhir.interactions.read import unknown
from app.fhir.registry import STORED
from app.fhir.search.closure import closure
from app.fhir.search.find import find
from app.fhir.search.query import parse_query
from app.isp.belonging import mentioned
from app.isp.element import name
from app.isp.plan import Plan, assemble
from app.isp.resources import of_bodies
from app.storage.sql import Row

MOST = 500
"""Resources of one type fetched besides, since something points to them."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """By Type/id the bytes as they may leave, and the resources as these bytes say.

    Whatever is made of `resources` shows no more than the bytes do. `patients`, whom any of it
    is about, and `consents`, by which it is seen, are for the audit trail.
    """

    disclosed: Mapping[str, Disclosed]
    resources: Mapping[str, Resource]
    patients: tuple[str, ...]
    consents: tuple[str, ...]

    def plan(self, id_: str) -> Plan:
        """The plan with this id."""
        return assemble(self.resources.values(), id_)

    def entries(self, base_url: str, resources: Iterable[Resource]) -> Iterable[Entry]:
        """Bundle entries of these resources, each byte by byte as it was disclosed."""
        for one in resources:
            own = name(one)
            yield Entry(f"{base_url}/{own}", self.disclosed[own])


async def gather(ctx: Context, call: Call) -> Gathered:
    """What hangs together with the resource the operation was called on.

    Raises NotFound and Gone as a read does.
    """
    assert call.type
    rows = await closure(ctx, call.type, str(call.id))
    if not rows:
        raise unknown(call)
    if rows[0]["deleted"]:
        raise Gone(f"{call.type}/{call.id} was deleted.")
    about, by = {each for row in rows for each in patients(row)}, {*consents_of(rows)}
    disclosed = await _disclosed(ctx, rows)
    resources = _resources(ctx, disclosed)
    for _ in range(2):
        # Roles lead to people and organizations, and these to where they are.
        pointed = await _pointed(ctx, mentioned(resources.values()) - disclosed.keys())
        about |= {each for row in pointed for each in patients(row)}
        by |= {*consents_of(pointed)}
        more = await _disclosed(ctx, pointed)
        disclosed |= more
        resources |= _resources(ctx, more)
    # In the same order whoever asks, and however the database found them.
    ordered = dict(sorted(resources.items()))
    return Gathered(disclosed, ordered, tuple(sorted(about)), tuple(sorted(by)))


def _resources(ctx: Context, disclosed: Mapping[str, Disclosed]) -> dict[str, Resource]:
    bodies = (one.content.decode() for one in disclosed.values())
    read = of_bodies(bodies, ctx.engine.base_url, lambda text: json.parse(text.encode()))
    return {name(one): one for one in read}


async def _pointed(ctx: Context, targets: Iterable[str]) -> list[Row]:
    """These resources, as an ordinary search for their ids finds them."""
    found: list[Row] = []
    for type_, some in groupby(sorted(targets), lambda target: target.partition("/")[0]):
        if type_ not in STORED or type_ in ("Binary", "CarePlan"):
            continue
        ids = [one.partition("/")[2] for one in some][:MOST]
        query = parse_query(type_, [("_id", ",".join(ids))], counts=(MOST, MOST))
        found += await find(ctx, query)
    return found


async def _disclosed(ctx: Context, rows: Sequence[Row]) -> dict[str, Disclosed]:
    masked = await hidden(ctx, rows, are_visible=True, doubted=unlike_of(rows))
    return {f"{row['type']}/{row['id']}": disclose(ctx, row, masked) for row in rows}
