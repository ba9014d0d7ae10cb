"""To let somebody into a care team is a disclosure: it needs cover, and is recorded."""

import httpx
import pytest

from tests.build import (
    FAR_AHEAD,
    LONG_AGO,
    care_team,
    consent,
    organization,
    patient,
    practitioner,
    practitioner_role,
    reference,
    related_person,
)
from tests.http.conftest import COUNTY, PARTNER, Json, Service, change, load, refused

GRACE, INES = "Practitioner/grace", "RelatedPerson/ines"


@pytest.fixture
async def record(operator: httpx.AsyncClient) -> httpx.AsyncClient:
    """Ada's record, kept by the county where Carla works; nobody else knows of it."""
    await load(
        operator,
        organization("county"),
        organization("partner"),
        practitioner("grace"),
        practitioner("carla"),
        practitioner_role("clerk", practitioner="Practitioner/carla", organization=COUNTY),
        patient("ada", COUNTY),
        related_person("ines"),
        care_team(),
    )
    return operator


@pytest.fixture
async def keeper(service: Service, record: httpx.AsyncClient) -> httpx.AsyncClient:
    return await service.as_("provider-organization", COUNTY)


@pytest.fixture
async def ada(service: Service, record: httpx.AsyncClient) -> httpx.AsyncClient:
    return await service.as_(
        "individual", None, "patient/*.cruds", patient="ada", fhir_user="Patient/ada"
    )


async def told(client: httpx.AsyncClient) -> list[Json]:
    """The disclosures to new members, the newest first."""
    found = (await client.get("/Patient/ada/$disclosures")).json().get("entry", [])
    events = [entry["resource"] for entry in found]
    return [each for each in events if each["type"]["code"] == "110106"]


def recipients(events: list[Json]) -> list[str]:
    return [agent["who"]["reference"] for event in events for agent in event["agent"][-1:]]


@pytest.mark.parametrize("member", [PARTNER, GRACE, INES])
async def test_who_is_not_covered_is_refused(keeper: httpx.AsyncClient, member: str) -> None:
    team = care_team(member)
    answer = await keeper.put("/CareTeam/ada-team", json=team)
    said = refused(answer, 422, "business-rule", "CareTeam.participant[1].member")
    assert "Consent" in said
    assert (await keeper.get("/CareTeam/ada-team/_history")).json()["entry"][0]["response"][
        "etag"
    ] == 'W/"1"'


async def test_a_new_team_is_judged_alike(keeper: httpx.AsyncClient) -> None:
    made = care_team(PARTNER)
    del made["id"]
    refused(
        await keeper.post("/CareTeam", json=made),
        422,
        "business-rule",
        "CareTeam.participant[1].member",
    )


async def test_two_teams_do_not_cover_for_each_other(keeper: httpx.AsyncClient) -> None:
    teams = [{k: v for k, v in care_team(PARTNER).items() if k != "id"} for _ in range(2)]
    entries = [{"resource": t, "request": {"method": "POST", "url": "CareTeam"}} for t in teams]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert (await keeper.post("", json=bundle)).status_code == 422


async def test_a_consent_covers(record: httpx.AsyncClient, keeper: httpx.AsyncClient) -> None:
    await load(record, consent(PARTNER))
    await change(keeper, care_team(PARTNER))


async def test_a_consent_of_another_purpose_or_a_denial_does_not(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient
) -> None:
    paper = consent(PARTNER)
    research = [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HRESCH"}]
    await load(record, paper | {"provision": paper["provision"] | {"purpose": research}})
    assert (await keeper.put("/CareTeam/ada-team", json=care_team(PARTNER))).status_code == 422
    await load(record, consent(PARTNER, "deny"))
    assert (await keeper.put("/CareTeam/ada-team", json=care_team(PARTNER))).status_code == 422


async def test_a_consent_that_is_over_does_not(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient
) -> None:
    await load(record, consent(PARTNER, status="inactive"))
    assert (await keeper.put("/CareTeam/ada-team", json=care_team(PARTNER))).status_code == 422


async def test_a_consent_covers_who_works_there(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient
) -> None:
    await load(record, practitioner_role("therapist", practitioner=GRACE, organization=PARTNER))
    assert (await keeper.put("/CareTeam/ada-team", json=care_team(GRACE))).status_code == 422
    await load(record, consent(PARTNER))
    await change(keeper, care_team(GRACE))


async def test_who_works_for_the_keeper_and_a_guardian_are_covered(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient
) -> None:
    await load(record, related_person("guardian", role="GUARD"))
    await change(keeper, care_team("PractitionerRole/clerk", "RelatedPerson/guardian", COUNTY))


async def test_the_person_and_a_guardian_let_in_whom_they_want(
    service: Service, record: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    await change(ada, care_team(PARTNER))
    await load(record, related_person("guardian", role="GUARD"))
    guardian = await service.as_(
        "guardian", None, "user/*.cruds", fhir_user="RelatedPerson/guardian"
    )
    await change(guardian, care_team(PARTNER, GRACE))


async def test_who_is_in_the_team_stays_and_leaves_without_cover(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient
) -> None:
    await load(record, care_team(PARTNER))
    await change(keeper, care_team(PARTNER), name="Ada's team")
    ended = care_team(PARTNER)
    ended["participant"][1]["period"] = {"start": LONG_AGO, "end": "2025-01-01"}
    await change(keeper, ended)
    ended["participant"][1]["period"]["end"] = FAR_AHEAD
    assert (await keeper.put("/CareTeam/ada-team", json=ended)).status_code == 422


async def test_a_team_that_is_not_active_shows_nothing_until_it_is(
    keeper: httpx.AsyncClient,
) -> None:
    await change(keeper, care_team(PARTNER, status="proposed"))
    assert (await keeper.put("/CareTeam/ada-team", json=care_team(PARTNER))).status_code == 422


async def test_a_team_that_goes_lets_nobody_in(
    keeper: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    before = await told(ada)
    assert (await keeper.delete("/CareTeam/ada-team")).status_code == 204
    assert await told(ada) == before


async def test_a_team_does_not_bring_its_members_to_somebody_else(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient
) -> None:
    await load(record, patient("bob", COUNTY), care_team(PARTNER))
    moved = care_team(PARTNER) | {"subject": reference("Patient/bob")}
    assert (await keeper.put("/CareTeam/ada-team", json=moved)).status_code == 422


async def test_the_person_is_told_of_each_new_member_once(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    before = await told(ada)
    await load(record, consent(PARTNER))
    await change(keeper, care_team(PARTNER))
    events = (await told(ada))[: -len(before) or None]
    assert recipients(events) == [PARTNER]
    assert "care team" in str(events[0]["entity"])
    await change(keeper, care_team(PARTNER), name="Team")
    assert len(await told(ada)) == len(before) + 1


async def test_what_was_refused_is_no_disclosure(
    keeper: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    before = await told(ada)
    assert (await keeper.put("/CareTeam/ada-team", json=care_team(PARTNER))).status_code == 422
    assert await told(ada) == before


async def test_a_member_is_covered_for_no_more_time_than_before(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient
) -> None:
    later = care_team(PARTNER)
    later["participant"][1]["period"] = {"start": "2025-01-01"}
    await load(record, later)
    await change(keeper, later, name="Team")
    assert (await keeper.put("/CareTeam/ada-team", json=care_team(PARTNER))).status_code == 422


async def test_who_keeps_the_record_covers_herself(
    service: Service, record: httpx.AsyncClient
) -> None:
    """Grace acts for the county by her token, though no role of hers says so."""
    grace = await service.as_("clinician", COUNTY, "user/*.cruds", user="g", fhir_user=GRACE)
    refused(
        await grace.put("/CareTeam/ada-team", json=care_team(GRACE, INES)),
        422,
        "business-rule",
        "CareTeam.participant[2].member",
    )
    await change(grace, care_team(GRACE))


async def test_a_guardian_of_somebody_else_lets_nobody_in(
    service: Service, record: httpx.AsyncClient
) -> None:
    parent = related_person("parent", "Patient/bob", role="GUARD")
    await load(record, patient("bob", COUNTY), parent)
    clerk = await service.as_("provider-organization", COUNTY, fhir_user="RelatedPerson/parent")
    assert (await clerk.put("/CareTeam/ada-team", json=care_team(PARTNER))).status_code == 422


async def test_nobody_named_is_nobody_let_in(
    keeper: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    before = await told(ada)
    team = care_team()
    role = [{"text": "To be found"}]
    team["participant"] += [{"role": role}, {"role": role, "member": {"display": "Somebody"}}]
    await change(keeper, team)
    assert await told(ada) == before


async def test_a_new_team_tells_of_its_members_and_not_of_the_person(
    service: Service, record: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    before = len(await told(ada))
    for purpose in (None, "TREAT"):
        claims = {"purpose": purpose} if purpose else {}
        keeper = await service.as_("provider-organization", COUNTY, **claims)
        made = care_team(COUNTY)
        del made["id"]
        assert (await keeper.post("/CareTeam", json=made)).status_code == 201
        events = await told(ada)
        before += 1
        assert len(events) == before
        assert recipients(events[:1]) == [COUNTY]
        [told_for] = events[0]["agent"][-1]["purposeOfUse"]
        assert told_for["coding"][0]["code"] == (purpose or "COC")
