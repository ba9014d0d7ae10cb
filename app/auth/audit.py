"""Grants and refusals of the authorization server, in the same audit trail as everything else."""

from datetime import UTC, datetime

from app.auth.authority import Audit, Event
from app.fhir.audit import Audited, AuditLog, audit_row, outcome_of
from app.fhir.context import Agent

STATUS = {
    "invalid_client": 401,
    "invalid_token": 401,
    "wrong_password": 401,
    "wrong_code": 401,
    "wrong_passkey": 401,
    "access_denied": 403,
    "too_many_attempts": 429,
    "slow_down": 429,
    "server_error": 500,
    "temporarily_unavailable": 504,
}
"""The HTTP status of an error; 400 of any other. While the database is away nothing is recorded."""


def recorder(log: AuditLog, base_url: str) -> Audit:
    """What an Authority calls for every decision; returns when the AuditEvent is durable."""

    async def record(event: Event) -> None:
        now = datetime.now(UTC)
        row = audit_row(_agent(event), event.request_id, now, base_url, _audited(event))
        await log.record([row])

    return record


def _agent(event: Event) -> Agent:
    return Agent(
        client=event.client_id or "unknown",
        role=event.role,
        user=event.user,
        fhir_user=event.fhir_user,
        token=event.token_id,
        address=event.source,
    )


def _audited(event: Event) -> Audited:
    status = _status(event)
    return Audited(
        interaction=event.action,
        outcome=outcome_of(status),
        status=status,
        patients=(event.patient,) if event.patient else (),
        query=_query(event),
        reason=": ".join(filter(None, (event.error, event.description))),
    )


def _query(event: Event) -> str | None:
    if event.about:
        return f"about={event.about}"
    return event.scope and f"scope={event.scope}"


def _status(event: Event) -> int:
    if event.error is None:
        return 200
    return STATUS.get(event.error, 400)
