"""A search compares with what is shown, never with what was redacted."""

from typing import Any

import httpx

from tests.build import SUD, care_plan, goal, practitioner, reference
from tests.http.conftest import COUNTY, Json, change, found, load
from tests.http.redacted import QUITS, eyes

__all__ = ["eyes"]

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


async def test_what_is_in_the_compartment_of_something_hidden_is_not_told(
    operator: httpx.AsyncClient, eyes: Any
) -> None:
    """Of many types together as of few, or of one."""
    county, partner = eyes
    ada = {"subject": reference("Patient/ada")}
    visit: Json = {"resourceType": "Encounter", "id": "visit", "status": "finished", **SUD, **ada}
    seen: Json = {"resourceType": "Observation", "id": "seen", "status": "final", **ada}
    seen |= {"code": {"text": "Mood"}, "encounter": reference("Encounter/visit")}
    ines: Json = {"resourceType": "RelatedPerson", "id": "ines", **SUD}
    ines |= {"patient": reference("Patient/ada")}
    told = seen | {"id": "told", "performer": [reference("RelatedPerson/ines")]}
    await load(operator, visit | {"class": {"code": "AMB"}}, seen, ines, told)
    assert (await partner.get("/Observation/seen")).status_code == 200
    for center in ("Encounter/visit", "RelatedPerson/ines"):
        for rest in ("*", "*?_type=Observation,CarePlan", "Observation"):
            assert "Observation/told" in found(await county.get(f"/{center}/{rest}"))
            assert found(await partner.get(f"/{center}/{rest}")) == [], (center, rest)
        counted = await partner.get(f"/{center}/*?_summary=count")
        assert counted.json()["total"] == 0


async def test_what_is_part_of_something_hidden_is_not_told(
    operator: httpx.AsyncClient, eyes: Any
) -> None:
    county, partner = eyes
    whole = care_plan(id_="whole", **SUD)
    part = care_plan(id_="part", partOf=[reference("CarePlan/whole")])
    step = care_plan(id_="step", partOf=[reference("CarePlan/part")])
    await load(operator, whole, part, step)
    for url in (
        "CarePlan?part-of:below=CarePlan/whole",
        "CarePlan?_filter=part-of re CarePlan/whole",
        "CarePlan?_has:CarePlan:part-of:part-of:below=CarePlan/whole",
    ):
        assert found(await county.get(f"/{url}")) != [], url
        assert found(await partner.get(f"/{url}")) == [], url
    below = "/CarePlan?part-of:below=CarePlan/part"
    assert found(await partner.get(below)) == ["CarePlan/step"]
    assert found(await partner.get("/CarePlan?part-of:above=CarePlan/step")) == ["CarePlan/step"]


async def test_what_is_found_by_an_element_is_shown_though_an_extension_of_it_is_hidden(
    operator: httpx.AsyncClient, eyes: Any
) -> None:
    county, partner = eyes
    why = {"url": "https://example.org/why", "valueReference": reference("Condition/drugs")}
    name = {"family": "Lovelace", "extension": [why]}
    whole = (await county.get("/Patient/ada")).json()
    await change(operator, whole, name=[*whole["name"], name])
    dated = goal("dated")
    dated["target"] = [{**dated["target"][0], "dueDate": "2027-07-07", "extension": [why]}]
    await load(operator, dated)
    for url, said in (
        ("/Patient?family=Lovelace", "Lovelace"),
        ("/Goal?target-date=2027-07-07", "2027-07-07"),
    ):
        for client, is_whole in ((county, True), (partner, False)):
            [entry] = (await client.get(url)).json()["entry"]
            assert said in str(entry["resource"])
            assert ("Condition/drugs" in str(entry["resource"])) is is_whole


BESIDE = [
    "CarePlan?performer=Practitioner/grace",
    "CarePlan?performer=RelatedPerson/ines",
    "CarePlan?performer:missing=false",
    "CarePlan?performer:Practitioner.family=Grace",
    "CarePlan?_filter=performer eq Practitioner/grace",
    "Practitioner?_has:CarePlan:performer:status=active",
    "Practitioner/grace/CarePlan",
    "Practitioner/grace/*?_type=CarePlan,Goal",
    "Practitioner/grace/*",
    "Provenance?agent=Practitioner/grace",
]
"""What asks who does what."""

ALONG = {
    "CarePlan?_include=CarePlan:performer": "Practitioner/grace",
    "CarePlan?_include=CarePlan:performer:RelatedPerson": "RelatedPerson/ines",
    "CarePlan?_include=*": "Practitioner/grace",
    "RelatedPerson?_id=ines&_revinclude=CarePlan:performer": "CarePlan/ada-plan",
    "Task?_include=Task:focus&_include:iterate=CarePlan:performer": "Practitioner/grace",
    "Patient/ada/$everything?_count=1000": "Practitioner/grace",
}
"""What would bring whom along."""


async def test_who_stands_beside_something_hidden_is_not_found_nor_brought_along(
    operator: httpx.AsyncClient, eyes: Any
) -> None:
    """Who does what serves a hidden goal goes with it, though everybody may know them."""
    county, partner = eyes
    people: list[Json] = [
        {"resourceType": "RelatedPerson", "id": id_, "patient": reference("Patient/ada")} | label
        for id_, label in (("ines", {}), ("covert", SUD))
    ]
    for_whom = {"onBehalfOf": reference("RelatedPerson/covert")}
    for_whom["who"] = reference("Practitioner/grace")
    told: Json = {"resourceType": "Provenance", "id": "told", "recorded": "2026-01-01T00:00:00Z"}
    told |= {"target": [reference("Goal/ada-goal-1")], "agent": [for_whom]}
    task: Json = {"resourceType": "Task", "id": "t", "status": "requested", "intent": "plan"}
    task |= {"for": reference("Patient/ada"), "focus": reference("CarePlan/ada-plan")}
    await load(operator, practitioner("grace"), *people, told, task)
    doing = {"status": "in-progress", "code": QUITS, "goal": [reference("Goal/sober")]}
    doing["performer"] = [reference("Practitioner/grace"), reference("RelatedPerson/ines")]
    whole = (await county.get("/CarePlan/ada-plan")).json()
    await change(operator, whole, activity=[{"detail": doing}])
    own = {"Practitioner/grace"}
    for url in BESIDE:
        assert {*found(await county.get(f"/{url}"))} - own or "_has" in url, url
        kept = own if url.endswith("/*") else set()
        assert {*found(await partner.get(f"/{url}"))} == kept, url
    for url, who in ALONG.items():
        assert who in found(await county.get(f"/{url}"), "include"), url
        assert who not in found(await partner.get(f"/{url}"), "include"), url
