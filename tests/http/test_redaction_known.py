"""What exists for whom: events, what leads nowhere, and what has the id of something else."""

import httpx

from tests.build import (
    SUD,
    care_plan,
    care_team,
    condition,
    consent,
    goal,
    organization,
    patient,
    plan,
    practitioner,
    reference,
)
from tests.http.conftest import COUNTY, PARTNER, Json, Service, found, load


def kept(*items: str) -> Json:
    entries = [{"item": reference(each)} for each in items]
    made: Json = {"resourceType": "List", "id": "kept", "status": "current", "mode": "working"}
    return made | {"subject": reference("Patient/ada"), "entry": entries}


async def test_what_has_the_id_of_something_visible_is_no_less_hidden(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    """A condition of the same id is shown; the goal is about drugs."""
    walking = {"coding": [{"system": "http://snomed.info/sct", "code": "walking"}]}
    steps = [{"detail": {"status": "in-progress", "code": walking}}]
    await load(
        operator,
        *plan(PARTNER, organization=COUNTY),
        goal("twin", **SUD),
        condition("twin"),
        care_plan("Goal/twin", id_="of-twin", status="draft", activity=steps),
    )
    for query, whole, shown in (
        ("goal:missing=true", [], ["CarePlan/of-twin"]),
        ("goal:missing=false", ["CarePlan/of-twin"], []),
        ("activity-code=walking", ["CarePlan/of-twin"], []),
        ("goal=Goal/twin", ["CarePlan/of-twin"], []),
    ):
        for client, expected in ((county, whole), (partner, shown)):
            matched = found(await client.get(f"/CarePlan?status=draft&{query}"))
            assert matched == expected, query
    copy = await partner.get("/CarePlan/of-twin")
    assert "Goal/twin" not in copy.text


async def test_a_member_from_the_directory_is_no_missing_member(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    alone = {"participant": [{"member": reference(PARTNER)}]}
    await load(operator, *plan(PARTNER, organization=COUNTY), care_team(id_="alone", **alone))
    teams = ["CareTeam/ada-team", "CareTeam/alone"]
    for client in (county, partner):
        assert found(await client.get("/CareTeam?participant:missing=false&_sort=_id")) == teams
        assert found(await client.get("/CareTeam?participant:missing=true")) == []


async def test_who_is_in_the_directory_is_known_whatever_the_scopes_open(
    service: Service, operator: httpx.AsyncClient, county: httpx.AsyncClient
) -> None:
    *around, mine = plan(organization=COUNTY)
    mine["contributor"] = [reference("Practitioner/grace"), reference("Patient/ben")]
    await load(operator, *around, patient("ben", COUNTY))
    await load(operator, practitioner("grace"), mine)
    narrow = await service.as_("provider-organization", COUNTY, "system/CarePlan.rs")
    shown = (await narrow.get("/CarePlan/ada-plan")).json()
    assert shown["contributor"] == mine["contributor"]
    assert "goal" not in shown


async def test_what_leads_nowhere_is_hidden_only_where_something_may_be(lenient: Service) -> None:
    """An operator may know of everything, and everybody of the directory."""
    operator = await lenient.as_("operator")
    county = await lenient.as_("provider-organization", COUNTY)
    await load(operator, organization("county"), *plan(organization=COUNTY))
    nowhere = ("Goal/nowhere", "Practitioner/nowhere")
    await load(operator, kept(*nowhere))
    for url in ("/List/kept", "/List/kept/_history/1", "/List?_id=kept"):
        whole = (await operator.get(url)).text
        assert all(name in whole for name in nowhere), url
        shown = (await county.get(url)).text
        assert ("Goal/nowhere" in shown, "Practitioner/nowhere" in shown) == (False, True), url
    for name in nowhere:
        assert found(await operator.get(f"/List?item={name}")) == ["List/kept"]
    assert found(await county.get("/List?item=Goal/nowhere")) == []
    assert found(await county.get("/List?item=Practitioner/nowhere")) == ["List/kept"]


async def test_a_person_is_shown_the_events_of_their_own_trail_and_no_others(
    lenient: Service,
) -> None:
    operator = await lenient.as_("operator")
    county = await lenient.as_("provider-organization", COUNTY)
    ben = plan(person="ben", organization=COUNTY)
    await load(operator, organization("county"), *plan(organization=COUNTY), *ben)
    events = {}
    for who in ("ada", "ben"):
        assert (await county.get(f"/Goal/{who}-goal-1")).status_code == 200
        response = await operator.get(f"/AuditEvent?patient=Patient/{who}&subtype=read")
        [entry] = response.json()["entry"]
        events[who] = f"AuditEvent/{entry['resource']['id']}"
    await load(operator, kept(*events.values(), "Goal/ada-goal-1"))
    person = await lenient.as_(
        "individual", None, "patient/*.rs", patient="ada", fhir_user="Patient/ada"
    )
    for url in ("/List/kept", "/List/kept/_history/1", "/List?_id=kept"):
        shown = (await person.get(url)).text
        assert "Goal/ada-goal-1" in shown
        assert (events["ada"] in shown, events["ben"] in shown) == (True, False), url
    assert found(await person.get(f"/List?item={events['ada']}")) == ["List/kept"]
    assert found(await person.get(f"/List?item={events['ben']}")) == []


async def test_whom_a_record_is_about_goes_without_saying(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    """Ada denies the partner her Patient resource, and nothing else."""
    paper = consent(PARTNER, "deny")
    of_patients = [{"system": "http://hl7.org/fhir/resource-types", "code": "Patient"}]
    denial = paper | {"provision": paper["provision"] | {"class": of_patients}}
    others = goal("ben-too", expressedBy=reference("Patient/ben"))
    await load(operator, *plan(PARTNER, organization=COUNTY))
    await load(operator, *plan(person="ben", organization=COUNTY), denial, others)
    assert (await partner.get("/Patient/ada")).status_code == 404
    for name in ("Goal/ada-goal-1", "CarePlan/ada-plan"):
        whole, shown = [(await client.get(f"/{name}")).content for client in (county, partner)]
        assert shown == whole
    copy = (await partner.get("/Goal/ben-too")).json()
    assert (copy["subject"], "expressedBy" in copy) == (reference("Patient/ada"), False)
