"""A search tells no more of a resource than its copy shows. docs/decisions/0015-redaction.md"""

import httpx
import pytest

from tests.build import SUD, care_plan, condition, consent, goal, plan, reference
from tests.http.conftest import COUNTY, PARTNER, Json, Service, found, load, refused

ADA, BEN = "CarePlan/ada-plan", "CarePlan/ben-plan"
Eyes = tuple[httpx.AsyncClient, httpx.AsyncClient]


def named(target: str, value: str) -> Json:
    return {"reference": target, "identifier": {"system": "urn:x", "value": value}}


def activity(code: str) -> Json:
    coded = {"coding": [{"system": "http://snomed.info/sct", "code": code}]}
    return {"detail": {"status": "in-progress", "code": coded}}


@pytest.fixture
async def eyes(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient
) -> Eyes:
    """Of Ada's plan the partner is not shown what is about drugs, of Ben's they see all."""
    *ada, mine = plan(PARTNER, organization=COUNTY)
    *ben, his = plan(PARTNER, person="ben", organization=COUNTY)
    mine["goal"] = [reference("Goal/ada-goal-1"), named("Goal/sober", "g-7")]
    mine["addresses"] = [reference("Condition/drugs")]
    mine["careTeam"] = [named("CareTeam/ada-team", "t-1")]
    mine["basedOn"] = [reference("CarePlan/secret")]
    his["goal"] = [named("Goal/ben-goal-1", "g-8")]
    for each in (mine, his):
        each["activity"] = [activity("walking")]
    hidden = (condition("drugs", **SUD), goal("sober", **SUD), care_plan(id_="secret", **SUD))
    await load(operator, *ada, *hidden, mine, *ben, his)
    return county, partner


SHOWN = {
    "CarePlan?goal:identifier=g-7": [],
    "CarePlan?goal:identifier=g-8": [BEN],
    "CarePlan?care-team:identifier=t-1": [ADA],
    "CarePlan?goal:missing=false&_sort=_id": [ADA, BEN],
    "CarePlan?condition:missing=true": [ADA],
    "CarePlan?condition:missing=false": [BEN],
    "CarePlan?based-on:missing=true&_sort=_id": [ADA, BEN],
    "CarePlan?activity-code=walking": [BEN],
    "CarePlan?subject=ada": [ADA],
    "CarePlan?goal=Goal/ada-goal-1,Goal/sober": [ADA],
    "CarePlan?_filter=goal eq Goal/sober": [],
    "CarePlan?_filter=goal eq Goal/sober or goal eq Goal/ben-goal-1": [BEN],
    "CarePlan?_filter=not (goal eq Goal/sober)&_sort=_id": [ADA, BEN],
    "Patient?organization:missing=false&_sort=_id": ["Patient/ada", "Patient/ben"],
    "Patient?_has:CarePlan:patient:condition=Condition/drugs": [],
    "?_type=CarePlan,ServiceRequest&based-on=CarePlan/secret": [],
}


async def test_a_search_matches_by_what_is_shown(eyes: Eyes) -> None:
    _, partner = eyes
    for url, expected in SHOWN.items():
        assert found(await partner.get(f"/{url}")) == expected, url


async def test_who_sees_all_matches_by_all(eyes: Eyes) -> None:
    county, _ = eyes
    for url in SHOWN:
        matched = found(await county.get(f"/{url}"))
        if "g-7" in url or "secret" in url or url == "CarePlan?_filter=goal eq Goal/sober":
            assert matched == [ADA], url
        if url == "CarePlan?activity-code=walking":
            assert sorted(matched) == [ADA, BEN]
        if url.startswith("CarePlan?_filter=not"):
            assert ADA not in matched


async def test_what_names_nothing_is_neither_shown_nor_hidden(
    operator: httpx.AsyncClient, eyes: Eyes
) -> None:
    _, partner = eyes
    logical = {"identifier": {"system": "urn:x", "value": "t-9"}}
    his = {"patient": "Patient/ben", "status": "draft"}
    await load(
        operator,
        care_plan(id_="bare", **his),
        care_plan(id_="logical", careTeam=[logical], **his),
    )
    for url, expected in {
        "goal:missing=false&status=draft": [],
        "goal:missing=true&status=draft": ["CarePlan/bare", "CarePlan/logical"],
        "care-team:missing=false&status=draft": ["CarePlan/logical"],
        "care-team:missing=true&status=draft": ["CarePlan/bare"],
        "care-team:identifier=t-9": ["CarePlan/logical"],
    }.items():
        for client in (operator, partner):
            assert found(await client.get(f"/CarePlan?{url}&_sort=_id")) == expected, url


@pytest.mark.parametrize("sort", ["goal", "-condition", "activity-code", "date,goal"])
async def test_the_order_does_not_tell_of_what_is_hidden(eyes: Eyes, sort: str) -> None:
    _, partner = eyes
    assert "sort" in refused(await partner.get(f"/CarePlan?_sort={sort}"), 400, "not-supported")


@pytest.mark.parametrize("sort", ["goal", "-condition", "activity-code"])
async def test_who_may_know_of_everything_sorts_by_anything(
    operator: httpx.AsyncClient, eyes: Eyes, sort: str
) -> None:
    assert sorted(found(await operator.get(f"/CarePlan?_sort={sort}"))) == [
        ADA,
        BEN,
        "CarePlan/secret",
    ]


@pytest.mark.parametrize("sort", ["patient", "subject", "date", "_id", "-_lastUpdated", "category"])
async def test_what_is_shown_can_be_sorted_by(eyes: Eyes, sort: str) -> None:
    _, partner = eyes
    assert len(found(await partner.get(f"/CarePlan?_sort={sort}"))) == 2


async def test_whom_a_resource_is_about_is_no_secret_where_the_patient_is(
    operator: httpx.AsyncClient, eyes: Eyes
) -> None:
    """Ada denies the partner her Patient resource, and nothing else."""
    _, partner = eyes
    paper = consent(PARTNER, "deny")
    of_patients = [{"system": "http://hl7.org/fhir/resource-types", "code": "Patient"}]
    task: Json = {"resourceType": "Task", "status": "requested", "intent": "plan"}
    asked_by: Json = task | {"requester": reference("Patient/ada")}
    both = [{"actor": reference(f"Patient/{who}"), "status": "accepted"} for who in ("ada", "ben")]
    meeting: Json = {"resourceType": "Appointment", "id": "m", "status": "booked"}
    times = {"start": "2026-05-01T10:00:00Z", "end": "2026-05-01T11:00:00Z"}
    await load(
        operator,
        paper | {"provision": paper["provision"] | {"class": of_patients}},
        asked_by | {"id": "of-ada", "for": reference("Patient/ada")},
        task | {"id": "of-nobody", "for": reference("Patient/ada")},
        asked_by | {"id": "of-ben", "for": reference("Patient/ben")},
        meeting | times | {"participant": both},
        meeting | times | {"id": "alone", "participant": both[:1]},
        care_plan("Goal/ada-goal-1", id_="whole", activity=[activity("running")]),
    )
    assert (await partner.get("/Patient/ada")).status_code == 404
    for url, expected in {
        "Goal?patient=ada&_sort=_id": ["Goal/ada-goal-1", "Goal/ada-goal-2"],
        "Goal?subject:missing=false&_sort=_id": [
            *("Goal/ada-goal-1", "Goal/ada-goal-2", "Goal/ben-goal-1", "Goal/ben-goal-2")
        ],
        "Task?requester=Patient/ada": ["Task/of-ada"],
        "Task?requester=Patient/ada,Patient/none": ["Task/of-ada"],
        "Task?requester:missing=false": ["Task/of-ada"],
        "Appointment?actor=Patient/ada&_sort=_id": ["Appointment/alone", "Appointment/m"],
        "Appointment?actor:missing=false&_sort=_id": ["Appointment/alone", "Appointment/m"],
        "Appointment?actor:missing=true": [],
        "CarePlan?activity-code=running": ["CarePlan/whole"],
    }.items():
        assert found(await partner.get(f"/{url}")) == expected, url


async def test_the_trail_is_searched_as_it_is(service: Service, eyes: Eyes) -> None:
    officer = await service.as_("privacy-officer", COUNTY)
    assert (await officer.get("/Goal/ada-goal-1")).status_code == 200
    for url in ("entity:missing=false", "patient=Patient/ada&agent:missing=false"):
        response = await officer.get(f"/AuditEvent?{url}&subtype=read&_total=accurate")
        assert response.json().get("total") == 1, response.text
