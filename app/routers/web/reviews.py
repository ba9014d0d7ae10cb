"""The worklist: which reviews are due."""

from datetime import date
from typing import Any

from fastapi import Response

from app.fhir.context import Call, Resource
from app.isp.element import days_after, name, names
from app.isp.words import display_name
from app.isp.worklist import due_on
from app.routers.web.screen import Screen

AHEAD = 30
"""Days that the worklist looks ahead unless another day is asked for."""

MOST = "100"


async def reviews(screen: Screen) -> Response:
    """The reviews that are due by a day, the longest due first."""
    by = screen.visit.form.get("by") or days_after(_today(screen), AHEAD).isoformat()
    query = (("by", by), ("_count", MOST))
    asked = Call("operation", "CarePlan", operation="due-reviews", query=query)
    found = await screen.read(asked)
    tasks = [entry["resource"] for entry in found.get("entry", ())]
    people = await _people(screen, tasks)
    lines = [_line(screen, one, people) for one in tasks]
    more = int(found.get("total", 0)) - len(lines)
    return screen.page("reviews", reviews=lines, by=by, more=more)


async def _people(screen: Screen, tasks: list[Resource]) -> dict[str, str]:
    """By Type/id what those are called whom the tasks are for."""
    wanted = sorted({one for task in tasks for one in names(task.get("for"))})
    if not wanted:
        return {}
    query = (("_id", ",".join(one.partition("/")[2] for one in wanted)), ("_count", MOST))
    found = await screen.read(Call("search-type", "Patient", query=query))
    resources = [entry["resource"] for entry in found.get("entry", ())]
    return {name(one): display_name(one) for one in resources}


def _line(screen: Screen, task: Resource, people: dict[str, str]) -> dict[str, Any]:
    words, due = screen.words, due_on(task)
    plans = [one for one in names(task.get("focus")) if one.startswith("CarePlan/")]
    return {
        "person": next((people[one] for one in names(task.get("for")) if one in people), "-"),
        "what": words.concept(task.get("code"), "task"),
        "why": str(task.get("reasonCode", {}).get("text", "")),
        "due": words.day(due),
        "is_late": due is not None and due < _today(screen),
        "plan": plans[0].partition("/")[2] if plans else "",
    }


def _today(screen: Screen) -> date:
    return screen.context.now.date()
