"""References within a transaction: by a condition, to other entries, in narratives."""

from uuid import uuid4

import httpx
import pytest

from tests.build import care_plan, goal, organization, patient, reference
from tests.http.conftest import Service, create, load, refused
from tests.http.transactions import answers, bundle, places, posting, statuses
from tests.http.wishes import MINE, once, wish


async def test_a_reference_may_say_what_is_meant(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    made = await create(county, wish())
    base = str(county.base_url).rstrip("/")
    for text in (f"Goal?{MINE}", f"{base}/Goal?{MINE}", f"Goal?_id={made['id']}&patient=ada"):
        [entry] = await answers(county, posting(care_plan(text)))
        plan = (await county.get(f"/{places([entry])[0]}")).json()
        assert plan["goal"] == [reference(f"Goal/{made['id']}")]


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        (f"Goal?{MINE}9", 422, "not-found"),
        ("Goal?patient=ada", 412, "multiple-matches"),
        ("Goal?colour=red", 400, "invalid"),
        ("Goal?", 400, "required"),
        ("Goal?_count=1", 400, "value"),
    ],
)
async def test_a_reference_that_means_not_exactly_one_is_refused(
    client: httpx.AsyncClient, unchanged: None, text: str, status: int, code: str
) -> None:
    response = await client.post("", json=bundle(posting(goal()), posting(care_plan(text))))
    assert response.status_code == status, response.text
    [issue] = response.json()["issue"]
    assert issue["code"] == code
    assert issue["expression"][0].startswith("Bundle.entry[1]")


async def test_a_reference_does_not_find_what_is_hidden(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, organization("elsewhere"), patient("eve", "Organization/elsewhere"))
    await create(operator, wish() | {"subject": {"reference": "Patient/eve"}})
    hidden = await county.post("", json=bundle(posting(care_plan(f"Goal?{MINE}"))))
    unknown = await county.post("", json=bundle(posting(care_plan(f"Goal?{MINE}0"))))
    refused(hidden, 422, "not-found", "Bundle.entry[0].resource.goal[0]")
    assert hidden.text == unknown.text


async def test_a_reference_needs_the_scope_to_search(
    service: Service, county: httpx.AsyncClient, ada: str
) -> None:
    writer = await service.as_(
        "provider-organization", "Organization/county", scope="system/CarePlan.c system/Goal.r"
    )
    made = await create(county, wish())
    response = await writer.post("", json=bundle(posting(care_plan(f"Goal?_id={made['id']}"))))
    refused(response, 403, "forbidden", "Bundle.entry[0]")


async def test_a_reference_finds_what_the_same_transaction_makes(
    county: httpx.AsyncClient, ada: str
) -> None:
    by_identifier = posting(care_plan(f"Goal?{MINE}"))
    answered = await answers(county, by_identifier, posting(wish()))
    plan = (await county.get(f"/{places(answered)[0]}")).json()
    assert plan["goal"] == [reference(places(answered)[1])]
    twice = await county.post("", json=bundle(by_identifier, posting(wish())))
    refused(twice, 412, "multiple-matches", "Bundle.entry[0].resource.goal[0]")


async def test_a_reference_finds_what_is_made_under_the_same_condition(
    county: httpx.AsyncClient, ada: str
) -> None:
    condition = f"patient=ada&{MINE}"
    answered = await answers(
        county,
        posting(care_plan(f"Goal?{MINE}&patient=ada")),
        once(wish(), condition=condition),
    )
    plan = (await county.get(f"/{places(answered)[0]}")).json()
    assert plan["goal"] == [reference(places(answered)[1])]


async def test_a_version_of_another_entry_is_the_current_one(
    county: httpx.AsyncClient, ada: str
) -> None:
    mine = f"urn:uuid:{uuid4()}"
    answered = await answers(
        county, posting(goal(), mine), posting(care_plan(f"{mine}/_history/1"))
    )
    plan = (await county.get(f"/{places(answered)[1]}")).json()
    assert plan["goal"] == [reference(places(answered)[0])]


async def test_the_links_of_a_narrative_follow_and_canonicals_do_not(
    county: httpx.AsyncClient, ada: str
) -> None:
    mine = f"urn:uuid:{uuid4()}"
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{mine}">goal</a> {mine}</div>'
    plan = care_plan(mine, text={"status": "generated", "div": div}, instantiatesCanonical=[mine])
    answered = await answers(county, posting(plan), posting(goal(), mine))
    plan_at, goal_at = places(answered)
    made = (await county.get(f"/{plan_at}")).json()
    assert made["instantiatesCanonical"] == [mine]
    assert made["text"]["div"] == div.replace(f'"{mine}"', f'"{goal_at}"')


@pytest.mark.parametrize("scheme", ["urn:uuid:", "urn:oid:"])
async def test_a_temporary_address_means_nothing_outside_of_a_transaction(
    county: httpx.AsyncClient, ada: str, scheme: str
) -> None:
    plan = care_plan(f"{scheme}1.2.3")
    bare = {name: value for name, value in plan.items() if name != "id"}
    refused(await county.post("/CarePlan", json=bare), 422, "not-found", "CarePlan.goal[0]")
    response = await county.put("/CarePlan/ada-plan", json=plan)
    refused(response, 422, "not-found", "CarePlan.goal[0]")
    batch = {**bundle(posting(goal(), f"{scheme}1.2.3"), posting(plan)), "type": "batch"}
    entries = (await county.post("", json=batch)).json()["entry"]
    assert statuses(entries) == ["201", "422"]


async def test_a_conditional_reference_means_nothing_outside_of_a_transaction(
    county: httpx.AsyncClient, ada: str
) -> None:
    made = await create(county, wish())
    batch = {**bundle(posting(care_plan(f"Goal?_id={made['id']}"))), "type": "batch"}
    [entry] = (await county.post("", json=batch)).json()["entry"]
    assert statuses([entry]) == ["400"]
