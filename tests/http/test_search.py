"""https://hl7.org/fhir/R4/http.html#search; parameter by parameter in tests/fhir/search."""

import httpx
import pytest

from app.storage.database import Database
from tests.build import care_plan, care_team, consent, goal, patient, plan
from tests.http.conftest import (
    COUNTY,
    PARTNER,
    Json,
    Service,
    create,
    found,
    links,
    load,
    pages,
    refused,
    serving,
)
from tests.http.wire import send

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PULL = "/CarePlan?patient=ada&status=active&_include=CarePlan:goal&_include=CarePlan:care-team"
SHELF = [f"Goal/g{number}" for number in range(7)]


@pytest.fixture
async def shelf(operator: httpx.AsyncClient, county: httpx.AsyncClient) -> httpx.AsyncClient:
    """The county with a patient zed who has seven goals, and one who has another."""
    await load(operator, patient("zed", COUNTY), patient("yan", COUNTY))
    dates = [f"2026-01-0{number + 1}" for number in range(7)]
    made = [goal(f"g{at}", "Patient/zed", startDate=day) for at, day in enumerate(dates)]
    await load(operator, *made, goal("other", "Patient/yan"))
    return county


async def test_an_ehr_pulls_the_plan_in_one_request(county: httpx.AsyncClient, ada: str) -> None:
    response = await county.get(PULL)
    assert found(response) == ["CarePlan/ada-plan"]
    assert set(found(response, "include")) == {
        "Goal/ada-goal-1",
        "Goal/ada-goal-2",
        "CareTeam/ada-team",
    }
    assert response.json()["type"] == "searchset"
    for entry in response.json()["entry"]:
        url = entry["fullUrl"]
        assert (await county.get(url)).json() == entry["resource"]


async def test_an_include_brings_what_may_be_seen_only(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    """Ada's plan mentions a goal of Ben, whom the partner does not support."""
    await load(operator, patient("ben", COUNTY), goal("ben-goal", "Patient/ben"), consent(PARTNER))
    await load(operator, care_plan("Goal/ada-goal-1", "Goal/ben-goal", id_="ada-plan"))
    response = await partner.get("/CarePlan?_include=CarePlan:goal&_include=CarePlan:subject")
    assert set(found(response, "include")) == {"Goal/ada-goal-1", "Patient/ada"}


async def test_nothing_is_found_of_whom_one_does_not_support(
    stranger: httpx.AsyncClient, ada: str
) -> None:
    for url in (PULL, "/Patient", "/Patient?name=ada", "/Goal?patient=ada", "/Patient/ada/Goal"):
        response = await stranger.get(url)
        assert found(response) == found(response, "include") == []
    for url in ("/Patient?_total=accurate", "/Goal?patient=ada&_summary=count"):
        assert (await stranger.get(url)).json()["total"] == 0


async def test_an_unknown_parameter_is_named_and_the_known_ones_listed(
    county: httpx.AsyncClient, ada: str
) -> None:
    response = await county.get("/Goal?colour=red")
    assert response.status_code == 400
    [issue] = response.json()["issue"]
    assert issue["expression"] == ["colour"]
    for word in ("colour", "lifecycle-status", "start-date", "_lastUpdated"):
        assert word in issue["diagnostics"]


async def test_an_unknown_parameter_is_passed_over_when_lenient_and_reported(
    county: httpx.AsyncClient, ada: str
) -> None:
    lenient = {"Prefer": "handling=lenient"}
    response = await county.get("/Goal?colour=red&patient=ada&_total=accurate", headers=lenient)
    assert len(found(response)) == response.json()["total"] == 2
    outcome = response.json()["entry"][-1]
    assert outcome["search"]["mode"] == "outcome"
    [issue] = outcome["resource"]["issue"]
    assert issue["severity"] == "warning"
    assert "colour" in issue["diagnostics"]
    assert "colour" not in links(response)["self"]
    strict = await county.get("/Goal?colour=red", headers={"Prefer": "handling=strict"})
    assert strict.status_code == 400


async def test_lenient_is_not_blind(county: httpx.AsyncClient, ada: str) -> None:
    """A value that cannot be read would widen the search if it were passed over."""
    lenient = {"Prefer": "handling=lenient"}
    for query in ("start-date=soon", "patient=", "_count=many", "_sort=colour"):
        response = await county.get(f"/Goal?{query}", headers=lenient)
        assert response.status_code == 400, query


async def test_a_search_may_be_posted(county: httpx.AsyncClient, ada: str) -> None:
    form = {"patient": "ada", "lifecycle-status": "active"}
    got = await county.get("/Goal", params=form)
    posted = await county.post("/Goal/_search", data=form, headers=FORM)
    assert found(posted) == found(got) != []
    assert links(posted)["self"] == links(got)["self"]
    both = await county.post("/Goal/_search?patient=ada", data={"_id": "ada-goal-1"}, headers=FORM)
    assert found(both) == ["Goal/ada-goal-1"]
    bare = await county.post("/Goal/_search")
    assert len(found(bare)) == 2
    compartment = await county.post("/Patient/ada/Goal/_search", data=form, headers=FORM)
    assert found(compartment) == found(got)


async def test_a_posted_search_is_a_form_in_utf_8(county: httpx.AsyncClient, ada: str) -> None:
    refused(await county.post("/Goal/_search", json={"patient": "ada"}), 415, "not-supported")
    response = await county.post("/Patient/_search", content=b"name=\xff", headers=FORM)
    refused(response, 400, "value")
    response = await county.post("/Patient/_search", content=b"name=%ff", headers=FORM)
    refused(response, 400, "value")


async def test_a_name_with_an_accent_is_found_however_it_is_spelled(
    county: httpx.AsyncClient,
) -> None:
    made = await create(county, patient(organization=COUNTY, name=[{"family": "Ærø-Müller"}]))
    place = [f"Patient/{made['id']}"]
    assert found(await county.get("/Patient", params={"family": "Ærø"})) == place
    assert found(await county.get("/Patient?family=%C3%86r%C3%B8")) == place
    assert found(await county.get("/Patient", params={"family:contains": "muller"})) == place


async def test_bytes_in_a_query_are_utf_8_even_when_nobody_encoded_them(
    service: Service, county: httpx.AsyncClient
) -> None:
    """curl sends what it is given."""
    made = await create(county, patient(organization=COUNTY, name=[{"family": "Ærø"}]))
    for query, expected in (("family=Ærø", [f"Patient/{made['id']}"]), ("family=Ørø", [])):
        response = await send(service.app, county, "GET /Patient", query=query.encode())
        assert found(response) == expected
    refused(await send(service.app, county, "GET /Patient", query=b"name=\xff"), 400, "value")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
async def test_pages_partition_the_result(shelf: httpx.AsyncClient, size: int) -> None:
    url = f"/Goal?patient=zed&_sort=start-date&_count={size}"
    parts = [found(page) async for page in pages(shelf, url)]
    assert [name for part in parts for name in part] == SHELF
    assert all(len(part) == size for part in parts[:-1])
    assert parts[-1]


async def test_pages_lead_back_the_way_they_came(shelf: httpx.AsyncClient) -> None:
    url = "/Goal?patient=zed&_sort=start-date&_count=3"
    seen = [page async for page in pages(shelf, url)]
    assert "previous" not in links(seen[0])
    for page, before in zip(seen[1:], seen, strict=False):
        assert found(await shelf.get(links(page)["previous"])) == found(before)
        assert found(await shelf.get(links(page)["first"])) == found(seen[0])


async def test_the_self_link_leads_to_the_same_page(shelf: httpx.AsyncClient) -> None:
    async for page in pages(shelf, "/Goal?patient=zed&_sort=-start-date&_count=3"):
        assert found(await shelf.get(links(page)["self"])) == found(page)


async def test_what_comes_between_does_not_shift_the_pages(shelf: httpx.AsyncClient) -> None:
    seen = []
    async for page in pages(shelf, "/Goal?patient=zed&_sort=start-date&_count=2"):
        seen += found(page)
        await create(shelf, goal(patient="Patient/zed", startDate="2025-01-01"))
        await shelf.delete("/Goal/g0")
    assert seen == SHELF


async def test_a_page_link_is_bound_to_caller_and_query(
    shelf: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    link = links(await shelf.get("/Goal?patient=zed&_count=2"))["next"]
    refused(await operator.get(link), 400, "value")
    refused(await shelf.get(link.replace("zed", "yan")), 400, "value")
    refused(await shelf.get(link.replace("/Goal?", "/CarePlan?")), 400, "value")
    refused(await shelf.get(f"{link[:-4]}AAAA"), 400, "value")


async def test_a_page_is_judged_anew(shelf: httpx.AsyncClient, operator: httpx.AsyncClient) -> None:
    link = links(await shelf.get("/Goal?patient=zed&_count=2"))["next"]
    await load(operator, consent(COUNTY, "deny", patient="Patient/zed"))
    assert found(await shelf.get(link)) == []


async def test_a_total_counts_when_it_is_asked_for(shelf: httpx.AsyncClient) -> None:
    assert "total" not in (await shelf.get("/Goal?patient=zed&_count=2")).json()
    page = await shelf.get("/Goal?patient=zed&_count=2&_total=accurate")
    assert (page.json()["total"], len(found(page))) == (7, 2)
    second = await shelf.get(links(page)["next"])
    assert second.json()["total"] == 7
    count = await shelf.get("/Goal?patient=zed&_summary=count")
    assert count.json()["total"] == 7
    assert "entry" not in count.json()
    nothing = await shelf.get("/Goal?patient=zed&_count=0")
    assert nothing.json()["total"] == 7


async def test_an_empty_result_is_a_bundle_too(county: httpx.AsyncClient, ada: str) -> None:
    response = await county.get("/Goal?patient=nobody&_total=accurate")
    assert response.json()["total"] == 0
    assert "entry" not in response.json()


async def test_a_compartment_holds_what_is_about_one_patient(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, patient("ben", COUNTY), goal("ben-goal", "Patient/ben"))
    assert found(await county.get("/Patient/ben/Goal")) == ["Goal/ben-goal"]
    both = await county.get("/Patient/ada/Goal?lifecycle-status=active&_sort=_id")
    assert found(both) == ["Goal/ada-goal-1", "Goal/ada-goal-2"]
    assert "/Patient/ada/Goal?" in links(both)["self"]
    assert found(await county.get("/Patient/nobody/Goal")) == []


async def test_what_a_batch_finds_is_what_a_search_finds(
    county: httpx.AsyncClient, ada: str
) -> None:
    entry: Json = {"request": {"method": "GET", "url": PULL[1:]}}
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    [answer] = (await county.post("", json=bundle)).json()["entry"]
    assert answer["resource"] == (await county.get(PULL)).json()


async def test_the_page_size_is_the_operators(dsn: str, shelf: httpx.AsyncClient) -> None:
    async with serving(dsn, page_size=2, max_page_size=4) as small:
        client = await small.as_("provider-organization", COUNTY)
        assert len(found(await client.get("/Goal?patient=zed"))) == 2
        capped = await client.get("/Goal?patient=zed&_count=100")
        assert len(found(capped)) == 4
        assert "_count=4" in links(capped)["self"]
        assert len((await client.get("/Goal/_history")).json()["entry"]) == 2


async def test_every_plan_of_the_county_with_its_people(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, *plan(person="ben", organization=COUNTY))
    await load(operator, care_team(COUNTY, id_="second", patient="Patient/ben"))
    response = await county.get("/CarePlan?_include=CarePlan:subject&_sort=_id")
    assert found(response) == ["CarePlan/ada-plan", "CarePlan/ben-plan"]
    assert set(found(response, "include")) == {"Patient/ada", "Patient/ben"}
    back = await county.get("/Patient?_id=ben&_revinclude=CareTeam:patient")
    assert set(found(back, "include")) == {"CareTeam/ben-team", "CareTeam/second"}


async def test_pages_sorted_by_a_code_lead_through_all_and_back(shelf: httpx.AsyncClient) -> None:
    url = "/Goal?patient=zed&_sort=lifecycle-status,start-date&_count=3"
    seen = [response async for response in pages(shelf, url)]
    assert [each for response in seen for each in found(response)] == SHELF
    back = await shelf.get(links(seen[1])["previous"])
    assert found(back) == SHELF[:3]


async def test_an_estimate_is_the_planners_for_who_sees_everything(
    shelf: httpx.AsyncClient, operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few are counted; how many there are in all is told to nobody who does not see them."""
    url = "/Goal?_total=estimate&_count=2"
    everything = (await operator.get("/Goal?_total=accurate")).json()["total"]
    assert (await operator.get(url)).json()["total"] == everything
    monkeypatch.setattr("app.fhir.search.find.MANY", 0)
    asked: list[str] = []
    search = Database.search

    async def noted(self: Database, sql: str, *args: object) -> object:
        asked.append(sql)
        return await search(self, sql, *args)

    monkeypatch.setattr(Database, "search", noted)
    page = await operator.get(url)
    assert len(found(page)) == 2
    assert page.json()["total"] >= 0
    assert (await operator.get("/?_type=Goal,Patient&_total=estimate")).json()["total"] >= 0
    assert "entry" not in (await operator.get("/Goal?_total=estimate&_count=0")).json()
    assert len([sql for sql in asked if sql.startswith("EXPLAIN")]) == 3
    seen = await shelf.get("/Goal?patient=zed&_total=estimate")
    assert seen.json()["total"] == 7
    assert len([sql for sql in asked if sql.startswith("EXPLAIN")]) == 3
