"""Patient/[id]/$everything. https://hl7.org/fhir/R4/patient-operation-everything.html"""

import httpx
import pytest

from tests.build import condition, goal, patient, plan, reference
from tests.http.conftest import COUNTY, Json, Service, found, links, load, refused

ADA = {
    "Patient/ada",
    "CareTeam/ada-team",
    "Condition/ada-need",
    "Goal/ada-goal-1",
    "Goal/ada-goal-2",
    "CarePlan/ada-plan",
}


def task(id_: str) -> Json:
    head = {"resourceType": "Task", "id": id_, "status": "requested", "intent": "order"}
    return head | {"for": reference("Patient/ada")}


def visit(id_: str, **period: str) -> Json:
    head = {"resourceType": "Encounter", "id": id_, "status": "finished", "class": {"code": "HH"}}
    return head | {"subject": reference("Patient/ada"), "period": period}


async def test_everything_of_a_patient_comes_with_what_it_refers_to(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, task("t1"), *plan(person="ben", organization=COUNTY))
    response = await county.get("/Patient/ada/$everything")
    assert set(found(response)) == {*ADA, "Task/t1"}
    assert found(response, "include") == [COUNTY]
    assert response.json()["type"] == "searchset"
    posted = await county.post("/Patient/ada/$everything", json={"resourceType": "Parameters"})
    assert found(posted) == found(response)


async def test_the_pages_together_hold_everything_once(county: httpx.AsyncClient, ada: str) -> None:
    url, seen = "/Patient/ada/$everything?_count=4", []
    while url:
        response = await county.get(url)
        seen.append(found(response))
        url = links(response).get("next", "")
    assert [len(page) for page in seen] == [4, 2]
    assert {each for page in seen for each in page} == ADA
    body = {"resourceType": "Parameters", "parameter": [{"name": "_count", "valueInteger": 4}]}
    posted = await county.post("/Patient/ada/$everything", json=body)
    assert found(await county.get(links(posted)["next"])) == seen[1]


async def test_types_and_instants_narrow_it(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    some = await county.get("/Patient/ada/$everything?_type=Goal,CarePlan")
    assert {each.split("/")[0] for each in found(some)} == {"Goal", "CarePlan"}
    assert found(some, "include") == []
    only = await county.get("/Patient/ada/$everything?_type=Patient")
    assert found(only) == ["Patient/ada"]
    since = (await county.get("/Patient/ada")).json()["meta"]["lastUpdated"]
    late = await load_late(operator)
    response = await county.get(
        "/Patient/ada/$everything", params={"_since": late, "_type": "Goal,Patient"}
    )
    assert found(response) == ["Goal/late"]
    assert since < late


async def load_late(operator: httpx.AsyncClient) -> str:
    await load(operator, goal("late"))
    made: str = (await operator.get("/Goal/late")).json()["meta"]["lastUpdated"]
    return made


async def test_care_dates_narrow_it_and_what_has_none_stays(
    county: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    await load(
        operator,
        patient("ada", COUNTY),
        visit("old", start="2001-01-01", end="2002-01-01"),
        visit("new", start="2026-01-01"),
        condition("undated"),
    )
    url = "/Patient/ada/$everything?_type=Condition,Encounter"
    late = set(found(await county.get(f"{url}&start=2025")))
    assert "Condition/undated" in late
    assert "Encounter/new" in late
    assert "Encounter/old" not in late
    early = set(found(await county.get(f"{url}&end=2001-05")))
    assert "Encounter/new" not in early
    assert "Condition/undated" in early


async def test_it_shows_what_the_caller_may_see_only(
    service: Service, stranger: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    refused(await stranger.get("/Patient/ada/$everything"), 404, "not-found")
    refused(await county.get("/Patient/nobody/$everything"), 404, "not-found")
    narrow = await service.as_("provider-organization", COUNTY, "system/Patient.rs system/Goal.rs")
    response = await narrow.get("/Patient/ada/$everything")
    assert {each.split("/")[0] for each in found(response)} == {"Patient", "Goal"}
    assert found(response, "include") == []
    refused(await narrow.get("/Patient/ada/$everything?_type=CarePlan"), 403, "forbidden")
    blind = await service.as_("provider-organization", COUNTY, "system/Goal.rs")
    refused(await blind.get("/Patient/ada/$everything"), 403, "forbidden")


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "_type=Nonsense",
        "_type=Organization",
        "_since=soon",
        "start=soon",
        "_count=many",
        "_type=Goal&_type=Goal",
        "_page=x",
    ],
)
async def test_a_parameter_that_cannot_be_read_is_refused(
    client: httpx.AsyncClient, query: str
) -> None:
    response = await client.get(f"/Patient/ada/$everything?{query}")
    assert response.status_code == 400


async def test_there_is_none_of_other_types(client: httpx.AsyncClient) -> None:
    for url in ("/Goal/ada-goal-1/$everything", "/Patient/$everything"):
        assert (await client.get(url)).status_code == 404
