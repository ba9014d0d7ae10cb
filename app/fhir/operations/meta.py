"""$meta, $meta-add and $meta-delete: profiles, tags and security labels of a resource.

https://hl7.org/fhir/R4/resource-operation-meta.html, resource-operation-meta-add.html,
resource-operation-meta-delete.html
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.fhir import json
from app.fhir.change import Change
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.disclose import statement
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest
from app.fhir.interactions.read import read
from app.fhir.operations.written import updated, write
from app.fhir.registry import STORED
from app.fhir.shape import check_none
from app.fhir.validation.structure import validate

CODED = ("security", "tag")
KEPT = ("profile", *CODED)
WRITTEN = STORED - {"AuditEvent"}
Meta = dict[str, Any]


async def show(ctx: Context, call: Call) -> Result:
    """The meta of the current version as Parameters: 200; NotFound and Gone as a read has it."""
    check_none(call.query)
    found = await read(ctx, Call("read", call.type, call.id))
    resource: Resource = json.parse(found.content)
    return replace(found, body=_parameters(resource["meta"]))


async def add(ctx: Context, call: Call) -> Result:
    """Add to profiles, tags and labels: a new version, if one was not there; answers the meta."""
    return await _changed(ctx, call, _added)


async def delete(ctx: Context, call: Call) -> Result:
    """Take away profiles, tags and labels: a new version, if one was there; answers the meta."""
    return await _changed(ctx, call, _removed)


def _parameters(meta: Meta) -> Any:
    part = {"name": "return", "valueMeta": meta}
    return statement({"resourceType": "Parameters", "parameter": [part]})


async def _changed(ctx: Context, call: Call, change: Callable[[Meta, Meta], Meta]) -> Result:
    """The stored meta is changed, not what leaves of it; what others write meanwhile is kept."""
    check_none(call.query)
    given = _given(call)

    async def plan(resource: Resource) -> list[Change]:
        return [updated(ctx, call, {**resource, "meta": change(resource["meta"], given)})]

    [done] = await write(ctx, call, plan)
    kept = json.parse((done.body or "").encode())
    return Result(
        200,
        _parameters(kept["meta"]),
        version=str(done.version),
        last_modified=done.last_updated,
        type=done.type,
        id=done.id,
        patients=done.about,
        is_recorded=True,
    )


def _given(call: Call) -> Meta:
    body = call.body
    if not isinstance(body, dict) or body.get("resourceType") != "Parameters":
        raise BadRequest("Send Parameters with one parameter, meta (valueMeta).", code="structure")
    match body.get("parameter"):
        case [{"name": "meta", "valueMeta": given}]:
            meta = given
        case _:
            meta = None
    if not isinstance(meta, dict) or set(meta) - set(KEPT):
        raise BadRequest(
            f"The parameter meta holds a valueMeta with {', '.join(KEPT)} only.", code="value"
        )
    if issues := validate(body, "Parameters"):
        raise BadRequest("The Parameters are not valid.", issues=issues)
    return meta


def _added(meta: Meta, given: Meta) -> Meta:
    made = dict(meta)
    for name, items in given.items():
        there = {_identity(item) for item in meta.get(name, ())}
        fresh = [item for item in items if _identity(item) not in there]
        if fresh:
            made[name] = [*meta.get(name, ()), *fresh]
    return made


def _removed(meta: Meta, given: Meta) -> Meta:
    made = dict(meta)
    for name, items in given.items():
        gone = {_identity(item) for item in items}
        made[name] = [item for item in meta.get(name, ()) if _identity(item) not in gone]
    return {name: value for name, value in made.items() if value != []}


def _identity(item: Any) -> Any:
    """Codings are the same if system and code are."""
    return item if isinstance(item, str) else (item.get("system"), item.get("code"))


URL = "http://hl7.org/fhir/OperationDefinition/Resource"
ALL = tuple(
    Operation(name, f"{URL}-{name}", frozenset({"instance"}), types, letter, run)
    for name, types, letter, run in (
        ("meta", STORED, "r", show),
        ("meta-add", WRITTEN, "u", add),
        ("meta-delete", WRITTEN, "u", delete),
    )
)
