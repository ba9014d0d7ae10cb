"""$isp-diff: what changed from one version of a plan to another. docs/operations/isp-diff.md"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from app.fhir import json
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.disclose import derived, shown_of
from app.fhir.engine import Operation
from app.fhir.hidden import hidden
from app.fhir.instant import from_text
from app.fhir.interactions.read import vread
from app.fhir.operations.parameters import parameters_of
from app.fhir.search.past import past
from app.isp.canonical import agreed
from app.isp.codes import DEFINITION
from app.isp.diff import Difference, differences, linked, states
from app.isp.element import name
from app.isp.operations.gathered import gather
from app.isp.operations.language import language
from app.isp.words import chosen

KINDS = {
    "from": ("valueString", "valueId", "valueInteger"),
    "to": ("valueString", "valueId", "valueInteger"),
    "language": ("valueCode",),
}


async def run(ctx: Context, call: Call) -> Result:
    """The changes of the plan, its parts, goals, services, tasks and team: 200 with Parameters.

    Raises BadRequest for what cannot be read, NotFound for a version that is not visible.
    """
    given = parameters_of(call, KINDS)
    found = await gather(ctx, call)
    plan = found.plan(str(call.id))
    current = int(plan.care_plan["meta"]["versionId"])
    old = await _version(ctx, call, given.get("from", max(1, current - 1)))
    new = await _version(ctx, call, given["to"]) if "to" in given else plan.care_plan
    until = _instant(new) if "to" in given else ctx.now
    own = {name(one) for one in (*agreed(plan), *plan.tasks)} | linked(old) | linked(new)
    told = await _states(ctx, own, _instant(old)), await _states(ctx, own, until)
    words = chosen(language(given), call.languages, _spoken(plan.patient))
    changes = list(differences(*told, found.resources, words))
    sentence = words("label.same") if not changes else None
    body = derived(_answer([old, new], changes, sentence))
    about, by = found.patients, found.consents
    return Result(200, body, type=call.type, id=call.id, patients=about, consents=by)


def _spoken(patient: Resource | None) -> Any:
    return (patient or {}).get("communication")


async def _version(ctx: Context, call: Call, version: object) -> Resource:
    found = await vread(ctx, Call("vread", call.type, call.id, str(version)))
    resource: Resource = json.parse(found.content)
    return resource


def _instant(resource: Resource) -> datetime:
    return from_text(str(resource["meta"]["lastUpdated"]), "lastUpdated")


async def _states(ctx: Context, own: Iterable[str], at: datetime) -> dict[str, Resource]:
    rows = await past(ctx, own, at)
    masked = await hidden(ctx, rows, are_visible=True)
    return states(shown_of(ctx, row, masked) for row in rows)


def _answer(
    versions: Iterable[Resource], changes: Iterable[Difference], sentence: str | None
) -> Resource:
    parts: list[dict[str, Any]] = [
        {"name": side, "valueId": one["meta"]["versionId"]}
        for side, one in zip(("from", "to"), versions, strict=True)
    ]
    parts += [{"name": "text", "valueString": sentence}] if sentence else []
    parts += [{"name": "change", "part": _change(one)} for one in changes]
    return {"resourceType": "Parameters", "parameter": parts}


def _change(one: Difference) -> list[dict[str, Any]]:
    said = {"element": one.element, "before": one.before, "after": one.after}
    return [
        {"name": "resource", "valueReference": {"reference": one.resource}},
        {"name": "kind", "valueCode": one.kind},
        *({"name": key, "valueString": value} for key, value in said.items() if value),
        {"name": "text", "valueString": one.sentence},
    ]


OPERATION = Operation(
    name="isp-diff",
    definition=f"{DEFINITION}/CarePlan-isp-diff",
    levels=frozenset({"instance"}),
    types=frozenset({"CarePlan"}),
    letter="r",
    run=run,
)
