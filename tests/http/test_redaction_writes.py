"""What its writer was shown in part is not lost, and tells nothing."""

from typing import Any

import httpx

from tests.build import goal, reference, transaction
from tests.http.conftest import Json, change, load, refused
from tests.http.redacted import QUITS, RULE, SUBSETTED, activity, eyes

__all__ = ["eyes"]


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
