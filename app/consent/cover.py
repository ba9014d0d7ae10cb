"""Cover: who is let into a care team sees the record, so that it is a disclosure of its own.

The person and their guardians let in whom they want. Who keeps the record lets in who may see it
already, or whom a Consent of the person lets see something for treatment or care. Each new member
is told of in the audit trail. docs/security.md
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson

from app.consent.affiliations import Member, members
from app.consent.policy import TEAM_PURPOSES
from app.consent.purpose import PURPOSES, broader
from app.fhir.access import Everything, Permitted, Related
from app.fhir.audit import insert_audit
from app.fhir.audit_disclosure import Disclosure, disclosure_row
from app.fhir.change import Written
from app.fhir.compartments import subjects
from app.fhir.context import Context, Resource
from app.fhir.errors import Issue, Unprocessable
from app.fhir.grounds import covering
from app.fhir.instant import to_text
from app.fhir.references import local
from app.fhir.visible import visible
from app.storage.sql import Arguments

DECIDING = ("own", "guardian")
HELPING = "FAMRQT"
PURPOSES_OF_CARE = tuple(
    sorted(code for code in PURPOSES if {*broader(code)} & {*TEAM_PURPOSES, HELPING})
)
"""A Consent for one of these covers a member of the team."""

UNCOVERED = (
    "Nothing lets this member see the record yet. File a Consent of the person for them first, or"
    " let the person or a guardian add them."
)


@dataclass(frozen=True, slots=True)
class Added:
    """A member whom a care team did not have before, or not at that time."""

    patient: str
    member: str
    at: str
    request_id: str


async def cover(ctx: Context, written: Sequence[Written]) -> None:
    """Refuse new members whom nothing covers, and record the others.

    Raises Unprocessable that names each of them.
    """
    teams = [one for one in written if one.type == "CareTeam" and one.after]
    added = [each for one in teams for each in _added(one, ctx.engine.base_url)]
    ids = [one.id for one in teams]
    refused = [each for each in added if not await _is_covered(ctx, each, ids)]
    if refused:
        issues = [Issue("business-rule", UNCOVERED, (each.at,)) for each in refused]
        raise Unprocessable("A new member of a care team needs cover.", issues=issues)
    await _record(ctx, added)


def _added(one: Written, base_url: str) -> Iterator[Added]:
    """The new members, but for the person, who needs no leave to see their own record."""
    before, after = (orjson.loads(body or "{}") for body in (one.before, one.after))
    is_same = before.get("subject") == after.get("subject")
    known = list(_members(before, base_url)) if is_same else []
    places = _places(after.get("participant", ()), one.at, base_url)
    new = {each[0] for each in _members(after, base_url) if not _is_among(each, known)}
    for patient in subjects(after, base_url):
        for who in sorted(new - {f"Patient/{patient}"}):
            yield Added(patient, who, places[who], one.request_id)


def _members(team: Resource, base_url: str) -> Iterator[Member]:
    if team.get("status") == "active":
        yield from members(team, "participant", "member", base_url)


def _is_among(member: Member, before: Iterable[Member]) -> bool:
    """Whether they were in the team for all of that time."""
    who, starts, ends = member
    return any(who == known and lo <= starts and ends <= hi for known, lo, hi in before)


def _places(participants: Iterable[dict[str, object]], at: str, base_url: str) -> dict[str, str]:
    """By reference the FHIRPath of the last participant who is this member."""
    found = ((index, each.get("member")) for index, each in enumerate(participants))
    named = ((i, local(m.get("reference"), base_url)) for i, m in found if isinstance(m, dict))
    return {str(who): f"{at}.participant[{index}].member" for index, who in named}


async def _is_covered(ctx: Context, added: Added, teams: Sequence[str]) -> bool:
    mine = (ctx.agent.organization, ctx.agent.fhir_user)
    if isinstance(ctx.reach, Everything) or added.member in mine:
        return True
    return await _decides(ctx, added.patient) or await _is_known(ctx, added, teams)


async def _decides(ctx: Context, patient: str) -> bool:
    """Whether the person or a guardian is at work."""
    if ctx.agent.fhir_user is None:
        return False
    args = Arguments()
    source = visible(Related((ctx.agent.fhir_user,), DECIDING), "Patient", args)
    sql = f"SELECT FROM {source} AS r WHERE r.id = {args.add(patient)}"
    return await ctx.store.fetchrow(*args.statement(sql)) is not None


async def _is_known(ctx: Context, added: Added, teams: Sequence[str]) -> bool:
    """Whether a relationship or a Consent lets the member see something already."""
    asked, args = Permitted((added.member,), PURPOSES_OF_CARE, ("access",), ()), Arguments()
    sql = covering(asked, added.patient, teams, args)
    return await ctx.store.fetchrow(*args.statement(f"{sql} LIMIT 1")) is not None


async def _record(ctx: Context, added: Sequence[Added]) -> None:
    rows = [
        disclosure_row(ctx.agent, each.request_id, ctx.now, ctx.engine.base_url, _told(ctx, each))
        for each in added
    ]
    if rows and ctx.connection is not None:
        await insert_audit(ctx.connection, rows)


def _told(ctx: Context, added: Added) -> Disclosure:
    return Disclosure(
        patient=added.patient,
        recipient={"reference": added.member},
        purpose=ctx.agent.purpose or "COC",
        description="Let into the care team: sees the record from now on, as consents say.",
        occurred=to_text(ctx.now),
    )
