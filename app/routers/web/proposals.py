"""A plan put before those who sign it: by whom it is proposed, and who is asked to sign."""

from typing import Any

from fastapi import Response

from app.fhir.context import Call
from app.isp.codes import ISP, SIGN
from app.isp.element import names
from app.isp.plan import Plan
from app.isp.proposal import PROPOSED, open_asks, stage
from app.routers.web.goals import is_spoken_for
from app.routers.web.screen import Screen, parameters

MOST = "100"


async def waiting(screen: Screen) -> set[str]:
    """The plans (Type/id) that the person who looks was asked to sign, and has not answered."""
    who = screen.context.agent.fhir_user
    if who is None:
        return set()
    asked = (("owner", who), ("code", f"{ISP}|{SIGN}"), ("status", "requested"), ("_count", MOST))
    found = await screen.read(Call("search-type", "Task", query=asked))
    tasks = [entry["resource"] for entry in found.get("entry", ())]
    return {one for task in tasks for one in names(task.get("focus"))}


def facts(screen: Screen, plan: Plan) -> dict[str, Any]:
    """What the page of a plan says of its proposal, and whether the reader may make or end it."""
    who, state = screen.context.agent.fhir_user, stage(plan)
    is_draft = plan.care_plan.get("status") == "draft" and not is_spoken_for(screen)
    return {
        "is_asked": any(who in names(one.get("owner")) for one in open_asks(plan)),
        "today": screen.context.now.date().isoformat(),
        "may_propose": is_draft,
        "may_withdraw": is_draft and state == PROPOSED,
    }


async def propose(screen: Screen) -> Response:
    """Put the plan, as the page showed it, before those who sign it."""
    given = {"due": ("valueDate", screen.visit.form.get("due"))}
    await screen.change(("CarePlan", screen.id(), "isp-propose"), parameters(given))
    return screen.done(f"/plans/{screen.id()}", "proposed")


async def withdraw(screen: Screen) -> Response:
    """Take the plan back from those who were asked to sign it."""
    # A withdrawal without a reason is refused; it must not become a proposal.
    given = {"withdrawal": ("valueString", screen.visit.form.get("reason") or " ")}
    await screen.change(("CarePlan", screen.id(), "isp-propose"), parameters(given))
    return screen.done(f"/plans/{screen.id()}", "withdrawn")
