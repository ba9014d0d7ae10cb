"""The sections on who is in the team, who agreed, and when the plan is looked at again."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.fhir.context import Resource
from app.isp.agreement import Signature
from app.isp.canonical import changed
from app.isp.codes import CLIENT_REQUEST, EXPLAINED, LIVE_TASKS, RENEWAL, REVIEW
from app.isp.document.person import Part
from app.isp.document.view import Person, View
from app.isp.element import codes, day, members, name, names, period
from app.isp.plan import Plan
from app.isp.proposal import PROPOSED, changed_since, open_asks, proposal, stage

CUT = frozenset({"SUBSETTED", "REDACTED", "MASKED"})
"""Tags of what the reader sees a part of only: it cannot be held against a signature."""


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature: whose, when, as what, and whether the plan is still what was signed."""

    who: str
    when: str
    kind: str
    state: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """Who signed, who did not and why, who was asked to, and when the plan was explained."""

    signed: list[Signed]
    refused: list[str]
    asked: list[str]
    explained: list[str]


@dataclass(frozen=True, slots=True)
class Reviews:
    """What is due and by when, and the meetings that are booked."""

    due: list[tuple[str, str]]
    meetings: list[tuple[str, str]]


def team(view: View) -> Part:
    """Everybody in the team, with their part in it."""
    people: list[Person] = list(dict.fromkeys(person for _, person in view.team()))
    return Part(people, tuple(name(one) for one in view.plan.teams), not people)


def agreement(view: View) -> Part:
    """Signatures, refusals, who has not answered yet, and that the plan was explained."""
    plan = view.plan
    signed, asked = newest(plan), open_asks(plan)
    told = [one for one in plan.of("Communication") if _explains(view, one)]
    days = [view.words.day(str(one.get("received") or one.get("sent", ""))) for one in told]
    content = Agreement(
        [_signed(view, one) for one in signed],
        list(_refused(view)),
        [_asked(view, one) for one in asked],
        [view.words("label.explained", day=on) for on in days if on],
    )
    seen = (
        *(one.provenance for one in signed),
        *(one.resource for one in plan.refusals),
        *asked,
        *told,
    )
    return Part(content, tuple(dict.fromkeys(name(one) for one in seen)), not seen)


def standing(view: View) -> Iterator[str]:
    """In which state the plan is; of one that is proposed, since when, and whether it changed."""
    words, state = view.words, stage(view.plan)
    yield words("plan.state", state=words.of("plan-status", state))
    put = proposal(view.plan)
    if state == PROPOSED and put is not None:
        yield words("plan.proposed", day=words.day(str(put.get("recorded", ""))))
        whole = [
            one for one in changed_since(view.plan) if not _is_cut(view.plan.resources.get(one, {}))
        ]
        if whole:
            yield words("plan.changed-since")


def review(view: View) -> Part:
    """The next reviews, and the meetings ahead."""
    tasks = [one for kind in (REVIEW, RENEWAL) for one in view.plan.tasks_of(kind)]
    live = [one for one in tasks if one.get("status") in LIVE_TASKS]
    ahead = [one for one in view.plan.of("Appointment") if _is_ahead(view, one)]
    due = [(view.words.concept(one.get("code"), "task"), _due(view, one)) for one in live]
    meetings = [
        (view.words.day(str(one.get("start", ""))), str(one.get("description", "")))
        for one in ahead
    ]
    seen = tuple(name(one) for one in (*live, *ahead))
    return Part(Reviews(due, meetings), seen)


def _when(signature: Signature) -> str:
    return str(signature.provenance["signature"][signature.index].get("when", ""))


def newest(plan: Plan) -> list[Signature]:
    """Of each person the newest signature, the oldest of these first."""
    last = {one.who: one for one in sorted(plan.signatures, key=_when)}
    return sorted(last.values(), key=_when)


def signed_by(view: View, who: str | None) -> Signed | None:
    """The newest signature of this person (Type/id), if what they signed has not changed since."""
    for one in newest(view.plan):
        data = one.provenance["signature"][one.index].get("data")
        if who in one.who and changed(view.plan, data) == []:
            return _signed(view, one)
    return None


def _signed(view: View, signature: Signature) -> Signed:
    words, found = view.words, signature.provenance["signature"][signature.index]
    who = view.person(found.get("who"))
    kinds = [view.words.of("signature", one) for one in sorted(codes(found.get("type")))]
    said = ", ".join(filter(None, (who.name, who.role)))
    said = said or words("label.unsaid")
    return Signed(said, words.day(signature.when), ", ".join(kinds), _state(view, signature))


def _state(view: View, signature: Signature) -> str:
    """Whether what was signed is what the reader sees."""
    words = view.words
    data = signature.provenance["signature"][signature.index].get("data")
    since = changed(view.plan, data)
    if since is None:
        if signature.version == view.plan.care_plan.get("meta", {}).get("versionId"):
            return words("label.this-version")
        return words("label.not-tied", version=signature.version or "-")
    whole = [one for one in since if not _is_cut(view.plan.resources.get(one, {}))]
    return words("label.has-changed" if whole else "label.unchanged")


def _is_cut(resource: Resource) -> bool:
    meta = resource.get("meta", {})
    return bool((codes(meta.get("tag")) | codes(meta.get("security"))) & CUT)


def _refused(view: View) -> Iterator[str]:
    for one in view.plan.refusals:
        who = ", ".join(view.person({"reference": target}).name for target in one.who)
        reasons = members(one.resource.get("reason")) + members(one.resource.get("statusReason"))
        why = " ".join(str(reason.get("text", "")) for reason in reasons).strip()
        why = why or view.words("label.unsaid")
        yield view.words("label.refused-why", who=who or "-", why=why)


def _asked(view: View, task: Resource) -> str:
    """Who was asked to sign, and by when."""
    who = view.person(task.get("owner")).name or view.words("label.unsaid")
    return ", ".join(filter(None, (who, _due(view, task))))


def _explains(view: View, communication: Resource) -> bool:
    is_it = EXPLAINED in codes(communication.get("topic"))
    return is_it and view.plan.name in names(communication.get("about"))


def _is_ahead(view: View, appointment: Resource) -> bool:
    on = day(str(appointment.get("start", "")))
    return appointment.get("status") in ("booked", "pending") and bool(on and on >= view.today)


def _due(view: View, task: Resource) -> str:
    if CLIENT_REQUEST in codes(task.get("reasonCode")):
        return view.words("label.asked-for", day=view.words.day(str(task.get("authoredOn", ""))))
    end = period(task.get("restriction", {}).get("period"))[1]
    return view.words("label.until", day=view.words.day(end)) if end else ""
