"""$consent-decision: what the person permits somebody, and by which provision.

docs/operations/consent-decision.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.consent.decision import Decision, Facts, Request, decide
from app.consent.marks import author_key
from app.consent.operations.deciding import decides
from app.consent.operations.later import instant
from app.consent.policy import standings
from app.consent.provisions import ACTION_CODES, ACTORS
from app.consent.purpose import PURPOSES, broader
from app.consent.rules import Rule, rules
from app.fhir import json
from app.fhir.access import Nothing, Permitted
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.disclose import patients, statement
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest, Forbidden, NotFound
from app.fhir.grounds import as_of, standing_at, standing_of, timed
from app.fhir.interactions.read import current
from app.fhir.marks import marks_of
from app.fhir.operations.parameters import parameters_of
from app.fhir.references import Reference, local
from app.fhir.registry import is_type
from app.fhir.routing import authorize
from app.fhir.search.compile import compile_search
from app.fhir.search.masked import existing
from app.fhir.search.query import parse_query, within
from app.fhir.shape import parse_query as parse_text
from app.fhir.visible import visible
from app.storage.sql import Arguments, Row

KINDS = {
    "actor": ("valueReference", "valueString"),
    "purpose": ("valueCode", "valueString"),
    "action": ("valueCode", "valueString"),
    "resource": ("valueReference", "valueString"),
    "query": ("valueString",),
    "consent": ("resource",),
    "at": ("valueDateTime", "valueInstant", "valueDate"),
}
MOST = 100
"""Resources of a query that are decided about, at most."""

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom it is about, which patient (logical id) decides, a Consent that is not filed yet, and
    when, unless now."""

    permitted: Permitted
    patient: str
    draft: Resource | None
    at: datetime | None


async def run(ctx: Context, call: Call) -> Result:
    """Parameters with one decision for each resource: 200.

    Raises BadRequest for parameters, Forbidden when somebody who does not decide for the person
    asks about others, NotFound for what the caller does not see.
    """
    given, patient = parameters_of(call, KINDS), str(call.id)
    await current(ctx, Call("read", "Patient", patient))
    permitted = _permitted(ctx, given)
    if permitted.actors != _own(ctx) or "consent" in given:
        await _check_decides(ctx, patient)
    question = Asked(permitted, patient, _draft(given, patient), instant(ctx, given))
    type_, ids = await _found(ctx, given, patient)
    rows = await _rows(ctx, patient, type_, ids)
    if not rows and "query" not in given:
        name = f"{type_}/{ids[0]}"
        raise NotFound(f"{name} does not exist, is not known to you, or is about somebody else.")
    found = await _decided(ctx, question, rows)
    body = {"resourceType": "Parameters", "parameter": [_told(*one) for one in found]}
    return Result(200, statement(body), type="Patient", id=patient, patients=(patient,))


async def _check_decides(ctx: Context, patient: str) -> None:
    if not await decides(ctx, patient):
        raise Forbidden(
            "What others may see is told to the person, their guardians and whoever keeps the"
            " record. Leave out actor and consent to ask about yourself."
        )


def _own(ctx: Context) -> tuple[str, ...]:
    return tuple(each for each in (ctx.agent.organization, ctx.agent.fhir_user) if each)


def _permitted(ctx: Context, given: Mapping[str, Any]) -> Permitted:
    """The Access of whoever is asked about."""
    purpose = str(given.get("purpose", ctx.agent.purpose or "TREAT"))
    action = str(given.get("action", "access"))
    if purpose not in PURPOSES:
        raise BadRequest("purpose: a code of v3-ActReason, as TREAT.", code="code-invalid")
    if action not in ACTION_CODES:
        raise BadRequest(f"action: one of {', '.join(sorted(ACTION_CODES))}.", code="code-invalid")
    actors = _own(ctx)
    if "actor" in given:
        actors = (str(_reference(ctx, given["actor"], "actor")),)
        if actors[0].partition("/")[0] not in ACTORS:
            raise BadRequest(f"actor: one of {', '.join(sorted(ACTORS))}.", code="value")
    purposes, actions = broader(purpose), (action,)
    authorship = tuple(map(author_key, actors))
    return Permitted(actors, purposes, actions, standings(purposes, actions), authorship)


def _reference(ctx: Context, value: Any, name: str) -> Reference:
    text = value.get("reference") if isinstance(value, dict) else value
    found = local(text, ctx.base_url)
    if found is None or not is_type(found.type):
        raise BadRequest(f"{name}: refer to a resource of this server, as Goal/1.", code="value")
    return found


def _draft(given: Mapping[str, Any], patient: str) -> Resource | None:
    """A Consent that is not filed yet, as if it were."""
    draft: Resource | None = given.get("consent")
    if draft is None:
        return None
    whose = draft.get("patient", {}).get("reference")
    if draft.get("resourceType") != "Consent" or whose != f"Patient/{patient}":
        raise BadRequest("consent: send a Consent of this patient.", code="value")
    return {"id": "draft", **draft}


async def _found(ctx: Context, given: Mapping[str, Any], patient: str) -> tuple[str, list[str]]:
    """What it is asked about: a type, and logical ids."""
    if "query" not in given:
        of = _reference(ctx, given.get("resource", f"Patient/{patient}"), "resource")
        authorize(ctx, "r", of.type)
        return of.type, [of.id]
    type_, _, text = str(given["query"]).partition("?")
    if not is_type(type_) or "resource" in given:
        raise BadRequest("query: write Type?parameters, and no resource beside it.", code="value")
    authorize(ctx, "s", type_)
    query = within(parse_query(type_, parse_text(text), counts=(MOST, MOST)), "Patient", patient)
    access = ctx.access.get("s", Nothing())
    real = await existing(ctx, query)
    statement_ = compile_search(query, access, ctx.engine.base_url, None, real)
    rows = await ctx.store.fetch(*statement_.complete)
    found = [row["id"] for row in rows if row["mode"] == "match"]
    return type_, found[: query.count]


async def _rows(ctx: Context, patient: str, type_: str, ids: Sequence[str]) -> list[Row]:
    """The resources as the caller sees them; all of them are about the patient."""
    args = Arguments()
    source = visible(ctx.access.get("r", Nothing()), type_, args)
    which = f"r.id = ANY({args.add(ids, 'text[]')}) AND NOT r.deleted"
    sql = f"SELECT r.* FROM {source} AS r WHERE {which} ORDER BY r.id"
    rows: Sequence[Row] = await ctx.store.fetch(*args.statement(sql))
    return [row for row in rows if patient in patients(row) and row["type"] != "AuditEvent"]


async def _decided(
    ctx: Context, question: Asked, rows: Sequence[Row]
) -> list[tuple[Row, Decision]]:
    """What the statements that enforce consent let through, and what the provisions say of it."""
    request, held = await _request(ctx, question)
    signed = await _signed(ctx, question)
    open_ = await _open(ctx, question, request, rows)
    found = []
    for row in rows:
        made = decide(signed, held, request, Facts(marks_of(row)))
        is_open = (row["type"], row["id"]) in open_
        if question.draft is None and is_open != (made.outcome == "permit"):
            said = "by a Consent that is not shown to you, or by data it names"
            made = Decision("permit" if is_open else "deny", said)
        found.append((row, made))
    return found


async def _request(ctx: Context, question: Asked) -> tuple[Request, list[Any]]:
    permitted, args = question.permitted, Arguments()
    patient = args.add(question.patient, "text")
    sql = (
        standing_at(permitted, question.at, args, patient)
        if question.at
        else standing_of(permitted, args, patient)
    )
    row = await ctx.store.fetchrow(*args.statement(sql))
    assert row is not None
    request = Request(
        frozenset(row["actors"]),
        frozenset(row["reach"]),
        frozenset(permitted.purposes),
        frozenset(permitted.actions),
        question.at or ctx.now,
        frozenset(permitted.authorship),
    )
    return request, [each for each in permitted.standings if each.basis in row["bases"]]


async def _signed(ctx: Context, question: Asked) -> list[Rule]:
    """The rules of the consents that the caller sees, and of the draft."""
    args = Arguments()
    source = visible(ctx.access.get("r", Nothing()), "Consent", args)
    sql = f"SELECT r.id, r.body FROM {source} AS r WHERE r.patient = {args.add(question.patient)}"
    rows = await ctx.store.fetch(*args.statement(f"{sql} AND NOT r.deleted"))
    papers = [json.parse(row["body"].encode()) for row in rows]
    if question.draft is not None:
        papers = [p for p in papers if p["id"] != question.draft["id"]] + [question.draft]
    return [rule for paper in papers for rule in rules(paper, ctx.base_url)]


async def _open(ctx: Context, question: Asked, request: Request, rows: Sequence[Row]) -> set[Pair]:
    args = Arguments()
    if question.at:
        as_of(question.permitted, (request.actors, request.reach), args)
    types = sorted({row["type"] for row in rows})
    source = visible(question.permitted, types, args)
    ids = args.add([row["id"] for row in rows], "text[]")
    sql = f"SELECT r.type, r.id FROM {source} AS r WHERE r.id = ANY({ids})"
    asked_for = args.statement(sql)
    if question.at:
        asked_for = timed(asked_for, question.at)
    return {(row["type"], row["id"]) for row in await ctx.store.fetch(*asked_for)}


def _told(row: Row, made: Decision) -> dict[str, Any]:
    resource = {"reference": f"{row['type']}/{row['id']}"}
    parts: list[dict[str, Any]] = [
        {"name": "resource", "valueReference": resource},
        {"name": "outcome", "valueCode": made.outcome},
        {"name": "reason", "valueString": made.reason},
    ]
    if made.consent is not None:
        consent = {"reference": f"Consent/{made.consent}"}
        parts.append({"name": "consent", "valueReference": consent})
        parts.append({"name": "provision", "valueString": made.expression})
    parts += [{"name": "obligation", "valueCode": each} for each in made.obligations]
    return {"name": "decision", "part": parts}


OPERATION = Operation(
    name="consent-decision",
    definition="https://isp-fhir.example/OperationDefinition/Patient-consent-decision",
    levels=frozenset({"instance"}),
    types=frozenset({"Patient"}),
    letter="r",
    run=run,
)
