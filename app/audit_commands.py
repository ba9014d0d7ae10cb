"""`isp audit`: check that the trail is whole, and delete what is old enough."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from app.auth.authority import Authority
from app.fhir.audit import Audited, audit_row
from app.fhir.context import Agent
from app.fhir.engine import Engine
from app.opening import chosen_beside, fail, perform
from app.storage.audit_chain import seal
from app.storage.audit_verify import YEARS, Verdict, Witness, expire, verify

audit = typer.Typer(help="The audit trail and its chain of seals.", no_args_is_help=True)
SHOWN = 100
"""Problems that are printed; the others are counted."""


@audit.command("verify")
def verify_command(
    expect: Annotated[
        str | None, typer.Option(help="NUMBER:DIGEST of a seal, as logged or printed before.")
    ] = None,
) -> None:
    """Compare every event with its seal and every seal with the one before it.

    Prints what was found as JSON; exit status 1 if anything was changed, removed or slipped in.
    """
    witness = _witness(expect) if expect else None

    async def work(engine: Engine, _: Authority) -> Verdict:
        return await verify(engine.database, datetime.now(UTC), witness)

    verdict = perform(chosen_beside(statement_timeout=3600), work)
    found = asdict(verdict) | {"problems": verdict.problems[:SHOWN]}
    typer.echo(json.dumps({"intact": not verdict.problems, **found}, indent=2))
    if len(verdict.problems) > SHOWN:
        typer.echo(f"... and {len(verdict.problems) - SHOWN} more problems", err=True)
    raise SystemExit(1 if verdict.problems else 0)


@audit.command("expire")
def expire_command(
    years: Annotated[int, typer.Option(help="Events sealed before so many years go.")] = YEARS,
) -> None:
    """Delete what is older than the law asks for; the seals stay, and the deletion is recorded."""
    if years < YEARS:
        fail(f"events are kept for {YEARS} years at least")

    async def work(engine: Engine, _: Authority) -> int:
        now = datetime.now(UTC)
        gone = await expire(engine.database, now, years)
        audited = Audited("delete", "0", 204, "AuditEvent", reason=f"{gone} expired")
        agent = Agent("isp audit expire", "operator", purpose="HSYSADMIN")
        await engine.audit.record([audit_row(agent, "expire", now, engine.base_url, audited)])
        await seal(engine.database)
        return gone

    gone = perform(chosen_beside(statement_timeout=3600), work, is_owner=True)
    typer.echo(json.dumps({"expired": gone}))


def _witness(text: str) -> Witness:
    number, _, digest = text.partition(":")
    try:
        return Witness(int(number), bytes.fromhex(digest))
    except ValueError:
        fail("--expect: write NUMBER:DIGEST")
