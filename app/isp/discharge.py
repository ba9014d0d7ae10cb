"""Leaving: the plan ends with a summary, what happens afterwards, and a day to follow up. Pure."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass

from app.fhir.context import Resource
from app.fhir.errors import Issue, Unprocessable
from app.fhir.instant import to_text
from app.isp.act import Act, provenance, refuse
from app.isp.close import ending
from app.isp.codes import DISCHARGE, DISCHARGE_SUMMARY
from app.isp.element import codes, day, name, names
from app.isp.lifecycle import CURRENT
from app.isp.plan import Plan
from app.isp.rules.safety import meets_on

FOLLOWED_UP = ("proposed", "pending", "booked", "arrived", "waitlist")


@dataclass(frozen=True, slots=True)
class Discharge:
    """Why the plan ends; the summary in words, and the instant of the follow-up, where given."""

    reason: str
    summary: str | None
    follow_up: str | None


def discharged(plan: Plan, asked: Discharge, act: Act) -> list[Resource]:
    """Everything that ends with the plan, completed, and what is written on leaving.

    Raises Unprocessable with all that C46 asks for and is not there.
    """
    if plan.care_plan.get("status") not in CURRENT:
        raise refuse("Status", "only a plan in force ends by discharge.", "CarePlan.status")
    lacking = list(_lacking(plan, asked, act))
    if lacking:
        raise Unprocessable("The discharge is not complete.", issues=lacking)
    papers = list(_papers(plan, asked, act))
    first, *others = [_last_day(one, act) for one in ending(plan, act.today)]
    own = _with_summary(first, papers)
    closed = [own, *others, *_teams(plan), *_episodes(plan, act)]
    return [*closed, *papers, provenance(act, "complete", [*closed, *papers], asked.reason)]


def _lacking(plan: Plan, asked: Discharge, act: Act) -> Iterator[Issue]:
    if not asked.summary and not _summaries(plan):
        said = "C46: a summary; give it, or write a DocumentReference of type LOINC 18842-5."
        yield Issue("business-rule", said, ("Parameters.parameter.where(name = 'summary')",))
    if not any(part.get("activity") for part in plan.part(frozenset({DISCHARGE}))):
        said = "C46: what happens afterwards; write a part discharge-plan with its activities."
        yield Issue("business-rule", said, ("CarePlan.activity",))
    later = (meets_on(one) for one in plan.of("Appointment") if _is_ahead(one))
    if not asked.follow_up and not any(on and on >= act.today for on in later):
        said = "C46: a day to follow up; give it, or make an Appointment."
        yield Issue("business-rule", said, ("Parameters.parameter.where(name = 'followUp')",))
    if asked.follow_up and (day(asked.follow_up) or act.today) < act.today:
        said = "C46: the day to follow up is past."
        yield Issue("business-rule", said, ("Parameters.parameter.where(name = 'followUp')",))


def _is_ahead(appointment: Resource) -> bool:
    return appointment.get("status") in FOLLOWED_UP


def _summaries(plan: Plan) -> list[Resource]:
    papers = plan.of("DocumentReference")
    return [one for one in papers if DISCHARGE_SUMMARY in codes(one.get("type"))]


def _papers(plan: Plan, asked: Discharge, act: Act) -> Iterator[Resource]:
    who = plan.care_plan["subject"]
    if asked.summary:
        yield _summary(who, asked.summary, act)
    if asked.follow_up:
        yield {
            "resourceType": "Appointment",
            "id": act.new_id(),
            "status": "proposed",
            "description": "Follow-up after discharge",
            "participant": [{"actor": who, "status": "needs-action"}],
        } | _when(asked.follow_up)


def _when(follow_up: str) -> Resource:
    """app-3: without a start and an end an Appointment has a requested period only."""
    return {"requestedPeriod": [{"start": follow_up}]}


def _summary(who: Resource, text: str, act: Act) -> Resource:
    data = b64encode(text.encode()).decode()
    return {
        "resourceType": "DocumentReference",
        "id": act.new_id(),
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": DISCHARGE_SUMMARY}]},
        "subject": who,
        "date": to_text(act.now),
        "author": [act.who],
        "content": [{"attachment": {"contentType": "text/plain;charset=utf-8", "data": data}}],
    }


def _last_day(one: Resource, act: Act) -> Resource:
    """A plan that ends today lasted until today, unless its end was earlier."""
    end = day(one.get("period", {}).get("end"))
    if one["resourceType"] != "CarePlan" or (end and end < act.today):
        return one
    return {**one, "period": {**one.get("period", {}), "end": act.today.isoformat()}}


def _with_summary(care_plan: Resource, papers: list[Resource]) -> Resource:
    found = [one for one in papers if one["resourceType"] == "DocumentReference"]
    linked = [*care_plan.get("supportingInfo", ()), *({"reference": name(one)} for one in found)]
    return {**care_plan, "supportingInfo": linked} if linked else care_plan


def _teams(plan: Plan) -> Iterator[Resource]:
    """The teams that no other plan in force has."""
    others = [one for one in plan.of("CarePlan") if one.get("status") in CURRENT]
    own = {name(one) for one in plan.whole}
    kept = {team for one in others if name(one) not in own for team in names(one.get("careTeam"))}
    for team in plan.teams:
        if team.get("status") == "active" and name(team) not in kept:
            yield {**team, "status": "inactive"}


def _episodes(plan: Plan, act: Act) -> Iterator[Resource]:
    for one in plan.supporting:
        if one["resourceType"] == "EpisodeOfCare" and one.get("status") in ("active", "onhold"):
            lasted = {**one.get("period", {}), "end": act.today.isoformat()}
            yield {**one, "status": "finished", "period": lasted}
