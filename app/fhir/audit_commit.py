"""What a commit leaves in the audit trail: an event for each change, or for what was not there."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from app.fhir.audit import SUCCESS, Audited, AuditRow, audit_rows
from app.fhir.audit_event import MINOR_FAILURE
from app.fhir.audit_refusal import refusal_rows
from app.fhir.context import Context
from app.fhir.refused import whose
from app.fhir.step import Step

STATUS = {"created": 201, "updated": 200, "unchanged": 200, "deleted": 204, "absent": 204}


async def events_of(
    ctx: Context, request_id: str, steps: Iterable[Step], instant: datetime
) -> list[AuditRow]:
    """The events of these changes of one request, written in their transaction."""
    told = (ctx.agent, request_id, instant, ctx.engine.base_url)
    rows: list[AuditRow] = []
    for step in steps:
        audited = _audited(step)
        if audited.reason:
            about = await whose(ctx, [step.draft.key])
            rows += refusal_rows(*told, replace(audited, patients=about))
        else:
            rows += audit_rows(*told, audited)
    return rows


def _audited(step: Step) -> Audited:
    done, is_there = step.committed, step.current is not None or step.is_stored
    return Audited(
        interaction=step.draft.change.interaction,
        outcome=SUCCESS if is_there else MINOR_FAILURE,
        status=STATUS[done.outcome],
        type=done.type,
        id=done.id,
        version=str(done.version or "") or None,
        patients=done.about,
        reason=None if is_there else "not-found",
    )
