"""Searches over several types: of the system, of a compartment, of a List."""

import httpx
import pytest

from tests.build import care_plan, condition, goal, organization, patient, reference
from tests.http.conftest import COUNTY, Json, Service, found, links, load, refused

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ADA = [
    "Patient/ada",
    "CareTeam/ada-team",
    "Condition/ada-need",
    "Goal/ada-goal-1",
    "Goal/ada-goal-2",
    "CarePlan/ada-plan",
]


async def pages(client: httpx.AsyncClient, url: str) -> list[list[str]]:
    seen = []
    while url:
        response = await client.get(url)
        seen.append(found(response))
        url = links(response).get("next", "")
    return seen


async def test_several_types_are_searched_at_once(county: httpx.AsyncClient, ada: str) -> None:
    both = await county.get("?_type=Goal,CarePlan")
    assert set(found(both)) == {"Goal/ada-goal-1", "Goal/ada-goal-2", "CarePlan/ada-plan"}
    assert links(both)["self"].endswith("/fhir/?_type=Goal%2CCarePlan")
    narrow = await county.get("?_type=Goal,CarePlan&patient=ada&_id=ada-plan,ada-goal-1")
    assert set(found(narrow)) == {"Goal/ada-goal-1", "CarePlan/ada-plan"}
    assert found(await county.get("/?_type=CarePlan&status=active")) == ["CarePlan/ada-plan"]
    posted = await county.post("/_search", data={"_type": "Goal,CarePlan"}, headers=FORM)
    assert found(posted) == found(both)


async def test_all_types_are_searched_where_none_is_named(
    county: httpx.AsyncClient, ada: str
) -> None:
    response = await county.get("?_id=ada,ada-plan,county")
    assert set(found(response)) == {"Patient/ada", "CarePlan/ada-plan", "Organization/county"}


async def test_the_newest_of_all_types_comes_first_page_by_page(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, goal("late"))
    everything = await pages(county, "?_type=Goal,CarePlan,Condition&_count=2")
    assert [len(each) for each in everything] == [2, 2, 1]
    assert everything[0][0] == "Goal/late"
    assert len({each for page in everything for each in page}) == 5
    last = await county.get("?_type=Goal,CarePlan,Condition&_count=2&_sort=_id")
    assert found(last) == ["Goal/ada-goal-1", "Goal/ada-goal-2"]
    second = await county.get(links(last)["next"])
    back = await county.get(links(second)["previous"])
    assert found(back) == found(last)


async def test_totals_add_up(county: httpx.AsyncClient, ada: str) -> None:
    response = await county.get("?_type=Goal,CarePlan&_total=accurate&_count=1")
    assert (response.json()["total"], len(found(response))) == (3, 1)
    for query in ("_summary=count", "_count=0"):
        answer = (await county.get(f"?_type=Goal,CarePlan&{query}")).json()
        assert (answer["total"], "entry" in answer) == (3, False)


async def test_a_system_search_includes(county: httpx.AsyncClient, ada: str) -> None:
    response = await county.get("?_type=CarePlan,CareTeam&_include=CarePlan:goal")
    assert set(found(response, "include")) == {"Goal/ada-goal-1", "Goal/ada-goal-2"}
    response = await county.get("?_type=Goal,Condition&_revinclude=CarePlan:*")
    assert found(response, "include") == ["CarePlan/ada-plan"]
    refused(
        await county.get("?_type=Goal,CareTeam&_include=CarePlan:goal"), 400, "invalid", "_include"
    )


REFUSED = [
    ("?_type=Nonsense", "_type"),
    ("?_type=Goal,AuditEvent", "_type"),
    ("?_type=Goal,CarePlan&lifecycle-status=active", "lifecycle-status"),
    ("?_type=Goal,CarePlan&_sort=patient", "_sort"),
    ("/Goal?_type=Goal", "_type"),
]


@pytest.mark.parametrize(("url", "name"), REFUSED)
async def test_what_not_all_types_know_is_refused(
    client: httpx.AsyncClient, url: str, name: str
) -> None:
    response = await client.get(url)
    assert response.status_code == 400
    assert response.json()["issue"][0]["expression"] == [name]


async def test_what_not_all_types_know_is_passed_over_when_lenient(
    county: httpx.AsyncClient, ada: str
) -> None:
    lenient = {"Prefer": "handling=lenient"}
    url = "?_type=Goal,CarePlan&lifecycle-status=active"
    response = await county.get(url, headers=lenient)
    assert len(found(response)) == 3
    assert response.json()["entry"][-1]["search"]["mode"] == "outcome"


async def test_a_system_search_stays_within_the_scopes(service: Service, ada: str) -> None:
    client = await service.as_("provider-organization", COUNTY, "system/Goal.rs system/Patient.r")
    assert {each.split("/")[0] for each in found(await client.get("?_id=ada,ada-goal-1"))} == {
        "Goal"
    }
    refused(await client.get("?_type=Goal,CarePlan"), 403, "forbidden")
    refused(await client.get("?_type=Patient"), 403, "forbidden")
    refused(await client.get("/Patient/ada/*?_type=CarePlan"), 403, "forbidden")
    assert set(found(await client.get("/Patient/ada/*"))) == {"Goal/ada-goal-1", "Goal/ada-goal-2"}


async def test_a_system_search_shows_nothing_of_whom_one_does_not_support(
    stranger: httpx.AsyncClient, ada: str
) -> None:
    for url in ("?_type=Goal,CarePlan,Patient", "/Patient/ada/*", "?_id=ada"):
        response = await stranger.get(url)
        assert found(response) == []


async def test_a_compartment_is_searched_whole(county: httpx.AsyncClient, ada: str) -> None:
    assert set(found(await county.get("/Patient/ada/*"))) == set(ADA)
    some = await county.get("/Patient/ada/*?_type=Goal,Condition&_count=2")
    assert len(found(some)) == 2
    assert "/Patient/ada/*?" in links(some)["next"]
    assert len(found(await county.get(links(some)["next"]))) == 1
    posted = await county.post("/Patient/ada/*/_search", data={"_type": "Goal"}, headers=FORM)
    assert set(found(posted)) == {"Goal/ada-goal-1", "Goal/ada-goal-2"}
    refused(await county.get("/Patient/ada/*?_type=Organization"), 400, "invalid")


async def test_every_compartment_of_a_supported_type_is_searched(
    county: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    helper: Json = {"resourceType": "RelatedPerson", "id": "ines"}
    visit: Json = {"resourceType": "Encounter", "id": "visit", "status": "finished"}
    await load(
        operator,
        patient("ada", COUNTY, generalPractitioner=[reference("Practitioner/grace")]),
        {"resourceType": "Practitioner", "id": "grace"},
        helper | {"patient": reference("Patient/ada")},
        visit | {"class": {"code": "HH"}, "subject": reference("Patient/ada")},
        condition("need", encounter=reference("Encounter/visit")),
        care_plan(id_="plan", author=reference("RelatedPerson/ines")),
    )
    assert found(await county.get("/Encounter/visit/Condition")) == ["Condition/need"]
    assert "Condition/need" in found(await county.get("/Encounter/visit/*"))
    assert found(await county.get("/RelatedPerson/ines/CarePlan")) == []
    assert found(await county.get("/Practitioner/grace/Patient")) == ["Patient/ada"]
    assert set(found(await county.get("/Practitioner/grace/*"))) == {
        "Patient/ada",
        "Practitioner/grace",
    }


async def test_the_members_of_a_list_and_of_a_group_are_found(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    items = [{"item": reference("Goal/ada-goal-1")}, {"item": reference("Condition/ada-need")}]
    listed: Json = {"resourceType": "List", "id": "mine", "status": "current", "mode": "working"}
    group: Json = {"resourceType": "Group", "id": "all", "type": "person", "actual": True}
    await load(
        operator,
        listed | {"entry": items, "subject": reference("Patient/ada")},
        group | {"member": [{"entity": reference("Patient/ada")}]},
    )
    assert found(await county.get("/Goal?_list=mine")) == ["Goal/ada-goal-1"]
    assert set(found(await county.get("?_list=mine"))) == {"Goal/ada-goal-1", "Condition/ada-need"}
    assert found(await county.get("/Goal?_list=other")) == []
    refused(await county.get("/Goal?_list=$current-problems"), 400, "not-supported", "_list")
    assert found(await county.get("/Group?member=Patient/ada")) == ["Group/all"]
    assert found(await county.get("/Patient?_has:Group:member:_id=all")) == ["Patient/ada"]
    through = "/Goal?patient._has:Group:member:_id=all"
    assert set(found(await county.get(through))) == {"Goal/ada-goal-1", "Goal/ada-goal-2"}


async def test_a_hidden_list_lists_nothing(
    stranger: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    listed: Json = {"resourceType": "List", "id": "mine", "status": "current", "mode": "working"}
    items = [{"item": reference("Organization/county")}]
    await load(operator, patient("ada", COUNTY), organization("county"))
    await load(operator, listed | {"entry": items, "subject": reference("Patient/ada")})
    assert found(await operator.get("/Organization?_list=mine")) == ["Organization/county"]
    assert found(await stranger.get("/Organization?_list=mine")) == []


async def test_contained_resources_are_not_searched_and_that_is_said(
    county: httpx.AsyncClient, ada: str
) -> None:
    assert len(found(await county.get("/Goal?_contained=false"))) == 2
    for value in ("true", "both", "x"):
        refused(await county.get(f"/Goal?_contained={value}"), 400, "not-supported", "_contained")


async def test_what_is_not_included_is_said(
    county: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    chain = [organization("o0")]
    chain += [
        organization(f"o{n}", partOf=reference(f"Organization/o{n - 1}")) for n in range(1, 8)
    ]
    await load(operator, *chain)
    url = "/Organization?_id=o7&_include:iterate=Organization:partof"
    response = await county.get(url)
    assert set(found(response, "include")) == {
        "Organization/o6",
        "Organization/o5",
        "Organization/o4",
        "Organization/o3",
    }
    outcome = response.json()["entry"][-1]
    assert outcome["search"]["mode"] == "outcome"
    assert outcome["resource"]["issue"][0]["code"] == "incomplete"
    short = await county.get("/Organization?_id=o4&_include:iterate=Organization:partof")
    assert len(found(short, "include")) == 4
    assert len(short.json()["entry"]) == 5


async def test_chains_and_reverse_chains_nest(county: httpx.AsyncClient, ada: str) -> None:
    name = "organization.name"
    assert found(
        await county.get("/Goal?patient.organization:Organization.name=county&_id=ada-goal-1")
    )
    nested = "/Organization?_has:Patient:organization:_has:Goal:patient:lifecycle-status=active"
    assert found(await county.get(nested)) == ["Organization/county"]
    negated = "/Patient?_has:Goal:patient:lifecycle-status:not=active"
    assert found(await county.get(negated)) == []
    chained = f"/Patient?_has:CarePlan:patient:goal.patient.{name}=county"
    assert found(await county.get(chained)) == ["Patient/ada"]
    far = "patient.organization." + "partof." * 9 + "name=x"
    refused(await county.get(f"/Goal?{far}"), 400, "invalid", "partof.partof.name")
