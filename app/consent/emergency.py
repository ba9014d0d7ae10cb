"""Break-glass: whoever opens a record in an emergency is told on before the bytes leave.

A Task for the privacy officer of who keeps the record, an AuditEvent about every Consent that stood
beside it, a line in the log and a counter. 42 CFR 2.51(c), 45 CFR 164.510, 164.528
"""

import hmac
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from prometheus_client import Counter

from app.consent.operations.deciding import decides
from app.consent.purpose import BREAK_GLASS, SYSTEM
from app.fhir import json
from app.fhir.access import Everything, Nothing
from app.fhir.audit import Audited, audit_rows
from app.fhir.change import Written
from app.fhir.commit import commit
from app.fhir.compartments import DIRECTORY
from app.fhir.context import Agent, Call, Context, Resource, Result
from app.fhir.engine import Engine
from app.fhir.errors import BadRequest, Conflict, Forbidden, Gone, Issue, NotFound
from app.fhir.instant import to_text
from app.fhir.interactions.read import read
from app.fhir.interactions.write import plan_create
from app.fhir.visible import visible
from app.storage.sql import Arguments

log = logging.getLogger(__name__)
ACCESSES = Counter("isp_emergency_accesses", "Records opened in an emergency.", ["role"])

LEADING = ("_has", "_list", "_filter")
"""Parameters that lead from a directory to what is about patients."""

Act = Callable[[Engine, str], Context]
"""The server's own Context, for an alert about a request of this id."""


async def alarm(act: Act, ctx: Context, call: Call, result: Result) -> None:
    """Alert to one record having been opened; once an hour for one caller and reason.

    Raises Forbidden where it is not one patient's, or is a count; BadRequest within a transaction.
    """
    if ctx.connection is not None:
        raise BadRequest("In an emergency read by itself or in a batch, not in a transaction.")
    if not result.patients and _is_about_nobody(call):
        return
    if len(result.patients) != 1 or any(_counts(*each) for each in call.query):
        raise Forbidden(
            "In an emergency one record is opened at a time: name the patient, and ask for no"
            " counts."
        )
    for patient in result.patients:
        ACCESSES.labels(ctx.agent.role).inc()
        log.warning("a record was opened in an emergency: request %s", ctx.request_id)
        await _alert(ctx, act(ctx.engine, ctx.request_id), patient)


def _is_about_nobody(call: Call) -> bool:
    """What the server is, and directories; the entries of a batch are judged one by one."""
    if call.interaction in ("capabilities", "batch"):
        return True
    leads = any(name.startswith(LEADING) for name, _ in call.query)
    return call.type in DIRECTORY and not leads


def _counts(name: str, value: str) -> bool:
    if name == "_count":
        return not value.strip("0")
    return (name, value) == ("_summary", "count") or (name == "_total" and value != "none")


async def _alert(ctx: Context, server: Context, patient: str) -> None:
    task = _task(ctx, patient)
    try:
        await read(server, Call("read", "Task", task["id"]))
        return
    except (NotFound, Gone):
        owner = await _keeper(server, patient)
    await _record(ctx, server, patient)
    try:
        body = task | ({"owner": owner} if owner else {})
        await commit(server, [plan_create(server, Call("create", "Task", task["id"], body=body))])
    except Conflict:
        # Another call of the same emergency was faster.
        return


def _task(ctx: Context, patient: str) -> Resource:
    """To be reviewed: who opened the record, and why. https://hl7.org/fhir/R4/task.html"""
    hour = f"{ctx.now:%Y-%m-%dT%H}"
    who = str(ctx.agent.fhir_user or ctx.agent.organization)
    same = "\n".join((patient, ctx.agent.client, who, str(ctx.emergency), hour))
    return {
        "resourceType": "Task",
        # With a secret, or who may choose ids would have a Task of their own there beforehand.
        "id": hmac.digest(ctx.engine.paging_key, same.encode(), "sha256").hex()[:32],
        "status": "requested",
        "intent": "order",
        "priority": "urgent",
        "code": {
            "coding": [{"system": SYSTEM, "code": BREAK_GLASS}],
            "text": "Review the emergency access",
        },
        "description": "The record was opened in an emergency.",
        "for": {"reference": f"Patient/{patient}"},
        "authoredOn": to_text(ctx.now),
        "requester": _opener(ctx.agent),
        "performerType": [{"text": "Privacy officer"}],
        "reasonCode": {"text": ctx.emergency},
    }


def _opener(agent: Agent) -> dict[str, Any]:
    who = agent.fhir_user or agent.organization
    return {"reference": who} if who else {"identifier": {"value": agent.client}}


async def keep_alerts(ctx: Context, written: Sequence[Written]) -> None:
    """Refuse to change an alert whom it is about, and who does not decide about the record.

    Raises Forbidden.
    """
    issues = [
        Issue("forbidden", "An alert is reviewed by who keeps the record.", (one.at,))
        for one in written
        if one.type == "Task" and one.before is not None and not await _may_review(ctx, one)
    ]
    if issues:
        raise Forbidden("Not within access.", issues=issues)


async def _may_review(ctx: Context, one: Written) -> bool:
    task = json.parse((one.before or "").encode())
    codings = task.get("code", {}).get("coding", ())
    if not any((c.get("system"), c.get("code")) == (SYSTEM, BREAK_GLASS) for c in codings):
        return True
    if isinstance(ctx.reach, Everything):
        return True
    is_own = task.get("requester") == _opener(ctx.agent)
    return not is_own and all([await decides(ctx, patient) for patient in one.patients])


async def _keeper(server: Context, patient: str) -> dict[str, Any] | None:
    """Who manages the record, as the Patient says."""
    found = await read(server, Call("read", "Patient", patient))
    owner: dict[str, Any] | None = json.parse(found.content).get("managingOrganization")
    return owner


async def _record(ctx: Context, server: Context, patient: str) -> None:
    """The override, with each Consent in force; one event where there is none."""
    event = Audited("emergency", "0", 200, patients=(patient,), reason=ctx.emergency)
    consents = await _consents(server, patient)
    each = [replace(event, type="Consent", id=consent) for consent in consents] or [event]
    base = ctx.engine.base_url
    rows = [
        row
        for audited in each
        for row in audit_rows(ctx.agent, ctx.request_id, ctx.now, base, audited)
    ]
    await ctx.engine.audit.record(rows)


async def _consents(server: Context, patient: str) -> list[str]:
    args = Arguments()
    source = visible(server.access.get("r", Nothing()), "Consent", args)
    rows = await server.store.fetch(
        *args.statement(
            f"SELECT r.id, r.body FROM {source} AS r"
            f" WHERE r.patient = {args.add(patient)} AND NOT r.deleted ORDER BY r.id"
        )
    )
    return [row["id"] for row in rows if json.parse(row["body"].encode())["status"] == "active"]
