"""ValueSet/$expand — https://hl7.org/fhir/R4/valueset-operation-expand.html"""

from collections.abc import Sequence
from typing import Any

from app.fhir.context import Call, Context, Resource, Result
from app.fhir.disclose import statement
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest
from app.fhir.ids import new_id
from app.fhir.instant import to_text
from app.fhir.operations.parameters import flag_of, number_of, parameters_of, text_of
from app.fhir.operations.terminology_input import held, value_set
from app.fhir.terminology.value_set import Member, matching, members

KINDS = {
    "url": ("valueUri", "valueUrl", "valueCanonical"),
    "valueSet": ("resource",),
    "valueSetVersion": ("valueString",),
    "filter": ("valueString",),
    "offset": ("valueInteger",),
    "count": ("valueInteger",),
    "includeDesignations": ("valueBoolean",),
    "activeOnly": ("valueBoolean",),
    "excludeNotForUI": ("valueBoolean",),
    "displayLanguage": ("valueCode",),
}
MOST = 1000
"""Codes in one page."""

ECHOED = ("url", "filter", "activeOnly", "excludeNotForUI")


async def run(ctx: Context, call: Call) -> Result:
    """The codes of a value set, page by page: 200 with a ValueSet that holds its expansion.

    Raises NotFound for a value set that is not held, Unprocessable where a code system is not.
    """
    given = parameters_of(call, KINDS)
    if given.get("displayLanguage") not in (None, "en"):
        raise BadRequest("displayLanguage: only en is held.", code="not-supported")
    source = await value_set(ctx, call, given)
    found = members(source, await held(ctx, source))
    if flag_of("activeOnly", given.get("activeOnly")):
        found = [one for one in found if not one.is_inactive]
    if flag_of("excludeNotForUI", given.get("excludeNotForUI")):
        found = [one for one in found if not one.is_abstract]
    if text := text_of("filter", given.get("filter")):
        found = matching(found, text)
    return Result(200, statement(_expanded(ctx, source, found, given)))


def _expanded(
    ctx: Context, source: Resource, found: Sequence[Member], given: dict[str, Any]
) -> Resource:
    offset = number_of("offset", given.get("offset"), 0) or 0
    count = number_of("count", given.get("count"), MOST)
    is_full = flag_of("includeDesignations", given.get("includeDesignations"))
    page = found[offset : offset + min(count if count is not None else MOST, MOST)]
    expansion: dict[str, Any] = {
        "identifier": f"urn:uuid:{new_id()}",
        "timestamp": to_text(ctx.now),
        "total": len(found),
        "offset": offset,
        "parameter": [*_echo(given), *_versions(found)],
        "contains": [_contains(one, is_full) for one in page],
    }
    kept = {key: value for key, value in expansion.items() if value != []}
    rest = {key: value for key, value in source.items() if key not in ("compose", "expansion")}
    return {**rest, "status": source.get("status", "active"), "expansion": kept}


def _echo(given: dict[str, Any]) -> list[dict[str, Any]]:
    found = ((name, given[name]) for name in ECHOED if isinstance(given.get(name), str | bool))
    return [
        {"name": name, "valueBoolean": value}
        if isinstance(value, bool)
        else {"name": name, "valueString": value}
        for name, value in found
    ]


def _versions(found: Sequence[Member]) -> list[dict[str, Any]]:
    """The versions of the code systems that the codes are from."""
    used = dict.fromkeys((one.system, one.version) for one in found if one.version)
    return [{"name": "version", "valueUri": f"{url}|{version}"} for url, version in used]


def _contains(one: Member, is_full: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"system": one.system}
    made |= {"abstract": True} if one.is_abstract else {}
    made |= {"inactive": True} if one.is_inactive else {}
    made |= {"version": one.version} if one.version else {}
    made |= {"code": one.code}
    made |= {"display": one.display} if one.display else {}
    return made | ({"designation": list(one.designations)} if is_full and one.designations else {})


OPERATION = Operation(
    name="expand",
    definition="http://hl7.org/fhir/OperationDefinition/ValueSet-expand",
    levels=frozenset({"type", "instance"}),
    types=frozenset({"ValueSet"}),
    letter="",
    run=run,
)
