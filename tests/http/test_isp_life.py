"""$isp-create, $isp-review, $isp-renew, $isp-replace, $isp-normalize, $isp-discharge over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.isp.codes import ISP
from app.storage.database import Database
from tests.build import HL7, care_plan, concept, goal, organization, practitioner, reference
from tests.http.conftest import COUNTY, Service, create, load, refused
from tests.http.test_isp_move import move, ready, sign

Json = dict[str, Any]
__all__ = ["ready"]
EMPTY: Json = {"resourceType": "Parameters"}
ROWS = "SELECT count(*) FROM resource_version"


def day(ahead: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=ahead)).isoformat()


def parameters(**given: Json) -> Json:
    return EMPTY | {"parameter": [{"name": name} | value for name, value in given.items()]}


def by_type(response: httpx.Response, status: int = 200) -> dict[str, list[Json]]:
    """What an operation wrote."""
    assert response.status_code == status, response.text
    found: dict[str, list[Json]] = {}
    for entry in response.json()["entry"]:
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found


def rules(response: httpx.Response) -> list[str]:
    assert response.status_code == 422, response.text
    return [one["diagnostics"].partition(":")[0] for one in response.json()["issue"]]


@pytest.fixture
async def worker(service: Service, operator: httpx.AsyncClient, ada: str) -> httpx.AsyncClient:
    """A key worker of the county."""
    await load(operator, practitioner("grace"))
    who = {"fhir_user": "Practitioner/grace"}
    return await service.as_("key-worker", COUNTY, "system/*.cruds", **who)


@pytest.fixture
async def active(county: httpx.AsyncClient, ready: str) -> str:
    assert (await move(county, "activate")).status_code == 200
    return ready


UCUM = "http://unitsofmeasure.org"
TEMPLATE: Json = {
    "resourceType": "PlanDefinition",
    "id": "start",
    "url": "https://isp-fhir.example/PlanDefinition/start",
    "status": "active",
    "title": "First plan",
    "goal": [
        {
            "id": "out",
            "description": {"text": "I am out with people every week."},
            "addresses": [{"text": "Few people to be with during the week"}],
            "target": [
                {
                    "measure": {"text": "Times out in a week"},
                    "detailQuantity": {"value": 2, "unit": "times"},
                    "due": {"value": 6, "unit": "months", "system": UCUM, "code": "mo"},
                }
            ],
        }
    ],
    "action": [
        {
            "title": "Peer support",
            "goalId": ["out"],
            "timingTiming": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}},
        },
        {"title": "Walk", "goalId": ["out"], "participant": [{"type": "patient"}]},
    ],
}
ANSWERS: Json = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "subject": reference("Patient/ada"),
    "source": reference("Patient/ada"),
    "authored": "2026-01-05",
    "item": [
        {"linkId": "need", "answer": [{"valueString": "Wants to cook"}]},
        {
            "linkId": "social",
            "item": [{"linkId": "social.strength", "answer": [{"valueString": "Sings"}]}],
        },
        {"linkId": "preference.1", "answer": [{"valueString": "Mornings"}]},
        {"linkId": "goal", "answer": [{"valueString": "I cook for my sister."}]},
    ],
}


async def made(client: httpx.AsyncClient, **given: Json) -> httpx.Response:
    who = {"subject": {"valueReference": reference("Patient/ada")}}
    return await client.post("/CarePlan/$isp-create", json=parameters(**(who | given)))


async def test_a_draft_is_made_of_template_and_assessment(
    operator: httpx.AsyncClient, worker: httpx.AsyncClient
) -> None:
    await load(operator, TEMPLATE)
    form = (await create(worker, ANSWERS))["id"]
    response = await made(
        worker,
        assessment={"valueReference": reference(f"QuestionnaireResponse/{form}")},
        template={"valueCanonical": TEMPLATE["url"]},
        start={"valueDate": "2027-01-01"},
    )
    found = by_type(response, 201)
    [plan], [team] = found["CarePlan"], found["CareTeam"]
    assert (plan["status"], plan["title"]) == ("draft", "First plan")
    assert plan["period"] == {"start": "2027-01-01", "end": "2027-12-31"}
    assert plan["author"] == reference("Practitioner/grace")
    assert plan["careTeam"] == [reference(f"CareTeam/{team['id']}")]
    assert {one["code"]["text"] for one in found["Condition"]} == {"Wants to cook"}
    assert {one["valueString"] for one in found["Observation"]} == {"Sings", "Mornings"}
    out, cook = found["Goal"]
    assert out["target"][0]["dueDate"] == "2027-07-01"
    assert cook["expressedBy"] == reference("Patient/ada")
    [service] = found["ServiceRequest"]
    assert service["extension"][0]["valueReference"] == reference(f"Goal/{out['id']}")
    steps = {one["code"].get("text"): one for one in found["Task"]}
    assert steps["Walk"]["owner"] == reference("Patient/ada")
    due = {one["restriction"]["period"]["end"] for one in found["Task"][1:]}
    assert due == {"2027-07-01", "2027-12-31"}
    stored = await worker.get(f"/CarePlan/{plan['id']}")
    assert stored.json() == plan
    assert '"C01"' not in (await worker.get(f"/CarePlan/{plan['id']}/$isp-validate")).text


async def test_a_draft_needs_no_template(worker: httpx.AsyncClient) -> None:
    team = {"valueReference": reference("CareTeam/ada-team")}
    found = by_type(await made(worker, team=team, title={"valueString": "Ada's plan"}), 201)
    assert set(found) == {"CarePlan", "Task", "Provenance"}
    assert found["CarePlan"][0]["careTeam"] == [reference("CareTeam/ada-team")]


@pytest.mark.parametrize("part", ["subject", "assessment", "template", "team"])
async def test_what_is_not_known_makes_no_draft(
    worker: httpx.AsyncClient, database: Database, part: str
) -> None:
    types = {"subject": "Patient", "assessment": "QuestionnaireResponse", "team": "CareTeam"}
    before = await database.fetchval(ROWS)
    target = reference(f"{types.get(part, 'PlanDefinition')}/nobodys")
    response = await made(worker, **{part: {"valueReference": target}})
    refused(response, 422, "not-found", f"Parameters.parameter.where(name = '{part}')")
    assert await database.fetchval(ROWS) == before


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


async def test_the_new_plan_takes_over_and_the_old_one_ends(
    service: Service, county: httpx.AsyncClient, operator: httpx.AsyncClient, active: str
) -> None:
    service_: Json = {"resourceType": "ServiceRequest", "id": "ada-help", "status": "active"}
    service_ |= {"intent": "plan", "subject": reference("Patient/ada"), "code": {"text": "Help"}}
    service_ |= {"basedOn": [reference("CarePlan/ada-plan")]}
    await load(operator, service_)
    url = "/CarePlan/ada-plan/$isp-renew"
    carried = parameters(goal={"valueReference": reference("Goal/ada-goal-1")})
    found = by_type(await county.post(url, json=carried), 201)
    [new] = found["CarePlan"]
    assert (new["status"], new["replaces"]) == ("draft", [reference("CarePlan/ada-plan")])
    assert new["period"]["start"] == day(301)
    [kept] = found["Goal"]
    assert new["goal"] == [reference(f"Goal/{kept['id']}")]
    relation = {part["url"]: part for part in kept["extension"][-1]["extension"]}
    assert relation["target"]["valueReference"] == reference("Goal/ada-goal-1")
    assert found["ServiceRequest"][0]["replaces"] == [reference("ServiceRequest/ada-help")]
    assert rules(await county.post(url, json=EMPTY)) == ["Chain"]
    await sign(service, new["id"])
    assert (await move(county, "activate", new["id"])).status_code == 200
    states = {}
    for name in (
        "CarePlan/ada-plan",
        "Goal/ada-goal-1",
        "Goal/ada-goal-2",
        "ServiceRequest/ada-help",
    ):
        one = (await county.get(f"/{name}")).json()
        states[name] = one.get("status", one.get("lifecycleStatus"))
    assert list(states.values()) == ["completed", "completed", "cancelled", "completed"]
    assert (await county.get(f"/Goal/{kept['id']}")).json()["lifecycleStatus"] == "active"
    new_service = found["ServiceRequest"][0]["id"]
    assert (await county.get(f"/ServiceRequest/{new_service}")).json()["status"] == "active"


async def test_only_what_goes_on_is_carried_over(county: httpx.AsyncClient, active: str) -> None:
    carried = parameters(goal={"valueReference": reference("Goal/nobodys")})
    url = "/CarePlan/ada-plan/$isp-renew"
    assert (await county.post(url, json=carried)).status_code == 422
    early = parameters(start={"valueDate": "2020-01-01"})
    assert rules(await county.post(url, json=early)) == ["Period"]
    assert (await move(county, "revoke")).status_code == 200
    assert rules(await county.post(url, json=EMPTY)) == ["Status"]


async def test_a_goal_gives_way_and_its_trace_stays(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, active: str
) -> None:
    pertains = {"url": "http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal"}
    pertains |= {"valueReference": reference("Goal/ada-goal-1")}
    help_: Json = {"resourceType": "ServiceRequest", "id": "ada-help", "status": "active"}
    help_ |= {"intent": "plan", "subject": reference("Patient/ada"), "extension": [pertains]}
    await load(operator, help_)
    wanted = {k: v for k, v in goal().items() if k != "id"}
    new_goal = wanted | {"description": {"text": "I swim."}}
    why = {"valueString": "My knee."}
    body = parameters(goal={"resource": new_goal}, reason=why)
    found = by_type(await county.post("/Goal/ada-goal-1/$isp-replace", json=body))
    new, old = found["Goal"]
    assert (old["lifecycleStatus"], old["statusReason"]) == ("cancelled", "My knee.")
    assert new["subject"] == reference("Patient/ada")
    assert found["CarePlan"][0]["goal"][-1] == reference(f"Goal/{new['id']}")
    [moved] = found["ServiceRequest"]
    assert moved["extension"][0]["valueReference"] == reference(f"Goal/{new['id']}")
    assert rules(await county.post("/Goal/ada-goal-1/$isp-replace", json=body)) == ["Goal"]
    other = new_goal | {"subject": reference("Patient/eve")}
    response = await county.post(
        "/Goal/ada-goal-2/$isp-replace", json=parameters(goal={"resource": other}, reason=why)
    )
    assert rules(response) == ["Subject"]
    refused(await county.post("/Goal/ada-goal-2/$isp-replace", json=EMPTY), 400, "required")


async def test_a_detail_becomes_a_resource(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    details: list[Json] = [
        {
            "status": "in-progress",
            "code": {"text": "Therapy"},
            "description": "In the room with the plants.",
            "goal": [reference("Goal/ada-goal-1")],
            "performer": [reference(COUNTY)],
            "scheduledTiming": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}},
        },
        {"status": "not-started", "description": "Walk", "performer": [reference("Patient/ada")]},
    ]
    await load(operator, care_plan(activity=[{"detail": one} for one in details]))
    url = "/CarePlan/ada-plan/$isp-normalize"
    found = by_type(await county.post(url, json=EMPTY))
    [request], [task] = found["ServiceRequest"], found["Task"]
    activities = found["CarePlan"][0]["activity"]
    assert [one["reference"]["reference"] for one in activities] == [
        f"ServiceRequest/{request['id']}",
        f"Task/{task['id']}",
    ]
    assert request["performer"] == [reference(COUNTY)]
    assert request["extension"][0]["valueReference"] == reference("Goal/ada-goal-1")
    assert request["occurrenceTiming"]["repeat"]["frequency"] == 1
    assert (task["owner"], task["description"]) == (reference("Patient/ada"), "Walk")
    assert rules(await county.post(url, json=EMPTY)) == ["Nothing to do"]


async def test_leaving_takes_a_summary_aftercare_and_a_day_to_follow_up(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, active: str
) -> None:
    url = "/CarePlan/ada-plan/$isp-discharge"
    why = {"valueString": "Ada works."}
    assert rules(await county.post(url, json=parameters(reason=why))) == ["C46", "C46", "C46"]
    part = care_plan(id_="ada-out", partOf=[reference("CarePlan/ada-plan")])
    part["category"] = [concept(ISP, "discharge-plan")]
    part["activity"] = [{"detail": {"status": "not-started", "description": "Peer group"}}]
    await load(operator, part)
    whole = parameters(
        reason=why,
        summary={"valueString": "She bakes again."},
        followUp={"valueDateTime": f"{day(30)}T10:00:00Z"},
    )
    found = by_type(await county.post(url, json=whole))
    assert {one["status"] for one in found["CarePlan"]} == {"completed"}
    assert {one["lifecycleStatus"] for one in found["Goal"]} == {"completed"}
    assert {one["status"] for one in found["CareTeam"]} == {"inactive"}
    assert {one["status"] for one in found["Task"]} == {"cancelled"}
    assert found["Provenance"][0]["reason"] == [{"text": "Ada works."}]
    assert '"C46"' not in (await county.get("/CarePlan/ada-plan/$isp-validate")).text
    assert rules(await county.post(url, json=whole)) == ["Status"]


OPERATIONS = [
    "CarePlan/ada-plan/$isp-review",
    "CarePlan/ada-plan/$isp-renew",
    "CarePlan/ada-plan/$isp-normalize",
    "CarePlan/ada-plan/$isp-discharge",
    "Goal/ada-goal-1/$isp-replace",
]
BODY = parameters(reason={"valueString": "Why."}, goal={"resource": goal()})
BODIES = {url: BODY if "replace" in url else EMPTY for url in OPERATIONS} | {
    "CarePlan/ada-plan/$isp-discharge": parameters(reason={"valueString": "Why."})
}


@pytest.mark.parametrize("url", OPERATIONS)
async def test_a_stranger_cannot_tell_the_plan_from_none(
    stranger: httpx.AsyncClient, active: str, url: str
) -> None:
    there = await stranger.post(f"/{url}", json=BODIES[url])
    nowhere = await stranger.post(f"/{url.replace('ada', 'eve')}", json=BODIES[url])
    assert there.status_code == nowhere.status_code == 404
    assert there.text.replace("ada-", "eve-") == nowhere.text


@pytest.mark.parametrize("url", OPERATIONS)
async def test_if_match_is_honoured(county: httpx.AsyncClient, active: str, url: str) -> None:
    stale = await county.post(f"/{url}", json=BODIES[url], headers={"If-Match": 'W/"99"'})
    refused(stale, 412, "conflict", url.partition("/")[0])


@pytest.mark.parametrize("url", [*OPERATIONS, "CarePlan/$isp-create"])
async def test_it_takes_the_scope_to_write(service: Service, active: str, url: str) -> None:
    reader = await service.as_("provider-organization", COUNTY, "system/*.rs")
    body = BODIES.get(url, parameters(subject={"valueReference": reference("Patient/ada")}))
    refused(await reader.post(f"/{url}", json=body), 403, "forbidden")


async def test_nothing_is_left_of_what_could_not_be_finished(
    service: Service, operator: httpx.AsyncClient, active: str, database: Database
) -> None:
    await load(operator, organization("county"))
    narrow = await service.as_("provider-organization", COUNTY, "system/CarePlan.cruds system/*.rs")
    before = await database.fetchval(ROWS)
    refused(await narrow.post("/CarePlan/ada-plan/$isp-renew", json=EMPTY), 403, "forbidden")
    assert await database.fetchval(ROWS) == before


async def test_a_plan_without_a_person_behind_the_token_is_not_renewed(
    service: Service, active: str
) -> None:
    nobody = await service.as_("operator")
    refused(await nobody.post("/CarePlan/ada-plan/$isp-renew", json=EMPTY), 403, "forbidden")
