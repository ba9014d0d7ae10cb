"""$isp-renew, $isp-replace, $isp-normalize and $isp-discharge; what all of them share."""

import httpx
import pytest

from app.isp.codes import ISP
from app.storage.database import Database
from tests.build import care_plan, concept, goal, organization, reference
from tests.http.conftest import COUNTY, Service, load, refused
from tests.http.plan_life import (
    EMPTY,
    ROWS,
    Json,
    active,
    by_type,
    day,
    move,
    parameters,
    ready,
    rules,
    sign,
)

__all__ = ["active", "ready"]


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
