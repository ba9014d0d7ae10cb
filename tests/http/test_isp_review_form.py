"""CarePlan/$isp-review: begun with a form, ended with what was written on it."""

import httpx

from app.storage.database import Database
from tests.build import HL7, concept
from tests.http.plan_life import (
    EMPTY,
    ROWS,
    Json,
    active,
    by_type,
    day,
    parameters,
    ready,
    rules,
    worker,
)

__all__ = ["active", "ready", "worker"]


async def start(client: httpx.AsyncClient, plan: str = "ada-plan") -> httpx.Response:
    return await client.post(f"/CarePlan/{plan}/$isp-review", json=EMPTY)


def filled(form: Json, word: str = "Twice a week by now.") -> Json:
    for group in form["item"]:
        for one in group.get("item", []):
            for part in one["item"]:
                if part["linkId"].endswith(".note"):
                    part["answer"] = [{"valueString": word}]
    return form


async def complete(client: httpx.AsyncClient, form: Json) -> httpx.Response:
    body = parameters(form={"resource": form})
    return await client.post("/CarePlan/ada-plan/$isp-review", json=body)


async def test_a_review_begins_with_a_form_and_ends_with_the_next_one(
    county: httpx.AsyncClient, worker: httpx.AsyncClient, active: str
) -> None:
    begun = by_type(await start(worker), 201)
    [form], [task] = begun["QuestionnaireResponse"], begun["Task"]
    assert (task["id"], task["status"]) == ("ada-plan-review", "in-progress")
    goals = form["item"][0]["item"]
    assert [one["linkId"] for one in goals] == ["ada-goal-1", "ada-goal-2"]
    assert rules(await start(worker)) == ["Review"]
    answers = {"ada-goal-1.progress": "improving", "ada-goal-2.status": "completed"}
    for part in (part for one in goals for part in one["item"]):
        if part["linkId"] in answers:
            part["answer"] = [{"valueCoding": {"code": answers[part["linkId"]]}}]
    form["item"][-1]["answer"] = [{"valueString": "Wants to swim"}]
    found = by_type(await complete(worker, filled(form)))
    first, second = found["Goal"]
    assert first["achievementStatus"] == concept(f"{HL7}/goal-achievement", "improving")
    assert first["note"][-1]["text"] == "Twice a week by now."
    assert (first["lifecycleStatus"], second["lifecycleStatus"]) == ("active", "completed")
    assert found["Condition"][0]["code"]["text"] == "Wants to swim"
    assert len(found["CarePlan"][0]["addresses"]) == 1
    by_id = {one["id"]: one for one in found["Task"]}
    assert by_id.pop("ada-plan-review")["status"] == "completed"
    kinds = {one["code"]["coding"][0]["code"]: one for one in by_id.values()}
    assert kinds["plan-review"]["restriction"]["period"]["end"] > day(150)
    targets = {one["reference"] for one in found["Provenance"][0]["target"]}
    assert f"Goal/ada-goal-1/_history/{first['meta']['versionId']}" in targets
    said = (await county.get("/CarePlan/ada-plan/$isp-validate")).text
    assert '"C53"' not in said
    assert '"C56"' not in said
    assert rules(await complete(worker, form)) == ["Review"]


async def test_a_review_is_not_silent_on_a_goal(
    worker: httpx.AsyncClient, active: str, database: Database
) -> None:
    [form] = by_type(await start(worker), 201)["QuestionnaireResponse"]
    before = await database.fetchval(ROWS)
    assert rules(await complete(worker, form)) == ["C56", "C56"]
    assert rules(await complete(worker, form | {"id": "another"})) == ["Review"]
    assert await database.fetchval(ROWS) == before


async def test_a_review_answers_who_asked_for_it(
    county: httpx.AsyncClient, worker: httpx.AsyncClient, active: str
) -> None:
    why = parameters(reason={"valueString": "I moved."})
    asked = (await county.post("/CarePlan/ada-plan/$isp-request-review", json=why)).json()["id"]
    begun = by_type(await start(worker), 201)
    assert {one["id"]: one["status"] for one in begun["Task"]}[asked] == "accepted"
    found = by_type(await complete(worker, filled(begun["QuestionnaireResponse"][0])))
    assert {one["id"]: one["status"] for one in found["Task"]}[asked] == "completed"


async def test_a_draft_is_not_reviewed(worker: httpx.AsyncClient, ready: str) -> None:
    assert rules(await start(worker)) == ["Status"]
