"""Grants and refusals of the authorization server, in the same audit trail as everything else."""

from datetime import UTC, datetime

from app.auth.authority import Audit, Event
from app.fhir.audit import Audited, AuditLog, audit_row
from app.fhir.context import Agent
from app.fhir.interactions.write import new_id


def recorder(log: AuditLog, base_url: str) -> Audit:
    """What an Authority calls for every decision; returns when the AuditEvent is durable."""

    async def record(event: Event) -> None:
        agent = Agent(client=event.client_id or "unknown", role="client", user=event.user)
        audited = Audited(
            interaction=event.action,
            outcome="4" if event.error else "0",
            status=_status(event),
            query=event.scope,
            reason=event.error,
        )
        await log.record(audit_row(agent, new_id(), datetime.now(UTC), base_url, audited))

    return record


def _status(event: Event) -> int:
    if event.error is None:
        return 200
    return 401 if event.error in ("invalid_client", "invalid_token") else 400
