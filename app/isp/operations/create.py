"""$isp-create: a draft from an assessment and a template. docs/operations/isp-create.md"""

from collections.abc import Sequence
from typing import Any

from app.fhir import json
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest, Unprocessable
from app.fhir.operations.parameters import day_of, posted_parameters_of, required
from app.fhir.references import Reference, local
from app.isp.codes import DEFINITION
from app.isp.create import Basis, drafted
from app.isp.element import name
from app.isp.operations.whole import acting, stored_around, write_all
from app.isp.rules.profiles import DEFAULT, profile
from app.isp.searching import pages

KINDS = {
    "subject": ("valueReference",),
    "assessment": ("valueReference",),
    "template": ("valueReference", "valueCanonical", "valueUri"),
    "team": ("valueReference",),
    "start": ("valueDate",),
    "title": ("valueString",),
}


async def run(ctx: Context, call: Call) -> Result:
    """Write the draft and all that it is made of: 201.

    Raises BadRequest for parameters that cannot be read, Unprocessable for a person, form, team or
    template that is not known to the caller, or that is another person's.
    """
    given = posted_parameters_of(call, KINDS)
    act = acting(ctx)
    target = _target(ctx, given, "subject", "Patient")
    resources = await stored_around(ctx, target.type, target.id)
    if not resources:
        raise _unknown("subject")
    team = _own(ctx, given, "team", "CareTeam", resources)
    basis = Basis(
        subject={"reference": str(target)},
        assessment=_own(ctx, given, "assessment", "QuestionnaireResponse", resources),
        template=await _template(ctx, given),
        known=resources,
        team={"reference": name(team)} if team else None,
        start=day_of(given, "start", act.today),
        title=str(required(given, "title")) if "title" in given else None,
    )
    made = drafted(basis, profile(DEFAULT).limits, act)
    return await write_all(ctx, call, made, 201)


def _target(ctx: Context, given: dict[str, Any], part: str, type_: str) -> Reference:
    value = required(given, part)
    found = local(value.get("reference"), ctx.engine.base_url) if isinstance(value, dict) else None
    if found is None or found.type != type_:
        raise BadRequest(f"{part}: a reference to a {type_} of this server.", code="value")
    return Reference(found.type, found.id)


def _own(
    ctx: Context, given: dict[str, Any], part: str, type_: str, resources: Sequence[Resource]
) -> Resource | None:
    """What a parameter refers to, of the same person."""
    if part not in given:
        return None
    wanted = str(_target(ctx, given, part, type_))
    found = next((one for one in resources if name(one) == wanted), None)
    if found is None:
        raise _unknown(part)
    return found


async def _template(ctx: Context, given: dict[str, Any]) -> Resource | None:
    value = given.get("template")
    if value is None:
        return None
    if isinstance(value, dict):
        target = _target(ctx, given, "template", "PlanDefinition")
        wanted = [("_id", target.id)]
    else:
        wanted = [("url", str(value).partition("|")[0])]
    async for rows in pages(ctx, "PlanDefinition", wanted, 1):
        for row in rows:
            template: Resource = json.parse(row["body"].encode())
            return template
    raise _unknown("template")


def _unknown(part: str) -> Unprocessable:
    return Unprocessable(
        f"{part}: it does not exist, is not known to you, or is not this person's.",
        code="not-found",
        expression=[f"Parameters.parameter.where(name = '{part}')"],
    )


OPERATION = Operation(
    name="isp-create",
    definition=f"{DEFINITION}/CarePlan-isp-create",
    levels=frozenset({"type"}),
    types=frozenset({"CarePlan"}),
    letter="c",
    run=run,
)
