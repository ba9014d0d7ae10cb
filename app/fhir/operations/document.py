"""$document of a Composition — https://hl7.org/fhir/R4/composition-operation-document.html"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from app.fhir import json
from app.fhir.access import Nothing, for_type
from app.fhir.alike import unlike_of
from app.fhir.commit import commit
from app.fhir.context import Call, Context, Disclosed, Resource, Result
from app.fhir.disclose import Entry, disclose, patients, shown_of
from app.fhir.disclose import document as bundle
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest, Unprocessable
from app.fhir.hidden import hidden
from app.fhir.ids import new_id
from app.fhir.interactions.read import current
from app.fhir.interactions.write import location, row_of
from app.fhir.label import CONFIDENTIALITY, LEVELS
from app.fhir.operations.parameters import Kinds, flag_of, parameters_of, required
from app.fhir.operations.written import created
from app.fhir.references import local, walk
from app.fhir.registry import STORED
from app.fhir.search.find import find
from app.fhir.search.query import parse_query
from app.storage.sql import Row

KINDS: Kinds = {
    "id": ("valueUri", "valueId", "valueString"),
    "persist": ("valueBoolean",),
    "graph": ("valueUri", "valueCanonical"),
}
MOST = 500
"""Resources of one type that a Composition may lead to."""


async def run(ctx: Context, call: Call) -> Result:
    """A document: the Composition and what it refers to, as far as it is visible; 200.

    201 where it is also stored, with `persist`. Raises BadRequest for what cannot be read,
    NotFound and Gone as a read does, Forbidden where it may not be stored.
    """
    given = parameters_of(call, KINDS)
    is_kept, id_ = _is_kept(call, given), _composition(ctx, call, given)
    row = await current(ctx, Call("read", call.type, id_))
    rows = {f"{call.type}/{id_}": row, **await _pointed(ctx, id_, row)}
    made = await _document(ctx, rows)
    about = sorted({patient for each in rows.values() for patient in patients(each)})
    if is_kept:
        return await _kept(ctx, made)
    return Result(200, made, type=call.type, id=id_, patients=tuple(about))


def _composition(ctx: Context, call: Call, given: Mapping[str, str]) -> str:
    """The id of the Composition: that of the URL, or the parameter, an id or a URL of ours."""
    if "graph" in given:
        said = "No GraphDefinition is held here: a document has what its Composition refers to."
        raise BadRequest(said, code="not-supported", expression=["graph"])
    if call.id is not None and "id" in given:
        raise BadRequest("The URL names the Composition: send no id.", expression=["id"])
    text = call.id or str(required(given, "id"))
    found = local(text if "/" in text else f"Composition/{text}", ctx.engine.base_url)
    if found is None or found.type != "Composition":
        said = "id: the id of a Composition, or its URL on this server."
        raise BadRequest(said, code="not-supported", expression=["id"])
    return found.id


def _is_kept(call: Call, given: Mapping[str, str]) -> bool:
    """What stores something is not asked for by GET: https://hl7.org/fhir/R4/operations.html"""
    is_kept = flag_of("persist", given.get("persist"))
    if is_kept and call.body is None:
        raise BadRequest("This stores something: send persist in the body, by POST.")
    return is_kept


async def _pointed(ctx: Context, id_: str, row: Row) -> dict[str, Row]:
    """What the Composition, as it is shown, refers to, as a search for the ids finds it, by
    Type/id."""
    masked = await hidden(ctx, [row], are_visible=True, doubted=unlike_of([row]))
    composition = shown_of(ctx, row, masked)
    found = (local(each["reference"], ctx.engine.base_url) for each in walk(composition))
    names = sorted({(ref.type, ref.id) for ref in found if ref} - {("Composition", id_)})
    rows: list[Row] = []
    for type_, members in groupby(names, lambda name: name[0]):
        rows += await _found(ctx, type_, [id_ for _, id_ in members])
    return {f"{each['type']}/{each['id']}": each for each in rows}


async def _found(ctx: Context, type_: str, ids: Sequence[str]) -> Iterable[Row]:
    access = ctx.access.get("s", Nothing())
    if type_ not in STORED or isinstance(for_type(access, type_), Nothing):
        return ()
    if len(ids) > MOST:
        raise Unprocessable(f"A document holds {MOST} resources of one type at most.")
    return await find(ctx, parse_query(type_, [("_id", ",".join(ids))], counts=(MOST, MOST)))


async def _document(ctx: Context, rows: Mapping[str, Row]) -> Disclosed:
    masked = await hidden(ctx, rows.values(), are_visible=True)
    entries = (
        Entry(f"{ctx.base_url}/{name}", disclose(ctx, row, masked)) for name, row in rows.items()
    )
    identifier = {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{new_id()}"}
    return bundle(identifier, ctx.now, entries)


async def _kept(ctx: Context, made: Disclosed) -> Result:
    """Stored as the requester saw it, under the labels of what is in it."""
    document = _labelled(json.parse(made.content))
    [done] = await commit(ctx, [created(ctx, document)])
    row = row_of(done)
    return Result(
        status=201,
        body=disclose(ctx, row, await hidden(ctx, [row])),
        version=str(done.version),
        last_modified=done.last_updated,
        location=location(ctx, done),
        type=done.type,
        id=done.id,
        patients=done.about,
        is_recorded=True,
    )


def _labelled(document: Resource) -> Resource:
    """With the labels of everything in it: what travels in an envelope is stored in the open."""
    meta = document.get("meta", {})
    inner = (each["resource"].get("meta", {}) for each in document["entry"])
    given = (coding for each in inner for coding in each.get("security", ()))
    # By all that they say: of two labels alike one may name, in an extension, the law that seals.
    kept = list({json.dump(each): each for each in given if not _is_level(each)}.values())
    if not kept:
        return document
    return {**document, "meta": {**meta, "security": [*meta.get("security", ()), *kept]}}


def _is_level(coding: Resource) -> bool:
    """Whether this is one of the levels, of which the Bundle bears the highest, and no more."""
    is_bare = coding.keys() <= {"system", "version", "code", "display"}
    return is_bare and coding.get("system") == CONFIDENTIALITY and coding.get("code") in {*LEVELS}


OPERATION = Operation(
    name="document",
    definition="http://hl7.org/fhir/OperationDefinition/Composition-document",
    levels=frozenset({"type", "instance"}),
    types=frozenset({"Composition"}),
    letter="r",
    run=run,
    documentation="Without the parameter graph: no GraphDefinition is held.",
)
