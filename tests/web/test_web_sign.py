"""A plan is proposed, signed or refused in the web view."""

from app.isp.codes import ISP
from app.routers.web.screen import words
from tests.build import concept, goal, reference
from tests.http.conftest import Json, load
from tests.smart.conftest import World
from tests.web.conftest import PLAN, reader
from tests.web.seen import provenances, stored, text, told


async def test_a_plan_is_signed_or_refused(world: World) -> None:
    ada = await reader(world)
    form = await ada.form(PLAN, "/signature")
    page = await ada.send(form, decision="sign")
    told(page, 200, "web.done.signed")
    assert "Test Ada" in text(page)
    assert "and nothing of it has changed since." in text(page)
    assert words("en")("web.sign.submit") not in text(page)
    form = await ada.form(PLAN, "/signature")
    reason = "The goals are not mine."
    told(await ada.send(form, decision="refuse", reason=reason), 200, "web.done.refused")
    found = await provenances(world)
    signed = [one for one in found if "signature" in one]
    assert [one["signature"][0]["who"] for one in signed] == [{"reference": "Patient/ada"}]
    assert [one["reason"][0]["text"] for one in found if "reason" in one] == [reason]
    assert reason in text(await ada.see(PLAN))
    operator = await world.service.as_("operator")
    await load(operator, goal("ada-goal-2", description={"text": "Something else entirely."}))
    assert words("en")("web.sign.submit") in text(await ada.see(PLAN))


async def proposed(world: World) -> None:
    """Ada's plan as a draft that is ready, put before her."""
    operator = await world.service.as_("operator")
    ask: Json = {"resourceType": "Task", "id": "ask", "status": "requested", "intent": "order"}
    ask |= {"code": concept(ISP, "sign-plan"), "owner": reference("Patient/ada")}
    ask |= {"for": reference("Patient/ada"), "focus": reference("CarePlan/ada-plan/_history/1")}
    proof: Json = {"resourceType": "Provenance", "id": "put", "recorded": "2026-01-05T09:00:00Z"}
    proof |= {"target": [reference("CarePlan/ada-plan/_history/1")]}
    proof |= {"activity": concept(ISP, "propose"), "agent": [{"who": reference("Patient/ada")}]}
    own = await stored(world, "/CarePlan/ada-plan")
    await load(operator, own | {"status": "draft"}, ask, proof)


async def test_who_is_asked_to_sign_is_told_and_signs(world: World) -> None:
    await proposed(world)
    ada, grace = await reader(world), await reader(world, "grace")
    for page in (await ada.see(), await ada.see(PLAN)):
        told(page, 200, "web.asked")
        told(page, 200, "plan-status.proposed")
    assert words("en")("web.propose") not in text(page)
    assert words("en")("web.asked") not in text(await grace.see(PLAN))
    form = await ada.form(PLAN, "/signature")
    told(await ada.send(form, decision="sign"), 200, "web.done.signed")
    assert (await stored(world, "/Task/ask"))["status"] == "completed"
    assert words("en")("web.asked") not in text(await ada.see())


async def test_a_key_worker_takes_a_plan_back_and_is_told_what_it_lacks(world: World) -> None:
    await proposed(world)
    grace = await reader(world, "grace")
    form = await grace.form(PLAN, "/withdrawal")
    told(await grace.send(form, reason=None), 400, "web.error.refused-input")
    told(await grace.send(form, reason="Not yet."), 200, "web.done.withdrawn")
    assert (await stored(world, "/Task/ask"))["statusReason"]["text"] == "Not yet."
    for page in (await grace.see(), await grace.see(PLAN)):
        assert words("en")("plan-status.proposed") not in text(page)
    response = await grace.send(await grace.form(PLAN, "/proposal"), due="2090-01-01")
    told(response, 422, "web.error.refused-input")
    assert "C17: CarePlan/ada-plan" in text(response)


async def test_a_refusal_without_a_reason_is_no_signature(world: World) -> None:
    ada = await reader(world)
    before = len(await provenances(world))
    form = await ada.form(PLAN, "/signature")
    given: tuple[dict[str, str | None], ...] = (
        {"decision": "refuse"},
        {"decision": "sign", "read": None},
        {},
    )
    for one in given:
        told(await ada.send(form, **one), 400, "web.error.refused-input")
    assert len(await provenances(world)) == before


async def test_what_changed_since_the_page_was_opened_is_not_signed(world: World) -> None:
    operator = await world.service.as_("operator")
    # Whoever signed the plan as it is has no form to sign it.
    await load(operator, goal("ada-goal-2", description={"text": "Something of its own."}))
    ada = await reader(world)
    form, before = await ada.form(PLAN, "/signature"), len(await provenances(world))
    await load(operator, goal("ada-goal-2", description={"text": "Something else again."}))
    told(await ada.send(form, decision="sign"), 412, "web.error.changed")
    assert len(await provenances(world)) == before
