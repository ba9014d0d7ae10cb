"""What the server says of itself, stored as ordinary resources, so that it is found like any other.

docs/decisions/0013-definitions.md
"""

from collections.abc import Iterator, Mapping
from typing import Any

from app.admission import admit
from app.fhir import guides, json
from app.fhir.context import Context, Resource
from app.fhir.definitions_of_r4 import compartments, operations, search_parameters
from app.fhir.engine import Engine
from app.fhir.ids import new_id
from app.fhir.terminology.held import profiles_of_r4
from app.fhir.visible import visible
from app.isp.definitions import complete
from app.loading import OPERATOR, Report, load
from app.reading import Item
from app.storage.migrate import DEFINITIONS
from app.storage.sql import Arguments


async def publish(engine: Engine) -> Report:
    """Store every definition that is not there as it should be; what was refused is reported.

    What an operator loaded of a guide by others stays: ours only stands in for it.
    """
    ctx = admit(engine, OPERATOR, new_id())
    stored = await _stored(ctx)
    wanted = (
        Item(one["url"], at, one, is_update=True)
        for at, one in enumerate(published(engine))
        if not _is_right(stored.get((one["resourceType"], one["id"])), one)
    )
    return await load(engine, wanted)


def _is_right(stored: Resource | None, one: Resource) -> bool:
    if stored is None:
        return False
    return stored == one or (guides.is_ours(one) and not guides.is_ours(stored))


def published(engine: Engine) -> Iterator[Resource]:
    """The profiles, codes and operations of plans, those of guides, and what is done of R4."""
    for one in engine.definitions.values():
        yield complete(one, engine.definitions)
    known = {**profiles_of_r4(), **guides.definitions()}
    for one in guides.definitions().values():
        yield complete(one, known)
    yield from operations(engine.operations.values())
    yield from search_parameters()
    yield from compartments()


async def _stored(ctx: Context) -> Mapping[tuple[str, str], dict[str, Any]]:
    """The definitions that are stored, each as it was sent."""
    args = Arguments()
    source = visible(ctx.reach, DEFINITIONS, args)
    rows = await ctx.store.fetch(
        *args.statement(f"SELECT r.type, r.id, r.body FROM {source} AS r WHERE NOT r.deleted")
    )
    found = ((row["type"], row["id"], json.parse(row["body"].encode())) for row in rows)
    return {
        (type_, id_): {key: value for key, value in body.items() if key != "meta"}
        for type_, id_, body in found
    }
