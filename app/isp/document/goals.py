"""The section on goals: by part of life, each with how it goes, its small steps and who helps."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.fhir.context import Resource
from app.isp.chart import Row, rows, svg, valued
from app.isp.codes import ENDED_GOALS
from app.isp.document.person import Part
from app.isp.document.view import View
from app.isp.element import extensions, inner, members, name
from app.isp.series import Series, every
from app.isp.service import pertains

AGREED = {"agree": "label.agreed", "disagree": "label.disagreed", "pending": "label.undecided"}


@dataclass(frozen=True, slots=True)
class GoalView:
    """A goal as it is read: `facts` by label, `steps` below it, its charts with their tables."""

    text: str
    domain: str
    status: str
    trend: str
    due: str
    facts: list[tuple[str, str]]
    steps: "list[GoalView]"
    helpers: list[str]
    charts: "list[Drawn]"


@dataclass(frozen=True, slots=True)
class Drawn:
    """The chart of one target of a goal, and its numbers; `measure` tells several apart."""

    measure: str
    chart: Markup
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Goals:
    """Goals that are pursued, by part of life; and those that are over."""

    live: list[GoalView]
    ended: list[GoalView]


def goals(view: View) -> Part:
    """The long-term goals, each with its steps; a step to no goal of the plan stands for itself."""
    plan = view.plan
    own = {name(one) for one in plan.goals}
    tops = [one for one in plan.goals if plan.steps.get(name(one)) not in own]
    tops = tops or list(plan.goals)
    live = [one for one in tops if one.get("lifecycleStatus") not in ENDED_GOALS]
    ended = [one for one in tops if one.get("lifecycleStatus") in ENDED_GOALS]
    seen = sorted((_goal(view, one, True) for one in live), key=lambda one: one.domain)
    content = Goals(seen, [_goal(view, one, False) for one in ended])
    return Part(content, tuple(name(one) for one in plan.goals), not plan.goals)


def _goal(view: View, goal: Resource, has_steps: bool) -> GoalView:
    words, found = view.words, every(goal, view.plan.resources)
    first, drawn = found[0], [one for one in found if one.baseline is not None or one.points]
    return GoalView(
        text=words.concept(goal.get("description")) or words("label.unsaid"),
        domain=words.concept(goal.get("category"), "domain") or words.of("domain", "other"),
        status=_status(view, goal),
        trend=words.of("trend", first.trend),
        due=_due(view, goal, first),
        facts=[fact for fact in _facts(view, goal, found) if fact[1]],
        steps=[_goal(view, one, False) for one in _steps(view, goal)] if has_steps else [],
        helpers=list(dict.fromkeys(_helpers(view, name(goal)))),
        charts=[
            Drawn(one.measure if len(found) > 1 else "", svg(one, words), rows(one, words))
            for one in drawn
            if has_steps
        ],
    )


def _steps(view: View, goal: Resource) -> Iterable[Resource]:
    """The steps to a goal, the earliest due first."""
    found = [one for one in view.plan.goals if view.plan.steps.get(name(one)) == name(goal)]

    def due(one: Resource) -> str:
        return str(next((t.get("dueDate", "9") for t in members(one.get("target"))), "9"))

    return sorted((one for one in found if name(one) != name(goal)), key=due)


def _status(view: View, goal: Resource) -> str:
    state = str(goal.get("lifecycleStatus", ""))
    if state in ("active", "completed") and "achievementStatus" in goal:
        return view.words.concept(goal["achievementStatus"], "achievement")
    return view.words.of("goal-status", state)


def _due(view: View, goal: Resource, found: Series) -> str:
    given = (one.get("dueDate") for one in members(goal.get("target")))
    return view.words.day(found.due or next(filter(None, given), None))


def _facts(view: View, goal: Resource, found: Sequence[Series]) -> Iterator[tuple[str, str]]:
    words = view.words
    for each in found:
        yield words("label.measured"), _aim(view, each)
        if each.latest:
            value, on = valued(each, each.latest.value), words.day(each.latest.day)
            yield words("label.now"), words("label.on-day", value=value, day=on)
    for note in members(goal.get("note"))[-1:]:
        on = words.day(str(note.get("time", "")))
        text = str(note.get("text", ""))
        yield words("label.word"), words("label.note-on", text=text, day=on) if on else text
    for one in extensions(goal, "goal-acceptance"):
        said = inner(one, "status").get("valueCode")
        yield words("label.my-word"), words(AGREED[said]) if said in AGREED else ""


def _aim(view: View, found: Series) -> str:
    if found.target is None:
        return found.measure
    target = valued(found, found.target)
    if found.baseline:
        start = valued(found, found.baseline.value)
        said = view.words("label.from-to", start=start, target=target)
    else:
        said = view.words("label.to", target=target)
    return ". ".join(filter(None, (found.measure, said)))


def _helpers(view: View, own: str) -> Iterator[str]:
    """Who does what for this goal, and how often."""
    words = view.words
    for service in view.plan.live_services:
        if own in service.goals:
            what = words.concept(service.element.get("code"))
            who = view.people(service.element.get("performer"))
            often = words.timing(service.element.get("occurrenceTiming") or {})
            yield ", ".join(filter(None, (who, what, often)))
    for task in view.plan.supports:
        if own in pertains(task):
            what = words.concept(task.get("code"), "task")
            yield ", ".join(filter(None, (view.person(task.get("owner")).name, what)))
