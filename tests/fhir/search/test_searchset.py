"""The search interaction: parameters that shape the result, links, and the Bundle itself."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.fhir import json
from app.fhir.access import EVERYONE, Access, InCompartment
from app.fhir.audit import AuditLog
from app.fhir.context import Agent, Call, Context, Preference
from app.fhir.engine import Engine, Policy
from app.fhir.errors import BadRequest
from app.fhir.interactions.search import search_type
from tests.build import care_plan, goal, patient, plan, reference
from tests.fhir.search.conftest import ALL, BASE

ANN = Agent(client="ann", role="clinician")


class Searcher:
    """Runs the search interaction and reads the Bundle it answers with."""

    def __init__(self, database: Any) -> None:
        policy = Policy(page_size=3, max_page_size=5)
        engine = Engine(database, AuditLog(database), (), BASE, b"k" * 32, policy, (), (), (), {})
        now = datetime(2026, 1, 1, tzinfo=UTC)
        self.context = Context(engine, ANN, {"s": ALL}, {"s": ALL}, EVERYONE, "r1", now, BASE)

    async def result(self, url: str, **context: Any) -> Any:
        path, _, query = url.removeprefix(f"{BASE}/").partition("?")
        *compartment, type_ = path.split("/")
        call = Call(
            interaction="search-type",
            type=type_,
            compartment=tuple(compartment) or None,
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            prefer=Preference(handling=context.pop("handling", "strict")),
        )
        return await search_type(replace(self.context, **context), call)

    async def bundle(self, url: str, **context: Any) -> dict[str, Any]:
        return json.parse((await self.result(url, **context)).content)


@pytest.fixture
def searcher(shelf) -> Searcher:
    return Searcher(shelf.database)


def ids(bundle: dict[str, Any], mode: str = "match") -> list[str]:
    found = [e for e in bundle.get("entry", ()) if e["search"]["mode"] == mode]
    return [entry["resource"]["id"] for entry in found]


def links(bundle: dict[str, Any]) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in bundle["link"]}


def query(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


async def test_a_searchset_holds_the_stored_resources(shelf, searcher) -> None:
    await shelf.put(*plan(goals=1))
    found = await searcher.bundle("CarePlan?patient=ada&_include=CarePlan:goal")
    assert found["resourceType"] == "Bundle"
    assert found["type"] == "searchset"
    assert "total" not in found
    assert [entry["fullUrl"] for entry in found["entry"]] == [
        f"{BASE}/CarePlan/ada-plan",
        f"{BASE}/Goal/ada-goal-1",
    ]
    assert [entry["search"]["mode"] for entry in found["entry"]] == ["match", "include"]
    stored = json.parse((await shelf.rows("Goal?"))[0]["body"].encode())
    assert found["entry"][1]["resource"] == stored


async def test_an_empty_searchset_has_no_entries(shelf, searcher) -> None:
    found = await searcher.bundle("Goal?patient=nobody")
    assert "entry" not in found
    assert links(found) == {"self": f"{BASE}/Goal?patient=nobody"}


async def test_the_answer_names_whom_it_is_about(shelf, searcher) -> None:
    await shelf.put(*plan(), *plan(person="ben"))
    result = await searcher.result("CarePlan?_include=CarePlan:goal")
    assert result.patients == ("ada", "ben")


async def test_links_lead_through_the_pages_and_back(shelf, searcher) -> None:
    await shelf.put(*(goal(f"g{i}") for i in range(7)))
    first = await searcher.bundle("Goal?patient=ada&_sort=_id")
    assert ids(first) == ["g0", "g1", "g2"]
    assert set(links(first)) == {"self", "first", "next"}
    second = await searcher.bundle(links(first)["next"])
    assert ids(second) == ["g3", "g4", "g5"]
    assert links(second)["self"] == links(first)["next"]
    third = await searcher.bundle(links(second)["next"])
    assert ids(third) == ["g6"]
    assert set(links(third)) == {"self", "first", "previous"}
    back = await searcher.bundle(links(third)["previous"])
    assert ids(back) == ["g3", "g4", "g5"]
    begin = await searcher.bundle(links(back)["previous"])
    assert ids(begin) == ["g0", "g1", "g2"]
    assert "previous" not in links(begin)
    assert ids(await searcher.bundle(links(third)["first"])) == ["g0", "g1", "g2"]


async def test_a_page_link_serves_only_its_caller_and_its_search(shelf, searcher) -> None:
    await shelf.put(*(goal(f"g{i}") for i in range(5)))
    url = links(await searcher.bundle("Goal?patient=ada"))["next"]
    with pytest.raises(BadRequest):
        await searcher.bundle(url, agent=Agent(client="bob", role="clinician"))
    with pytest.raises(BadRequest):
        await searcher.bundle(url, agent=replace(ANN, user="bob"))
    with pytest.raises(BadRequest):
        await searcher.bundle(url.replace("patient=ada", "patient=ben"))
    with pytest.raises(BadRequest):
        await searcher.bundle(url.replace("/Goal?", "/Condition?"))
    with pytest.raises(BadRequest):
        await searcher.bundle(url[:-1] + ("A" if url[-1] != "A" else "B"))
    for page in ("x", "", "ä", "AAAA" * 30):
        with pytest.raises(BadRequest):
            await searcher.bundle(f"Goal?patient=ada&_page={page}")


async def test_a_page_is_judged_by_the_access_of_now(shelf, searcher) -> None:
    await shelf.put(*(goal(f"g{i}") for i in range(5)))
    url = links(await searcher.bundle("Goal?"))["next"]
    access: dict[str, Access] = {"s": InCompartment("ben")}
    assert ids(await searcher.bundle(url, access=access)) == []
    assert ids(await searcher.bundle(url, access={})) == []


async def test_the_self_link_shows_what_was_used(shelf, searcher) -> None:
    await shelf.put(*(goal(f"g{i}") for i in range(7)))
    found = await searcher.bundle("Goal?_count=99999999999&x=1&_sort=-_id", handling="lenient")
    assert query(links(found)["self"]) == {"_count": "5", "_sort": "-_id"}
    assert len(ids(found)) == 5


async def test_a_total_counts_what_the_caller_may_see(shelf, searcher) -> None:
    await shelf.put(*(goal(f"g{i}") for i in range(7)), goal("g9", "Patient/ben"))
    assert (await searcher.bundle("Goal?_total=accurate"))["total"] == 8
    access: dict[str, Access] = {"s": InCompartment("ada")}
    found = await searcher.bundle("Goal?_total=accurate&_include=Goal:patient", access=access)
    assert found["total"] == 7
    assert "total" not in await searcher.bundle("Goal?_total=none")
    for counted in ("_count=0", "_summary=count"):
        empty = await searcher.bundle(f"Goal?{counted}", access=access)
        assert (empty["total"], "entry" in empty) == (7, False)
    assert (await searcher.bundle("Goal?_total=accurate", access={}))["total"] == 0


async def test_an_unknown_parameter_is_refused_naming_the_valid_ones(shelf, searcher) -> None:
    with pytest.raises(BadRequest, match=r"'colour'.*achievement-status.*lifecycle-status"):
        await searcher.bundle("Goal?colour=red")
    with pytest.raises(BadRequest, match="'_query' is not supported"):
        await searcher.bundle("Goal?_query=x")
    with pytest.raises(BadRequest, match="takes: :missing, :not, :in"):
        await searcher.bundle("Goal?lifecycle-status:of-type=x")


async def test_lenient_handling_ignores_what_is_unknown_and_says_so(shelf, searcher) -> None:
    await shelf.put(goal("g1"), goal("g2", "Patient/ben"))
    found = await searcher.bundle("Goal?colour=red&patient=ada&patient.x=1", handling="lenient")
    assert ids(found) == ["g1"]
    (outcome,) = [e for e in found["entry"] if e["search"]["mode"] == "outcome"]
    issues = outcome["resource"]["issue"]
    assert [issue["expression"] for issue in issues] == [["colour"], ["patient.x"]]
    assert {issue["severity"] for issue in issues} == {"warning"}
    assert query(links(found)["self"]) == {"patient": "ada"}


@pytest.mark.parametrize(
    "text",
    [
        "patient=",
        "_count=-1",
        "_count=x",
        "_count=",
        "_total=some",
        "_summary=most",
        "patient=a%00b",
        "patient:missing=maybe",
        "patient:=x",
        "_id=\udc80",
    ],
)
async def test_a_value_that_cannot_be_read_is_refused_even_when_lenient(searcher, text) -> None:
    with pytest.raises(BadRequest):
        await searcher.bundle(f"Goal?{text}", handling="lenient")


@pytest.mark.parametrize(
    "url",
    [
        "Provenance?target.subject.identifier=x",
        f"Goal?_id={','.join('a' * 501)}",
        f"Goal?{'&'.join(['_id=a'] * 51)}",
    ],
)
async def test_a_search_that_is_out_of_all_proportion_is_refused(searcher, url: str) -> None:
    with pytest.raises(BadRequest):
        await searcher.bundle(url)


async def test_parts_of_resources_can_be_asked_for(shelf, searcher) -> None:
    await shelf.put(*plan(goals=1))
    found = await searcher.bundle("CarePlan?_elements=period&_include=CarePlan:goal")
    main = found["entry"][0]["resource"]
    assert "period" in main
    assert "title" not in main
    assert "goal" not in main
    short = await searcher.bundle("CarePlan?_summary=text")
    assert "title" not in short["entry"][0]["resource"]


async def test_a_compartment_is_searched_and_its_links_stay_in_it(shelf, searcher) -> None:
    await shelf.put(*(goal(f"g{i}") for i in range(4)), goal("g9", "Patient/ben"))
    found = await searcher.bundle("Patient/ada/Goal?lifecycle-status=active")
    assert ids(found) == ["g3", "g2", "g1"]
    assert links(found)["next"].startswith(f"{BASE}/Patient/ada/Goal?")
    assert ids(await searcher.bundle(links(found)["next"])) == ["g0"]


async def test_a_match_is_not_included_again(shelf, searcher) -> None:
    await shelf.put(care_plan(id_="p1"), care_plan(id_="p2", partOf=[reference("CarePlan/p1")]))
    found = await searcher.bundle("CarePlan?_include=CarePlan:part-of")
    assert (ids(found), ids(found, "include")) == (["p2", "p1"], [])
    found = await searcher.bundle("CarePlan?_include=CarePlan:part-of&_count=1")
    assert (ids(found), ids(found, "include")) == (["p2"], ["p1"])


async def test_a_resource_that_several_point_to_is_included_once(shelf, searcher) -> None:
    await shelf.put(patient("ada"), goal("g1"), goal("g2"))
    url = "Goal?_include=Goal:patient&_include=Goal:subject&_include:iterate=Goal:subject"
    assert ids(await searcher.bundle(url), "include") == ["ada"]
