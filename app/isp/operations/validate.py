"""$isp-validate: what a plan still lacks, in plain words. docs/operations/isp-validate.md"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from app.fhir import json
from app.fhir.alike import unlike_of
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.disclose import is_redacted, patients, shown_of, statement
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest, Gone, TooLarge
from app.fhir.grounds import consents_of
from app.fhir.hidden import Hidden, hidden
from app.fhir.interactions.read import unknown
from app.fhir.search.closure import closure
from app.fhir.shape import REPRESENTATION
from app.isp.check import check, is_ready_to_sign, score
from app.isp.codes import CHECK, DEFINITION
from app.isp.plan import Plan, assemble
from app.isp.proposal import PROPOSED, changed_since, stage
from app.isp.resources import of_bodies, of_bundle, root
from app.isp.rules.profiles import DEFAULT, Profile, profile
from app.isp.rules.rule import Finding
from app.storage.sql import Row

SEEN = {
    "severity": "information",
    "code": "informational",
    "diagnostics": "The plan was judged by what you may see of it; there may be more.",
}


async def run(ctx: Context, call: Call) -> Result:
    """Judge a stored plan, or a drafted one that is sent: 200 with Parameters, whatever was found.

    Raises BadRequest for rules or a date that do not exist, NotFound and Gone as a read does.
    """
    asked = _asked(call)
    rules, today = _profile(asked), _today(ctx, asked)
    if call.id is None:
        plan = _drafted(ctx, call)
        return Result(200, statement(answer(plan, rules, today)), type=call.type)
    rows = await closure(ctx, "CarePlan", call.id)
    if not rows:
        raise unknown(call)
    if rows[0]["deleted"]:
        raise Gone(f"CarePlan/{call.id} was deleted.")
    masked = await hidden(ctx, rows, are_visible=True, doubted=unlike_of(rows))
    whole = _plan(ctx, call.id, (row["body"] for row in rows))
    bodies = (_shown(ctx, row, masked) for row in rows)
    shown = _plan(ctx, call.id, bodies) if masked.names else whole
    body = statement(answer(shown, rules, today, whole))
    about, by = patients(rows[0]), consents_of(rows[:1])
    return Result(200, body, type=call.type, id=call.id, patients=about, consents=by)


def _plan(ctx: Context, id_: str, bodies: Iterable[str]) -> Plan:
    return assemble(of_bodies(bodies, ctx.engine.base_url), id_)


def _shown(ctx: Context, row: Row, masked: Hidden) -> str:
    """The text of a row as a read of it would show it."""
    if not is_redacted(ctx, row, masked):
        return str(row["body"])
    return json.dump(shown_of(ctx, row, masked)).decode()


def _asked(call: Call) -> Mapping[str, Any]:
    """The parameters of the operation, from the URL or from the body."""
    asked: dict[str, Any] = {k: v for k, v in call.query if k not in REPRESENTATION}
    for part in _parts(call.body):
        name = part.get("name")
        if name != "plan":
            asked[str(name)] = next((v for k, v in part.items() if k.startswith("value")), None)
    for name in asked:
        if name not in ("rules", "date"):
            raise BadRequest(f"$isp-validate has no parameter {name}.", code="not-supported")
    return asked


def _parts(body: Any) -> Iterable[dict[str, Any]]:
    is_given = isinstance(body, dict) and body.get("resourceType") == "Parameters"
    given = body.get("parameter", []) if is_given else []
    return [part for part in given if isinstance(part, dict)] if isinstance(given, list) else []


def _profile(asked: Mapping[str, Any]) -> Profile:
    try:
        return profile(str(asked.get("rules", DEFAULT)))
    except LookupError as error:
        raise BadRequest(f"rules: {error.args[0]}.", code="value") from None


def _today(ctx: Context, asked: Mapping[str, Any]) -> date:
    if "date" not in asked:
        return ctx.now.date()
    try:
        return date.fromisoformat(str(asked["date"]))
    except ValueError:
        raise BadRequest("date: write a day as 2026-11-22.", code="value") from None


def _drafted(ctx: Context, call: Call) -> Plan:
    named = [part.get("resource") for part in _parts(call.body) if part.get("name") == "plan"]
    resources = of_bundle(named[0] if named else call.body)
    if len(resources) > ctx.engine.policy.max_entries:
        raise TooLarge(f"A Bundle holds at most {ctx.engine.policy.max_entries} entries.")
    return assemble(resources, root(resources))


def answer(plan: Plan, rules: Profile, today: date, whole: Plan | None = None) -> Resource:
    """The Parameters that tell what was found: outcome, scores, and whether it can be signed.

    `whole` is the plan with what is hidden in it, which changed if that did since it was proposed.
    """
    findings = check(plan, rules, today)
    scores = score(findings, rules)
    outcome = {"resourceType": "OperationOutcome", "issue": [*map(_issue, findings), SEEN]}
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "outcome", "resource": outcome},
            {"name": "ready-to-sign", "valueBoolean": is_ready_to_sign(findings)},
            *_standing(whole or plan),
            *({"name": "score", "part": _score(*one)} for one in scores.items()),
            {"name": "rules", "valueCode": rules.name},
            {"name": "date", "valueDate": today.isoformat()},
        ],
    }


def _standing(plan: Plan) -> Iterable[dict[str, Any]]:
    """The stage of the plan, and what of one that is proposed is not as it was put forward."""
    state = stage(plan)
    yield {"name": "stage", "valueCode": state}
    for own in changed_since(plan) if state == PROPOSED else ():
        yield {"name": "changed", "valueReference": {"reference": own}}


def _score(section: str, percent: int) -> list[dict[str, Any]]:
    return [
        {"name": "section", "valueCode": section},
        {"name": "percent", "valueInteger": percent},
    ]


def _issue(finding: Finding) -> dict[str, Any]:
    type_, _, id_ = finding.resource.partition("/")
    path = finding.expression.removeprefix(type_)
    check_ = {"system": CHECK, "code": finding.id, "display": finding.section}
    return {
        "severity": finding.severity,
        "code": "informational" if finding.severity == "information" else "business-rule",
        "details": {"coding": [check_], "text": finding.origin},
        "diagnostics": f"{finding.resource}: {finding.sentence}",
        "expression": [f"{type_}.where(id = '{id_}'){path}"],
    }


OPERATION = Operation(
    name="isp-validate",
    definition=f"{DEFINITION}/CarePlan-isp-validate",
    levels=frozenset({"type", "instance"}),
    types=frozenset({"CarePlan"}),
    letter="r",
    run=run,
)
