"""A goal: how it goes, what was measured, and what the person says to it."""

from collections.abc import Iterator
from typing import Any

from fastapi import Response

from app.fhir import json
from app.fhir.context import Call, Resource
from app.fhir.errors import BadRequest, Forbidden, Gone, NotFound
from app.isp.chart import HEIGHT
from app.isp.document.privacy_mark import privacy_mark
from app.isp.element import codes, extensions, inner, members, names
from app.isp.progress import ACHIEVEMENT
from app.isp.words import Words, display_name
from app.routers.web.screen import Screen, parameters, passed_on

ACCEPTANCE = "http://hl7.org/fhir/StructureDefinition/goal-acceptance"
ANSWERS = {"agree": "accepted", "disagree": "rejected"}
"""By what the person says, what a goal becomes that was proposed."""

ANSWERED = frozenset({"proposed", "planned", "accepted", "active"})
SPEAKERS = ("Patient/", "RelatedPerson/")
HTML, SVG = "text/html", "image/svg+xml"
SAID = {"agree": "label.agreed", "disagree": "label.disagreed", "pending": "label.undecided"}


def goal_line(words: Words, goal: Resource) -> dict[str, str]:
    """A goal in a list."""
    dues = [one["dueDate"] for one in members(goal.get("target")) if "dueDate" in one]
    status = words.of("goal-status", goal.get("lifecycleStatus", ""))
    going = words.concept(goal.get("achievementStatus"), "achievement")
    return {
        "id": goal["id"],
        "text": words.concept(goal.get("description")) or words("label.unsaid"),
        "status": status,
        "going": going if going != status else "",
        "due": words.day(dues[0] if dues else None),
    }


async def goal(screen: Screen) -> Response:
    """A goal with its chart, and what can be said about it."""
    found = await screen.read(Call("read", "Goal", screen.id("goal")))
    chart = await screen.read(_chart(screen, "application/fhir+json"))
    told = [p["valueString"] for p in chart["parameter"] if p["name"] == "text"]
    words, state = screen.words, found.get("lifecycleStatus")
    return screen.page(
        "goal",
        plan=screen.id(),
        goal=goal_line(words, found),
        person=await _person(screen, found),
        version=found["meta"]["versionId"],
        told=told[0],
        height=HEIGHT * (1 + sum(p["name"] == "series" for p in chart["parameter"])),
        notes=[_note(words, one) for one in members(found.get("note"))],
        said=list(_said(words, found)),
        is_active=state == "active",
        is_answered=state in ANSWERED and is_spoken_for(screen),
        counted=list(_counted(words, found)),
        states=[(one, words.of("achievement", one)) for one in sorted(ACHIEVEMENT)],
        today=screen.context.now.date().isoformat(),
        did=screen.did(),
        notice=privacy_mark([found]).notice,
    )


async def _person(screen: Screen, goal: Resource) -> str:
    """Whose goal it is, as far as the reader may know: nobody writes to the wrong person's."""
    for one in names(goal.get("subject")):
        type_, _, id_ = one.partition("/")
        try:
            return display_name(await screen.read(Call("read", type_, id_)))
        except (NotFound, Gone):
            continue
    return ""


def _note(words: Words, note: dict[str, Any]) -> str:
    text, day = str(note.get("text", "")), words.day(str(note.get("time", "")))
    return words("label.note-on", text=text, day=day) if day else text


def _said(words: Words, goal: Resource) -> Iterator[str]:
    for one in extensions(goal, "goal-acceptance"):
        status = inner(one, "status").get("valueCode")
        if status in SAID:
            yield words(SAID[status])


def _counted(words: Words, goal: Resource) -> Iterator[tuple[str, str]]:
    """What the goal counts: how each measure is called, and that with its unit."""
    for one in members(goal.get("target")):
        given = one.get("measure", {})
        measure, unit = words.concept(given), one.get("detailQuantity", {}).get("unit", "")
        if measure:
            called = given.get("text") or next(iter(sorted(codes(given))), measure)
            yield called, f"{measure} ({unit})" if unit else measure


def is_spoken_for(screen: Screen) -> bool:
    """Whether the person, or who stands for them, is looking."""
    return str(screen.context.agent.fhir_user).startswith(SPEAKERS)


def _chart(screen: Screen, kind: str) -> Call:
    query = (("language", screen.words.language),)
    asked = "progress-chart"
    return Call("operation", "Goal", screen.id("goal"), operation=asked, query=query, accept=kind)


async def chart(screen: Screen) -> Response:
    """The chart of a goal."""
    return passed_on(screen.visit, await screen.ask(_chart(screen, SVG)))


async def numbers(screen: Screen) -> Response:
    """The chart of a goal with its numbers as a table."""
    return passed_on(screen.visit, await screen.ask(_chart(screen, HTML)))


async def record(screen: Screen) -> Response:
    """Record progress on the goal as the page showed it."""
    form = screen.visit.form
    body = parameters(
        {
            "achievementStatus": ("valueCode", form.get("status")),
            "measure": _measure(form.get("measure", "")),
            "of": ("valueString", form.get("of")),
            "effective": ("valueDateTime", form.get("day")),
            "note": ("valueString", form.get("note", "").strip()),
        }
    )
    await screen.change(("Goal", screen.id("goal"), "isp-progress"), body)
    return screen.done(_own(screen), "progress")


def _measure(text: str) -> tuple[str, Any]:
    """A number as people write it, with a point or a comma; the goal says of what unit it is.

    Raises BadRequest for anything else.
    """
    text = text.strip().replace(",", ".")
    if not text:
        return "valueInteger", None
    try:
        value = json.parse(text.encode())
    except BadRequest:
        value = None
    if isinstance(value, json.Number):
        return "valueQuantity", {"value": value}
    if isinstance(value, int) and not isinstance(value, bool):
        return "valueInteger", value
    raise BadRequest("The measurement is a number, such as 3 or 2.5.", code="value")


async def answer(screen: Screen) -> Response:
    """Accept or decline the goal as the page showed it. Raises Forbidden for anybody else."""
    said = screen.visit.form.get("answer", "")
    if said not in ANSWERS:
        raise BadRequest("Say whether you agree.", code="required")
    if not is_spoken_for(screen):
        raise Forbidden("The person, or who stands for them, says this.")
    found = await screen.read(Call("read", "Goal", screen.id("goal")))
    if found.get("lifecycleStatus") not in ANSWERED:
        raise BadRequest("This goal is over.", code="business-rule")
    body = list(_changes(screen, found, said))
    await screen.change(("Goal", screen.id("goal"), ""), body, is_patch=True)
    return screen.done(_own(screen), said)


def _changes(screen: Screen, goal: Resource, said: str) -> Iterator[dict[str, Any]]:
    """The JSON Patch of an answer. https://hl7.org/fhir/R4/extension-goal-acceptance.html"""
    yield _accepted(screen, goal, said)
    if goal.get("lifecycleStatus") == "proposed":
        yield {"op": "replace", "path": "/lifecycleStatus", "value": ANSWERS[said]}
        today = screen.context.now.date().isoformat()
        yield {"op": "add", "path": "/statusDate", "value": today}
    if reason := screen.visit.form.get("reason", "").strip():
        yield {"op": "add", "path": "/statusReason", "value": reason}


def _accepted(screen: Screen, goal: Resource, said: str) -> dict[str, Any]:
    """What the person said before is replaced; what others said stays."""
    who = {"reference": screen.context.agent.fhir_user}
    for index, one in enumerate(goal.get("extension", ())):
        if one.get("url") != ACCEPTANCE or inner(one, "individual").get("valueReference") != who:
            continue
        for at, part in enumerate(one["extension"]):
            if part["url"] == "status":
                path = f"/extension/{index}/extension/{at}/valueCode"
                return {"op": "replace", "path": path, "value": said}
    parts = [{"url": "individual", "valueReference": who}, {"url": "status", "valueCode": said}]
    made = {"url": ACCEPTANCE, "extension": parts}
    if "extension" in goal:
        return {"op": "add", "path": "/extension/-", "value": made}
    return {"op": "add", "path": "/extension", "value": [made]}


def _own(screen: Screen) -> str:
    return f"/plans/{screen.id()}/goals/{screen.id('goal')}"
