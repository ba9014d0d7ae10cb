"""My plan, my clients' plans: which there are, one of them, a review asked for, a signature."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastapi import Response

from app.auth.handles import digest
from app.fhir.context import Call, Resource
from app.fhir.errors import BadRequest, PreconditionFailed
from app.isp.canonical import sealed
from app.isp.document.agreement import agreement, signed_by, standing
from app.isp.document.page import heading
from app.isp.document.privacy_mark import privacy_mark
from app.isp.document.view import View
from app.isp.element import name, names, period
from app.isp.plan import Plan, assemble
from app.isp.proposal import stage
from app.isp.sign import SIGNABLE
from app.isp.words import Words, display_name
from app.routers.web.goals import goal_line
from app.routers.web.proposals import facts, waiting
from app.routers.web.screen import Screen, parameters, passed_on

LISTED = (
    ("part-of:missing", "true"),
    ("status:not", "entered-in-error"),
    ("_sort", "-date"),
    ("_count", "50"),
    ("_include", "CarePlan:subject"),
    # What was put forward, and what came of it.
    ("_revinclude", "Provenance:target"),
)
HTML, PDF = "text/html", "application/pdf"


async def plans(screen: Screen) -> Response:
    """The plans that the person may see, the latest first."""
    cursor = screen.visit.form.get("page")
    query = (*LISTED, *((("_page", cursor),) if cursor else ()))
    found = await screen.read(Call("search-type", "CarePlan", query=query))
    resources = [entry["resource"] for entry in found.get("entry", ())]
    people = {name(one): display_name(one) for one in resources if one["resourceType"] == "Patient"}
    asked = await waiting(screen)
    listed = [
        _line(screen.words, assemble(resources, one["id"]), people, asked)
        for one in resources
        if one["resourceType"] == "CarePlan"
    ]
    return screen.page("plans", plans=listed, more=_next(found))


def _line(words: Words, found: Plan, people: dict[str, str], asked: set[str]) -> dict[str, Any]:
    plan = found.care_plan
    person = next((people[one] for one in names(plan.get("subject")) if one in people), "")
    return {
        "id": plan["id"],
        "title": str(plan.get("title") or words("plan.of", person=person or "-")),
        "person": person,
        "status": words.of("plan-status", stage(found)),
        "runs": words.span(*period(plan.get("period"))),
        "is_asked": name(plan) in asked,
    }


def _next(bundle: Resource) -> str:
    """The cursor of the page after this one, empty on the last."""
    urls = [link["url"] for link in bundle.get("link", ()) if link["relation"] == "next"]
    return next((parse_qs(urlsplit(url).query)["_page"][0] for url in urls), "")


async def plan(screen: Screen) -> Response:
    """One plan: how it stands, its goals, and what the person can do about it."""
    found = await _known(screen)
    view = View(found, screen.words, screen.context.now.date())
    return screen.page("plan", **_facts(screen, view), did=screen.did())


def _facts(screen: Screen, view: View) -> dict[str, Any]:
    found, words = view.plan, screen.words
    status = found.care_plan.get("status", "unknown")
    return {
        "id": found.care_plan["id"],
        "title": heading(view),
        "person": display_name(found.patient or {}),
        "state": words.of("plan-status", stage(found)),
        "standing": list(standing(view))[1:],
        "notice": privacy_mark(found.resources.values()).notice,
        "runs": words.span(*period(found.care_plan.get("period"))),
        "goals": [goal_line(words, one) for one in found.goals],
        "version": found.care_plan["meta"]["versionId"],
        "content": _content(found),
        "agreement": agreement(view).content,
        "own": signed_by(view, screen.context.agent.fhir_user),
        "is_signable": status in SIGNABLE,
        **facts(screen, found),
    }


async def _known(screen: Screen) -> Plan:
    """The plan with all that belongs to it, as far as the person may see it."""
    id_ = screen.id()
    bundle = await screen.read(Call("operation", "CarePlan", id_, operation="isp-bundle"))
    return assemble((entry["resource"] for entry in bundle["entry"]), id_)


def _content(plan: Plan) -> str:
    """What stands for all that is agreed to in the plan, as the person sees it."""
    return digest(sealed(plan))


async def document(screen: Screen) -> Response:
    """The whole plan to read."""
    return await _made(screen, "document", HTML)


async def printed(screen: Screen) -> Response:
    """The whole plan to print."""
    return await _made(screen, "document", PDF)


async def card(screen: Screen) -> Response:
    """The crisis card to read."""
    return await _made(screen, "crisis-card", HTML)


async def _made(screen: Screen, operation: str, kind: str) -> Response:
    query = (("language", screen.words.language),)
    asked = Call(
        "operation", "CarePlan", screen.id(), operation=operation, query=query, accept=kind
    )
    return passed_on(screen.visit, await screen.ask(asked))


async def request_review(screen: Screen) -> Response:
    """Ask for a review of the plan."""
    reason = screen.visit.form.get("reason", "")
    body = parameters({"reason": ("valueString", reason)})
    asked = "isp-request-review"
    await screen.ask(Call("operation", "CarePlan", screen.id(), operation=asked, body=body))
    return screen.done(f"/plans/{screen.id()}", "review")


async def sign(screen: Screen) -> Response:
    """Sign the plan as the page showed it, or refuse to.

    Raises PreconditionFailed when a part of it, be it a goal, has changed since.
    """
    id_, form = screen.id(), screen.visit.form
    is_refused = form.get("decision") == "refuse"
    if not is_refused and (form.get("decision"), form.get("read")) != ("sign", "yes"):
        raise BadRequest("Say that you have read the plan and agree to it.", code="required")
    if _content(await _known(screen)) != form.get("content"):
        raise PreconditionFailed("The plan has changed since the page was opened.")
    # A refusal without a reason is refused; it must not become a signature.
    given = {"refusal": ("valueString", form.get("reason") or " ")} if is_refused else {}
    await screen.change(("CarePlan", id_, "isp-sign"), parameters(given))
    return screen.done(f"/plans/{id_}", "refused" if is_refused else "signed")
