"""A resource leaves without what points to what its reader may not know. docs/security.md"""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.fhir.compartments import DIRECTORY
from app.fhir.references import mentioned
from app.fhir.reindex import reindex
from app.fhir.step import pointers
from app.storage.database import Database
from tests.build import HL7, SUD, condition, goal, plan, practitioner, reference, transaction
from tests.http.conftest import COUNTY, PARTNER, Json, Service, change, found, load, refused

REDACTED = {"system": f"{HL7}/v3-ObservationValue", "code": "REDACTED"}
SUBSETTED = REDACTED | {"code": "SUBSETTED"}
WALKS = {"coding": [{"system": "http://snomed.info/sct", "code": "walking"}]}
QUITS = {"coding": [{"system": "http://snomed.info/sct", "code": "quitting"}]}
RULE = "business-rule"


@pytest.fixture
async def eyes(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient
) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    """The county sees all of Ada's plan; the partner, in her team, not what is about drugs."""
    *ada, mine = plan(PARTNER, organization=COUNTY)
    hidden = {"reference": "Goal/sober", "display": "Sober", "identifier": {"value": "g-7"}}
    mine["goal"].append(hidden)
    mine["addresses"].append(reference("Condition/drugs"))
    mine["text"] = {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml">To be sober</div>',
    }
    mine["activity"] = [activity(WALKS, "Goal/ada-goal-1"), activity(QUITS, "Goal/sober")]
    await load(operator, *ada, condition("drugs", **SUD), goal("sober", **SUD), mine)
    return county, partner


def activity(code: Json, serves: str) -> Json:
    return {"detail": {"status": "in-progress", "code": code, "goal": [reference(serves)]}}


def check_redacted(resource: Json) -> None:
    assert "sober" not in str(resource).lower()
    assert "drugs" not in str(resource)
    assert [each["reference"] for each in resource["goal"]] == [
        "Goal/ada-goal-1",
        "Goal/ada-goal-2",
    ]
    assert [each["detail"]["code"] for each in resource["activity"]] == [WALKS]
    assert REDACTED in resource["meta"]["security"]
    assert SUBSETTED in resource["meta"]["tag"]


async def plans(client: httpx.AsyncClient, url: str) -> list[Json]:
    response = await client.get(url)
    assert response.status_code == 200, response.text
    body = response.json()
    if body["resourceType"] == "CarePlan":
        return [body]
    resources = [entry["resource"] for entry in body["entry"]]
    return [each for each in resources if each["resourceType"] == "CarePlan"]


EXITS = [
    "/CarePlan/ada-plan",
    "/CarePlan/ada-plan/_history/1",
    "/CarePlan/ada-plan/_history",
    "/CarePlan/_history",
    "/_history",
    "/CarePlan?patient=ada",
    "/Patient/ada/CarePlan",
    "/Goal?_id=ada-goal-1&_revinclude=CarePlan:goal",
]


async def test_the_plan_leaves_without_what_is_hidden(eyes: Any) -> None:
    county, partner = eyes
    for url in EXITS:
        [whole] = await plans(county, url)
        assert len(whole["goal"]) == 3
        assert "text" in whole
        assert "tag" not in whole["meta"]
        [copy] = await plans(partner, url)
        check_redacted(copy)


@pytest.mark.parametrize("url", EXITS)
async def test_what_was_stored_before_pointers_were_kept_leaves_alike(
    eyes: Any, database: Database, url: str
) -> None:
    kept = [(await client.get(url)).json() for client in eyes]
    await database.execute("UPDATE resource SET pointers = NULL")
    await database.execute("UPDATE resource_version SET pointers = NULL")
    for client, before in zip(eyes, kept, strict=True):
        after = (await client.get(url)).json()
        assert after.get("entry", after) == before.get("entry", before)


async def test_an_old_version_leaves_without_what_it_alone_refers_to(eyes: Any) -> None:
    county, partner = eyes
    [whole] = await plans(county, "/CarePlan/ada-plan")
    whole["goal"], whole["activity"] = whole["goal"][:1], whole["activity"][:1]
    assert (await county.put("/CarePlan/ada-plan", json=whole)).status_code == 200
    for url in ("/CarePlan/ada-plan/_history/1", "/CarePlan/ada-plan/_history", "/_history"):
        assert "sober" in str((await plans(county, url))[-1]).lower()
        check_redacted((await plans(partner, url))[-1])


async def test_what_is_named_by_our_own_url_is_no_less_hidden(
    eyes: Any, operator: httpx.AsyncClient
) -> None:
    county, partner = eyes
    sober = reference(f"{str(operator.base_url).rstrip('/')}/Goal/sober")
    [whole] = await plans(operator, "/CarePlan/ada-plan")
    whole["goal"], whole["activity"] = [whole["goal"][0], sober], whole["activity"][:1]
    response = await operator.put("/CarePlan/ada-plan", json=whole)
    assert response.status_code == 200, response.text
    for url in ("/CarePlan/ada-plan", "/CarePlan?patient=ada"):
        assert sober in (await plans(county, url))[0]["goal"]
        assert "sober" not in str(await plans(partner, url)).lower()


async def test_what_a_scope_hides_of_the_directory_is_not_shown(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, service: Service
) -> None:
    *ada, mine = plan(organization=COUNTY)
    mine["contributor"] = [reference("Practitioner/here"), reference("Practitioner/away")]
    await load(operator, *ada, practitioner("here"), practitioner("away", active=False), mine)
    scope = "system/CarePlan.rs system/Practitioner.rs?active=true"
    some = await service.as_("provider-organization", COUNTY, scope)
    for url in ("/CarePlan/ada-plan", "/CarePlan?patient=ada"):
        [shown] = await plans(some, url)
        assert shown["contributor"] == [reference("Practitioner/here")]


async def test_the_pointers_that_are_kept_are_those_of_the_text(
    eyes: Any, database: Database, service: Service, operator: httpx.AsyncClient
) -> None:
    engine = service.app.state.engine
    patch = [{"op": "remove", "path": "/addresses"}]
    json_patch = {"Content-Type": "application/json-patch+json"}
    await operator.patch("/CarePlan/ada-plan", json=patch, headers=json_patch)
    await operator.delete("/Goal/sober")
    stored = "SELECT body, pointers FROM resource ORDER BY rid"
    rows = await database.fetch(stored)
    assert [row["pointers"] for row in rows if row["body"] is None] == [[]]
    for row in rows:
        pointed = {
            name for name in mentioned(row["body"] or "") if name.partition("/")[0] not in DIRECTORY
        }
        assert set(row["pointers"]) == pointed
    assert {"Goal/sober", "Patient/ada"} <= {each for row in rows for each in row["pointers"]}
    for body, pointed in await database.fetch("SELECT body, pointers FROM resource_version"):
        assert pointed == pointers(body)
    await database.execute("UPDATE resource SET pointers = NULL")
    await reindex(replace(engine, database=database))
    again = [row["pointers"] for row in await database.fetch(stored) if row["body"]]
    assert again == [row["pointers"] for row in rows if row["body"]]


async def test_it_leaves_a_bundle_and_a_write_like_that_too(eyes: Any) -> None:
    _, partner = eyes
    read = {"request": {"method": "GET", "url": "CarePlan/ada-plan"}}
    for kind in ("batch", "transaction"):
        body = {"resourceType": "Bundle", "type": kind, "entry": [read]}
        response = await partner.post("", json=body)
        check_redacted(response.json()["entry"][0]["resource"])


async def test_a_part_of_it_is_a_part_of_what_is_shown(eyes: Any) -> None:
    _, partner = eyes
    response = await partner.get("/CarePlan/ada-plan?_elements=goal")
    goals = [each["reference"] for each in response.json()["goal"]]
    assert goals == ["Goal/ada-goal-1", "Goal/ada-goal-2"]
    assert response.json()["meta"]["tag"] == [SUBSETTED]


async def test_stored_bytes_leave_unchanged_where_nothing_is_hidden(eyes: Any) -> None:
    county, partner = eyes
    for url in ("/Goal/ada-goal-1", "/CareTeam/ada-team"):
        assert (await partner.get(url)).content == (await county.get(url)).content


async def test_a_redacted_copy_is_never_not_modified(eyes: Any) -> None:
    """Who sees how much of a version changes without the version changing."""
    county, partner = eyes
    known = {"If-None-Match": 'W/"1"'}
    assert (await county.get("/CarePlan/ada-plan", headers=known)).status_code == 304
    assert (await partner.get("/CarePlan/ada-plan", headers=known)).status_code == 200


NOT_FOUND = [
    "CarePlan?goal=Goal/sober",
    "CarePlan?goal=sober",
    "CarePlan?goal:Goal=sober",
    "CarePlan?goal:identifier=g-7",
    "CarePlan?goal=Goal/sober,Goal/nothing",
    "CarePlan?condition=Condition/drugs",
    "CarePlan?activity-code=quitting",
    "CarePlan?goal.lifecycle-status=active&goal._id=sober",
    "Goal?_has:CarePlan:goal:goal=Goal/sober",
    "Patient?_has:CarePlan:patient:goal=Goal/sober",
    "Task?focus:CarePlan.goal=Goal/sober",
    "CareTeam?_has:CarePlan:care-team:condition=Condition/drugs",
]


async def test_a_search_does_not_match_what_is_not_shown(
    operator: httpx.AsyncClient, eyes: Any
) -> None:
    county, partner = eyes
    task: Json = {"resourceType": "Task", "id": "t", "status": "requested", "intent": "plan"}
    about = {"for": reference("Patient/ada"), "focus": reference("CarePlan/ada-plan")}
    await load(operator, task | about)
    for url in NOT_FOUND:
        assert found(await county.get(f"/{url}")) != [], url
        assert found(await partner.get(f"/{url}")) == [], url
        counted = await partner.get(f"/{url}&_summary=count")
        assert counted.json()["total"] == 0


async def test_a_search_matches_what_is_shown_beside_it(eyes: Any) -> None:
    _, partner = eyes
    for url in (
        "CarePlan?goal=Goal/ada-goal-1",
        "CarePlan?goal=Goal/ada-goal-1,Goal/sober",
        "CarePlan?goal:missing=false",
        "CarePlan?condition=ada-need",
        "CarePlan?subject=ada",
        "CarePlan?care-team=CareTeam/ada-team",
        "CarePlan?goal.lifecycle-status=active",
    ):
        assert found(await partner.get(f"/{url}")) == ["CarePlan/ada-plan"], url
    assert found(await partner.get("/CarePlan?goal:missing=true")) == []
    by_directory = await partner.get(f"/Patient?organization={COUNTY}")
    assert found(by_directory) == ["Patient/ada"]


async def test_what_is_shown_as_missing_is_found_as_missing(
    operator: httpx.AsyncClient, eyes: Any
) -> None:
    county, partner = eyes
    whole = (await county.get("/CarePlan/ada-plan")).json()
    await change(operator, whole, goal=[reference("Goal/sober")])
    assert found(await partner.get("/CarePlan?goal:missing=true")) == ["CarePlan/ada-plan"]
    assert found(await partner.get("/CarePlan?goal:missing=false")) == []
    assert found(await county.get("/CarePlan?goal:missing=false")) == ["CarePlan/ada-plan"]


async def test_a_redacted_copy_is_not_written_back(eyes: Any) -> None:
    county, partner = eyes
    before = (await county.get("/CarePlan/ada-plan")).content
    copy = (await partner.get("/CarePlan/ada-plan")).json()
    for headers in ({}, {"If-Match": 'W/"1"'}):
        response = await partner.put("/CarePlan/ada-plan", json=copy, headers=headers)
        assert response.status_code == 422
        assert "PATCH" in response.text
    del copy["meta"]
    said = refused(
        await partner.put("/CarePlan/ada-plan", json=copy), 422, "business-rule", "CarePlan"
    )
    assert "PATCH" in said
    posted = await partner.post("", json=transaction(copy))
    assert posted.status_code == 422
    assert (await county.get("/CarePlan/ada-plan")).content == before


async def test_a_patch_keeps_what_it_does_not_name(eyes: Any) -> None:
    county, partner = eyes
    merge = {"Content-Type": "application/merge-patch+json"}
    before = (await county.get("/CarePlan/ada-plan")).json()
    for name in ("goal", "addresses", "activity"):
        answer = await partner.patch("/CarePlan/ada-plan", json={name: None}, headers=merge)
        assert "not known" in refused(answer, 422, RULE, f"CarePlan.{name}")
    later = {"period": {"start": "2025-09-01", "end": "2026-12-31"}}
    answer = await partner.patch("/CarePlan/ada-plan", json=later, headers=merge)
    assert answer.status_code == 200, answer.text
    after = (await county.get("/CarePlan/ada-plan")).json()
    for name in ("goal", "addresses", "activity"):
        assert after[name] == before[name]


async def test_where_a_redacted_copy_stands_in_a_transaction_is_told(eyes: Any) -> None:
    _, partner = eyes
    copy = (await partner.get("/CarePlan/ada-plan")).json()
    del copy["meta"]
    answer = await partner.post("", json=transaction(goal("ada-goal-1"), copy))
    refused(answer, 422, RULE, "Bundle.entry[1].resource")


async def test_what_is_shown_in_part_is_not_deleted(eyes: Any) -> None:
    county, partner = eyes
    before = (await county.get("/CarePlan/ada-plan")).content
    for url in ("/CarePlan/ada-plan", "/CarePlan?_id=ada-plan"):
        said = refused(await partner.delete(url), 422, "business-rule", "CarePlan")
        assert "sober" not in said
        assert "deletion" in said
    asked = {"request": {"method": "DELETE", "url": "CarePlan/ada-plan"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [asked]}
    assert (await partner.post("", json=bundle)).status_code == 422
    assert (await county.get("/CarePlan/ada-plan")).content == before
    assert (await partner.delete("/Goal/ada-goal-2")).status_code == 204
    assert (await county.delete("/CarePlan/ada-plan")).status_code == 204


async def test_an_operator_deletes_whatever_it_holds(
    operator: httpx.AsyncClient, eyes: Any
) -> None:
    await operator.delete("/Goal/sober")
    assert (await operator.delete("/CarePlan/ada-plan")).status_code == 204


async def test_nobody_learns_what_is_hidden_by_writing_it(eyes: Any) -> None:
    """Whether they guess right or wrong the answer is the same."""
    county, partner = eyes
    whole = (await county.get("/CarePlan/ada-plan")).json()
    wrong = whole | {"goal": [*whole["goal"][:2], reference("Goal/other")]}
    right, off = [
        await partner.put("/CarePlan/ada-plan", json=each | {"title": "Mine"})
        for each in (whole, wrong)
    ]
    assert (right.status_code, right.content) == (off.status_code, off.content)


async def test_who_sees_all_of_it_writes_it_as_ever(eyes: Any) -> None:
    county, _ = eyes
    whole = (await county.get("/CarePlan/ada-plan")).json()
    made = await change(county, whole, title="Ours")
    assert len(made["goal"]) == 3


async def test_a_subsetted_copy_is_not_written_back_by_anyone(eyes: Any) -> None:
    county, _ = eyes
    part = (await county.get("/Goal/ada-goal-1?_elements=description")).json()
    response = await county.put("/Goal/ada-goal-1", json=part)
    refused(response, 422, "business-rule", "Goal")


async def test_a_subsetted_copy_replaces_what_was_deleted(
    operator: httpx.AsyncClient, eyes: Any
) -> None:
    """Nothing is there to be erased; what is tagged so may have come from elsewhere, too."""
    county, _ = eyes
    whole = (await county.get("/Goal/ada-goal-2")).json()
    assert (await county.delete("/Goal/ada-goal-2")).status_code == 204
    await load(operator, whole | {"meta": {"tag": [SUBSETTED]}})
    again = (await operator.get("/Goal/ada-goal-2")).json()
    assert again["meta"]["tag"] == [SUBSETTED]
    await change(operator, again, startDate="2025-10-01")


async def test_an_operation_keeps_what_its_caller_is_not_shown(eyes: Any) -> None:
    county, partner = eyes
    mine = (await county.get("/Goal/ada-goal-1")).json()
    await change(county, mine, addresses=[reference("Condition/drugs")])
    status = {"name": "achievementStatus", "valueCode": "improving"}
    asked = {"resourceType": "Parameters", "parameter": [status]}
    response = await partner.post("/Goal/ada-goal-1/$isp-progress", json=asked)
    assert response.status_code == 200, response.text
    assert "drugs" not in response.text
    kept = (await county.get("/Goal/ada-goal-1")).json()
    assert kept["addresses"] == [reference("Condition/drugs")]
    assert kept["meta"]["versionId"] == "3"


async def test_what_never_existed_is_as_hidden_as_what_may_not_be_known(
    operator: httpx.AsyncClient, eyes: Any
) -> None:
    _, partner = eyes
    before = (await partner.get("/CarePlan/ada-plan")).content
    await operator.delete("/Goal/sober")
    assert (await partner.get("/CarePlan/ada-plan")).content == before


def asked_to_replace(**elements: Any) -> Json:
    wanted = {k: v for k, v in goal().items() if k != "id"} | elements
    why = {"name": "reason", "valueString": "My knee."}
    return {"resourceType": "Parameters", "parameter": [{"name": "goal", "resource": wanted}, why]}


async def test_a_plan_shown_in_part_is_not_renewed(eyes: Any) -> None:
    county, partner = eyes
    body = {"resourceType": "Parameters"}
    said = refused(await partner.post("/CarePlan/ada-plan/$isp-renew", json=body), 422, RULE)
    assert "sober" not in said
    assert "drugs" not in said
    made = await county.post("/CarePlan/ada-plan/$isp-renew", json=body)
    assert made.status_code == 201, made.text


async def test_a_goal_shown_in_part_is_not_replaced(eyes: Any) -> None:
    county, partner = eyes
    mine = (await county.get("/Goal/ada-goal-1")).json()
    await change(county, mine, addresses=[reference("Condition/drugs")])
    url = "/Goal/ada-goal-1/$isp-replace"
    right, wrong = [
        await partner.post(url, json=asked_to_replace(addresses=[reference(to)]))
        for to in ("Condition/drugs", "Condition/other")
    ]
    assert right.content == wrong.content
    plain = await partner.post(url, json=asked_to_replace())
    for response in (right, plain):
        assert "drugs" not in refused(response, 422, RULE)
    assert (await county.get("/Goal/ada-goal-1")).json()["lifecycleStatus"] == "active"
    assert (await county.post(url, json=asked_to_replace())).status_code == 200


async def test_a_detail_that_serves_what_is_hidden_becomes_no_resource(eyes: Any) -> None:
    county, partner = eyes
    mine = (await county.get("/CarePlan/ada-plan")).json()
    await change(county, mine, activity=[activity(QUITS, "Goal/sober")])
    url = "/CarePlan/ada-plan/$isp-normalize"
    body = {"resourceType": "Parameters"}
    assert "sober" not in refused(await partner.post(url, json=body), 422, RULE)
    assert (await county.post(url, json=body)).status_code == 200
