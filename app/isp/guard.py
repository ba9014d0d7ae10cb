"""The guard of plans: no transaction leaves a plan in force without what it must have.

Whoever writes, by an operation or by a plain PUT, is judged here, one writer for a person at a
time: two who do not see each other cannot both put a plan into force.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import orjson

from app.fhir.change import Written
from app.fhir.context import Context, Resource
from app.fhir.errors import Issue, Unprocessable
from app.fhir.search.closure import closure
from app.isp import codes as code
from app.isp.element import codes, members, name
from app.isp.lifecycle import CURRENT, broken, is_isp
from app.isp.plan import Plan, assemble
from app.isp.resources import of_bodies
from app.isp.rules.profiles import DEFAULT, profile
from app.isp.rules.rule import Clock
from app.isp.searching import pages

LOCK = 1_230_192_207
"""First key of the two-int advisory locks on people; the second is a hash of the id."""

MARKED = {"CarePlan": code.PLAN, "Task": code.REVIEW, "CareTeam": "", "Provenance": "", "Goal": ""}
"""What a plan in force depends on, by type with a word that stands in it."""

SCHEDULE = ("focus", "code", "restriction", "requester", "reasonCode")
"""What makes an open Task the next review of a plan."""

ERROR = "entered-in-error"
MAY_CALL_IT_AN_ERROR = frozenset({"supervisor", "operator"})


@dataclass(frozen=True, slots=True)
class Touched:
    """A written resource that a plan depends on, before and after."""

    written: Written
    before: Resource | None
    after: Resource | None

    @property
    def is_plan(self) -> bool:
        return any(_is_plan(one) for one in (self.before, self.after))


async def guard(ctx: Context, written: Sequence[Written]) -> None:
    """Judge the plans that a transaction touches. Raises Unprocessable that names each rule."""
    touched = [one for one in map(_touched, written) if one is not None]
    if not touched:
        return
    patients = sorted({patient for one in touched for patient in one.written.patients})
    await _lock(ctx, patients)
    issues = [issue for one in touched for issue in _ended(ctx, one)]
    for id_ in await _plans(ctx, touched, patients):
        issues += await _judged(ctx, id_, written, touched)
    if issues:
        raise Unprocessable("A plan would lack what it must have.", issues=issues)


def _touched(one: Written) -> Touched | None:
    """What may leave a plan in force without something; what is newly there takes nothing away."""
    text = f"{one.before or ''}{one.after or ''}"
    is_new = one.before is None and one.type != "CarePlan"
    if is_new or one.type not in MARKED or MARKED[one.type] not in text:
        return None
    before, after = (orjson.loads(body) if body else None for body in (one.before, one.after))
    found = Touched(one, before, after)
    if one.type == "CarePlan":
        return found if found.is_plan else None
    return None if before is None or _is_harmless(before, after) else found


def _is_harmless(before: Resource, after: Resource | None) -> bool:
    """Whether a plan in force has all that it had before this resource was changed."""
    if before["resourceType"] == "Provenance":
        return not _is_answer(before)
    if after is None or any(before.get(each) != after.get(each) for each in ("subject", "for")):
        return False
    match before["resourceType"]:
        case "Goal":
            return True
        case "CareTeam":
            return after.get("status") == "active"
    is_same = all(before.get(element) == after.get(element) for element in SCHEDULE)
    return is_same and after.get("status") in code.LIVE_TASKS


def _is_plan(resource: Resource | None) -> bool:
    return resource is not None and resource["resourceType"] == "CarePlan" and is_isp(resource)


def _is_answer(provenance: Resource) -> bool:
    """Whether it is a signature, or the refusal of one."""
    said = codes(provenance.get("reason")) | codes(provenance.get("activity"))
    return bool(members(provenance.get("signature"))) or code.REFUSED in said


async def _lock(ctx: Context, patients: Iterable[str]) -> None:
    """One writer at a time to what the plans of these people depend on, until COMMIT."""
    digests = (blake2b(one.encode(), digest_size=4).digest() for one in patients)
    keys = sorted({int.from_bytes(digest, signed=True) for digest in digests})
    lock = "SELECT pg_advisory_xact_lock($1, k) FROM unnest($2::int[]) AS k"
    await ctx.store.fetch(lock, LOCK, keys)


def _ended(ctx: Context, one: Touched) -> Iterator[Issue]:
    """A plan in force that is deleted; a plan that is called an error by who may not."""
    if not _is_plan(one.before) or one.before is None:
        return
    state = one.before.get("status")
    if one.after is None and state in CURRENT:
        said = "Deletion: a plan in force is revoked or completed, not deleted."
        yield Issue("business-rule", said, (one.written.at,))
    is_error = one.after is not None and one.after.get("status") == ERROR
    if is_error and state != ERROR and ctx.agent.role not in MAY_CALL_IT_AN_ERROR:
        said = "Status: only a supervisor marks a plan as entered in error."
        yield Issue("business-rule", said, (f"{one.written.at}.status",))


async def _plans(
    ctx: Context, touched: Sequence[Touched], patients: Sequence[str]
) -> Iterable[str]:
    """The ids of the plans written, and of those in force that depend on what else was."""
    found = {one.written.id for one in touched if one.is_plan and one.after}
    if all(one.is_plan for one in touched):
        return sorted(found)
    whose = ",".join(f"Patient/{patient}" for patient in patients)
    wanted = [("patient", whose), ("category", f"{code.ISP}|{code.PLAN}"), ("status", "active")]
    async for rows in pages(ctx, "CarePlan", wanted):
        found |= {row["id"] for row in rows}
    return sorted(found)


async def _judged(
    ctx: Context, id_: str, written: Sequence[Written], touched: Sequence[Touched]
) -> Iterator[Issue]:
    rows = await closure(ctx, "CarePlan", id_)
    now = of_bodies((row["body"] for row in rows if not row["deleted"]), ctx.engine.base_url)
    before, after = _before(now, written, id_, ctx.engine.base_url), assemble(now, id_)
    issues = broken(before, after, Clock(ctx.now.date(), profile(DEFAULT).limits))
    own = next((one for one in touched if one.written.id == id_ and one.is_plan), None)
    return (_placed(issue, own, touched[0]) for issue in issues)


def _before(
    now: Iterable[Resource], written: Iterable[Written], id_: str, base_url: str
) -> Plan | None:
    """The plan as the transaction found it, None where it was not there."""
    known: dict[str, Resource] = {name(one): one for one in now}
    for one in written:
        known.pop(f"{one.type}/{one.id}", None)
    bodies = (one.before for one in written if one.before is not None)
    known |= {name(one): one for one in of_bodies(bodies, base_url)}
    return assemble(known.values(), id_) if f"CarePlan/{id_}" in known else None


def _placed(issue: Issue, own: Touched | None, other: Touched) -> Issue:
    """The issue at its place in the request: in the plan, or else in what the plan depends on."""
    if own is None:
        said = f"A plan in force depends on this. {issue.diagnostics}"
        return replace(issue, diagnostics=said, expression=(other.written.at,))
    places = (own.written.at + one.removeprefix("CarePlan") for one in issue.expression)
    return replace(issue, expression=tuple(places))
