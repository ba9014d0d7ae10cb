"""A write is judged on the version before and on the state after it. docs/interactions/update.md"""

import httpx
import pytest

from tests.build import (
    HL7,
    LONG_AGO,
    care_team,
    consent,
    goal,
    organization,
    patient,
    practitioner,
    practitioner_role,
    reference,
    related_person,
)
from tests.http.conftest import COUNTY, PARTNER, Json, Service, change, load, refused, serving

LEVELS = f"{HL7}/v3-Confidentiality"
ROLE = practitioner_role(organization=PARTNER)


def team(patient: str = "Patient/ada") -> Json:
    """A team that has the partner as its only member."""
    members = [{"member": reference(PARTNER), "period": {"start": LONG_AGO}}]
    return care_team(id_="new-team", patient=patient) | {"participant": members}


async def sees(client: httpx.AsyncClient) -> bool:
    return (await client.get("/Patient/ada")).status_code == 200


async def test_nobody_writes_about_whom_they_do_not_see(
    partner: httpx.AsyncClient, ada: str
) -> None:
    for resource in (goal(), team(), consent(PARTNER), related_person()):
        response = await partner.post(f"/{resource['resourceType']}", json=resource)
        assert response.status_code == 422, response.text
    assert not await sees(partner)


@pytest.mark.parametrize("paper", [team(), consent(PARTNER)], ids=["CareTeam", "Consent"])
async def test_nobody_lets_themselves_in_where_references_may_lead_nowhere(
    dsn: str, partner: httpx.AsyncClient, ada: str, paper: Json
) -> None:
    """The new state would make the caller a member, and so seem to lie within their access."""
    async with serving(dsn, references="lenient") as lenient:
        same = await lenient.as_("partner-system", PARTNER)
        response = await same.post(f"/{paper['resourceType']}", json=paper)
        assert response.status_code in (403, 422), response.text
    assert not await sees(partner)


async def test_nobody_turns_a_mention_into_a_way_in(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    """A reference that is there already must not become whom the team is about."""
    await load(operator, organization("partner"), patient("ben", PARTNER))
    note = [{"text": "With Ben", "authorReference": reference("Patient/ben")}]
    mention = care_team(COUNTY, id_="new-team", note=note)
    await load(operator, mention)
    moved = care_team(COUNTY, id_="new-team", note=note, patient="Patient/ben")
    response = await county.put("/CareTeam/new-team", json=moved)
    refused(response, 422, "business-rule", "CareTeam")
    refused(await county.get("/Patient/ben"), 404, "not-found")


DECIDING = [team(), consent(PARTNER, id_="yes"), patient("ada", COUNTY), related_person()]


@pytest.mark.parametrize("entry", DECIDING, ids=lambda entry: entry["resourceType"])
async def test_a_member_does_not_decide_who_else_is_let_in(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str, entry: Json
) -> None:
    await load(operator, *DECIDING)
    url = f"/{entry['resourceType']}/{entry['id']}"
    before = (await partner.get(url)).content
    changed = await partner.put(url, json=entry | {"language": "en"})
    refused(changed, 405, "not-supported", entry["resourceType"])
    await partner.delete(url)
    assert (await partner.get(url)).content == before
    fresh = {name: value for name, value in entry.items() if name != "id"}
    made = await partner.post(f"/{entry['resourceType']}", json=fresh)
    refused(made, 403, "forbidden", entry["resourceType"])


async def test_nobody_adds_themselves_to_a_team_that_somebody_elses_patient_lets_in(
    service: Service, operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    """Whoever decides for the patient of a team decides who is in it: for that patient alone."""
    theirs = patient("eve", PARTNER)
    await load(operator, theirs, care_team(id_="eve-team", patient="Patient/eve"))
    await load(operator, consent("CareTeam/eve-team"))
    refused(await partner.get("/Goal/ada-goal-1"), 404, "not-found")
    joined = care_team(PARTNER, id_="eve-team", patient="Patient/eve")
    await change(partner, joined)
    assert not await sees(partner)
    refused(await partner.get("/Goal/ada-goal-1"), 404, "not-found")
    moved = await partner.put("/CareTeam/eve-team", json=care_team(PARTNER, id_="eve-team"))
    assert moved.status_code in (403, 422), moved.text


async def test_the_persons_own_team_is_let_in(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    restricted = {"meta": {"security": [{"system": LEVELS, "code": "R"}]}}
    await load(operator, goal("private", **restricted), team(), consent("CareTeam/new-team"))
    assert (await partner.get("/Goal/private")).status_code == 200


async def test_nobody_attests_who_wrote_what_they_cannot_see(
    dsn: str, operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    """A Provenance says who wrote a resource, and a consent may permit what somebody wrote."""
    await load(operator, patient("eve", PARTNER), goal("eves", "Patient/eve"))
    paper = consent(PARTNER)
    named = [{"meaning": "authoredby", "reference": reference(PARTNER)}]
    paper["provision"]["data"] = named
    await load(operator, paper)
    told: Json = {"resourceType": "Provenance", "recorded": "2026-01-01T00:00:00Z"}
    told["agent"] = [{"who": reference(PARTNER)}]
    told["target"] = [reference("Goal/eves"), reference("Goal/ada-goal-1")]
    async with serving(dsn, references="lenient") as lenient:
        same = await lenient.as_("partner-system", PARTNER)
        refused(await same.post("/Provenance", json=told), 422, "not-found", "Provenance.target[1]")
    refused(await partner.get("/Goal/ada-goal-1"), 404, "not-found")


async def test_nobody_joins_a_group_that_others_let_in(
    service: Service, operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    """Who supports the patients in a group may write it: so it stands for nobody."""
    await load(operator, practitioner(), ROLE, team(), patient("eve", COUNTY), group())
    await load(operator, consent("Group/g", patient="Patient/eve"))
    grace = await service.as_("clinician", PARTNER, fhir_user="Practitioner/grace", user="grace")
    assert (await grace.put("/Group/g", json=group("Practitioner/grace"))).status_code == 200
    refused(await grace.get("/Patient/eve"), 404, "not-found")


async def test_a_group_of_staff_is_let_in_and_written_by_operators(
    service: Service, operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    staff = group("Practitioner/grace") | {"member": [{"entity": reference("Practitioner/grace")}]}
    await load(operator, practitioner(), staff, consent("Group/g"))
    grace = await service.as_("clinician", PARTNER, fhir_user="Practitioner/grace", user="grace")
    assert await sees(grace)
    refused(await grace.put("/Group/g", json=staff), 405, "not-supported", "Group")


def group(*more: str) -> Json:
    member = [{"entity": reference(entity)} for entity in ("Patient/ada", *more)]
    return {"resourceType": "Group", "id": "g", "type": "person", "actual": True, "member": member}


async def test_nobody_waits_for_a_patient_to_come(
    dsn: str, operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    """A team for an id that does not exist yet must not open the patient who gets it."""
    async with serving(dsn, references="lenient") as lenient:
        same = await lenient.as_("partner-system", PARTNER)
        response = await same.post("/CareTeam", json=team(patient="Patient/eve"))
        assert response.status_code in (403, 422), response.text
    await load(operator, patient("eve", COUNTY))
    refused(await partner.get("/Patient/eve"), 404, "not-found")


async def test_nobody_changes_what_they_do_not_see(
    partner: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    response = await partner.put("/Goal/ada-goal-1", json=goal(lifecycleStatus="completed"))
    refused(response, 405, "not-supported", "Goal")
    assert (await partner.delete("/Goal/ada-goal-1")).status_code == 204
    assert (await county.get("/Goal/ada-goal-1")).headers["etag"] == 'W/"1"'


async def test_a_member_changes_what_they_see(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, team())
    made = await change(partner, goal(), lifecycleStatus="completed")
    assert made["meta"]["versionId"] == "2"


async def test_nothing_moves_to_a_patient_who_is_hidden(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, patient("ben", COUNTY), team())
    moved = goal(patient="Patient/ben")
    response = await partner.put("/Goal/ada-goal-1", json=moved)
    refused(response, 422, "not-found", "Goal.subject")


async def test_nothing_moves_out_of_sight(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, team())
    nobody = goal() | {"subject": {"display": "Somebody"}}
    refused(await partner.put("/Goal/ada-goal-1", json=nobody), 403, "forbidden", "Goal")


async def test_nobody_gives_a_client_away(
    county: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    away = patient("ada", PARTNER)
    refused(await county.put("/Patient/ada", json=away), 403, "forbidden", "Patient")
    assert not await sees(partner)


@pytest.mark.parametrize(
    "entry", [organization("partner"), practitioner(), ROLE], ids=lambda e: e["resourceType"]
)
async def test_nobody_rewrites_the_directory(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str, entry: Json
) -> None:
    await load(operator, practitioner(), ROLE)
    url = f"/{entry['resourceType']}/{entry['id']}"
    before = (await operator.get(url)).content
    for response in (
        await partner.put(url, json=entry | {"active": False}),
        await partner.delete(url),
        await partner.post(f"/{entry['resourceType']}", json=entry),
    ):
        refused(response, 403, "forbidden")
    assert (await operator.get(url)).content == before


async def test_a_reference_to_the_hidden_is_one_to_nothing(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, patient("ben", COUNTY), goal("b", "Patient/ben"), team())
    made = [
        await partner.post("/Condition", json=_need(evidence)) for evidence in ("Goal/b", "Goal/z")
    ]
    refused(made[0], 422, "not-found", "Condition.evidence[0].detail[0]")
    assert made[0].text.replace("Goal/b", "Goal/z") == made[1].text


def _need(evidence: str) -> Json:
    return {
        "resourceType": "Condition",
        "subject": reference("Patient/ada"),
        "evidence": [{"detail": [reference(evidence)]}],
    }
