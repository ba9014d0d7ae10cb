"""$consent-decision at its edges: whoever is asked about, whatever is asked for."""

import httpx
import pytest

from tests.build import (
    SUD,
    care_plan,
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
from tests.http.conftest import PARTNER, Json, Service, load, refused
from tests.http.deciding import decisions, parameters

URL = "/Patient/ada/$consent-decision"


@pytest.fixture
async def world(operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str) -> None:
    """Ada's team is the partner, whose Grace works in a role; her aunt is Ines."""
    group: Json = {"resourceType": "Group", "id": "peers", "type": "practitioner", "actual": True}
    group["member"] = [{"entity": reference("Practitioner/grace")}]
    await load(
        operator,
        organization("partner"),
        practitioner("grace"),
        practitioner_role("grace-role", practitioner="Practitioner/grace", organization=PARTNER),
        related_person("ines"),
        group,
        care_team(PARTNER, id_="ada-team"),
        goal("sensitive", **SUD),
    )


@pytest.mark.parametrize(
    "actor",
    [
        PARTNER,
        "Practitioner/grace",
        "PractitionerRole/grace-role",
        "RelatedPerson/ines",
        "Group/peers",
    ],
)
async def test_every_kind_of_actor_is_permitted_by_a_consent_that_names_it(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, world: None, actor: str
) -> None:
    await load(operator, care_team(PARTNER, id_="ada-team", status="inactive"))
    [before] = await decisions(county, actor=actor, resource="Goal/ada-goal-1")
    assert before["outcome"] == "not-covered"
    await load(operator, consent(actor))
    [made] = await decisions(county, actor=actor, resource="Goal/ada-goal-1")
    assert (made["outcome"], made["consent"]) == ("permit", "Consent/ada-consent")
    assert made["provision"] == "Consent.provision"


@pytest.mark.parametrize("actor", ["Organization/none", "Practitioner/none", "RelatedPerson/none"])
async def test_who_is_not_known_is_not_covered(
    county: httpx.AsyncClient, world: None, actor: str
) -> None:
    [made] = await decisions(county, actor=actor, resource="Goal/ada-goal-1")
    assert made["outcome"] == "not-covered"
    assert "consent" not in made


async def test_without_a_purpose_it_is_that_of_the_token_or_treatment(
    service: Service, county: httpx.AsyncClient, world: None
) -> None:
    [made] = await decisions(county, actor=PARTNER, resource="Goal/ada-goal-1")
    assert (made["outcome"], made["reason"]) == ("permit", "as care-team")
    paying = await service.as_("provider-organization", "Organization/county", purpose="HPAYMT")
    [made] = await decisions(paying, actor=PARTNER, resource="Goal/ada-goal-1")
    assert made["outcome"] == "not-covered"


@pytest.mark.parametrize("name", ["Goal/sensitive", "Goal/none", "Task/none", "Consent/none"])
async def test_a_resource_that_is_hidden_is_answered_as_one_that_is_not_there(
    service: Service, world: None, name: str
) -> None:
    partner = await service.as_("partner-system", PARTNER)
    response = await partner.post(URL, json=parameters(resource=name))
    said = refused(response, 404, "not-found")
    assert said == f"{name} does not exist, is not known to you, or is about somebody else."


async def test_a_query_decides_about_what_the_caller_sees_and_nothing_else(
    service: Service, county: httpx.AsyncClient, world: None
) -> None:
    partner = await service.as_("partner-system", PARTNER)
    seen = await decisions(partner, query="Goal?_sort=_id")
    assert [made["resource"] for made in seen] == ["Goal/ada-goal-1", "Goal/ada-goal-2"]
    every = await decisions(county, actor=PARTNER, query="Goal?_sort=_id")
    outcomes = {made["resource"]: made["outcome"] for made in every}
    assert outcomes["Goal/sensitive"] == "not-covered"
    assert {outcomes.pop("Goal/sensitive"), *outcomes.values()} == {"not-covered", "permit"}
    assert await decisions(partner, query="Goal?_id=sensitive,none") == []


async def test_an_emergency_is_tried_with_what_it_obliges_to(
    county: httpx.AsyncClient, world: None
) -> None:
    asked = {"actor": PARTNER, "purpose": "BTG", "resource": "Goal/sensitive"}
    response = await county.post(URL, json=parameters(**asked))
    [decision] = response.json()["parameter"]
    owed = [part["valueCode"] for part in decision["part"] if part["name"] == "obligation"]
    assert owed == ["PERSISTLABEL", "alert", "log", "reason"]


async def test_a_question_about_someone_elses_resource_is_one_about_nothing(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, world: None
) -> None:
    await load(operator, goal("bens", "Patient/ben"), *ben())
    refused(await county.post(URL, json=parameters(resource="Goal/bens")), 404, "not-found")


async def test_the_consents_of_others_decide_nothing(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, world: None
) -> None:
    bens = consent("Organization/clinic", id_="ben-consent", patient="Patient/ben")
    await load(operator, organization("clinic"), *ben(), bens)
    [made] = await decisions(county, actor="Organization/clinic", resource="Goal/ada-goal-1")
    assert (made["outcome"], "consent" in made) == ("not-covered", False)
    draft = consent("Organization/clinic", "deny", id_="draft")
    [made] = await decisions(county, actor=PARTNER, resource="Goal/ada-goal-1", consent=draft)
    assert (made["outcome"], made["reason"]) == ("permit", "as care-team")
    refused(await county.post(URL, json=parameters(consent=bens)), 400, "value")


async def test_a_consent_that_was_deleted_decides_nothing(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, world: None
) -> None:
    await load(operator, organization("clinic"), consent("Organization/clinic"))
    assert (await operator.delete("/Consent/ada-consent")).status_code == 204
    [made] = await decisions(county, actor="Organization/clinic", resource="Goal/ada-goal-1")
    assert (made["outcome"], "consent" in made) == ("not-covered", False)


async def test_a_draft_takes_the_place_of_the_consent_that_has_its_id(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, world: None
) -> None:
    await load(operator, consent(PARTNER, "deny"))
    draft = consent(PARTNER)
    [made] = await decisions(county, actor=PARTNER, resource="Goal/ada-goal-1", consent=draft)
    assert (made["outcome"], made["consent"]) == ("permit", "Consent/ada-consent")
    [beside] = await decisions(
        county, actor=PARTNER, resource="Goal/ada-goal-1", consent=draft | {"id": "other"}
    )
    assert (beside["outcome"], beside["consent"]) == ("deny", "Consent/ada-consent")


async def test_who_does_not_decide_tries_no_consent(service: Service, world: None) -> None:
    partner = await service.as_("partner-system", PARTNER)
    response = await partner.post(URL, json=parameters(consent=consent(PARTNER)))
    refused(response, 403, "forbidden")
    [named] = await decisions(partner, actor=PARTNER, resource="Goal/ada-goal-1")
    assert named["outcome"] == "permit"


async def test_what_was_deleted_is_decided_about_no_more(
    county: httpx.AsyncClient, world: None
) -> None:
    assert (await county.delete("/Goal/ada-goal-2")).status_code == 204
    refused(await county.post(URL, json=parameters(resource="Goal/ada-goal-2")), 404, "not-found")


async def test_a_query_decides_about_what_it_matches(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, world: None
) -> None:
    made = await decisions(county, query="Goal?_id=ada-goal-1&_include=Goal:patient")
    assert [each["resource"] for each in made] == ["Goal/ada-goal-1"]
    await load(operator, care_plan(id_="part", partOf=[reference("CarePlan/ada-plan")]))
    made = await decisions(county, query="CarePlan?_id=part&_include=CarePlan:part-of")
    assert [each["resource"] for each in made] == ["CarePlan/part"]
    for wrong in (
        {"query": "Goal?_id=ada-goal-1", "resource": "Goal/ada-goal-1"},
        {"query": "Unicorn?_id=1"},
        {"resource": "Unicorn/1"},
        {"actor": "Unicorn/1"},
        {"consent": related_person("ines")},
    ):
        refused(await county.post(URL, json=parameters(**wrong)), 400, "value")


async def test_nothing_is_decided_about_the_trail(service: Service, world: None) -> None:
    officer = await service.as_("privacy-officer", "Organization/county")
    for url in ("/Goal/ada-goal-1", "/Goal/ada-goal-2"):
        assert (await officer.get(url)).status_code == 200
    told = (await officer.get("/AuditEvent?subtype=read")).json()["entry"][0]["resource"]
    for query in ("subtype=read", f"_id={told['id']}"):
        assert await decisions(officer, query=f"AuditEvent?{query}") == []
    response = await officer.post(URL, json=parameters(resource=f"AuditEvent/{told['id']}"))
    refused(response, 404, "not-found")


def ben() -> list[Json]:
    return [
        {
            "resourceType": "Patient",
            "id": "ben",
            "managingOrganization": reference("Organization/county"),
        }
    ]


async def test_the_own_record_is_open_whatever_a_consent_says(
    service: Service, operator: httpx.AsyncClient, world: None
) -> None:
    """A Consent that lets the person in is not what lets her in."""
    await load(operator, consent("Patient/ada"))
    person = await service.as_("individual", fhir_user="Patient/ada", patient="ada")
    [made] = await decisions(person, resource="Goal/sensitive")
    assert (made["outcome"], made["reason"]) == ("permit", "as own")
    [made] = await decisions(person, resource="Goal/ada-goal-1")
    assert (made["outcome"], made["reason"]) == ("permit", "as own")


async def test_who_keeps_another_record_decides_nothing_about_this_one(
    service: Service, operator: httpx.AsyncClient, world: None
) -> None:
    """Nor does a guardian of somebody else who is in this team."""
    parent = related_person("parent", "Patient/ben", role="GUARD")
    await load(operator, patient("ben", PARTNER), parent)
    await load(operator, care_team(PARTNER, "RelatedPerson/parent", id_="ada-team"))
    partner = await service.as_("partner-system", PARTNER)
    guardian = await service.as_("guardian", None, fhir_user="RelatedPerson/parent")
    for client in (partner, guardian):
        [own] = await decisions(client, resource="Goal/ada-goal-1")
        assert own["outcome"] == "permit"
        for asked in ({"actor": "Organization/county"}, {"consent": consent(PARTNER)}):
            refused(await client.post(URL, json=parameters(**asked)), 403, "forbidden")
        told = parameters(patient="Patient/ada", recipient="A", purpose="HLEGAL", description="B")
        refused(await client.post("/Consent/$recordDisclosure", json=told), 403, "forbidden")


async def test_an_operator_asks_about_anybody(operator: httpx.AsyncClient, world: None) -> None:
    [made] = await decisions(operator, actor=PARTNER, resource="Goal/ada-goal-1")
    assert (made["outcome"], made["reason"]) == ("permit", "as care-team")


async def test_a_denial_that_is_not_shown_denies(
    service: Service, operator: httpx.AsyncClient, world: None
) -> None:
    """Who may not read Consents is not told of a permission that there is not."""
    narrow = await service.as_(
        "provider-organization", "Organization/county", "system/Patient.r system/Goal.r"
    )
    [before] = await decisions(narrow, actor=PARTNER, resource="Goal/ada-goal-1")
    await load(operator, consent(PARTNER, "deny"))
    [made] = await decisions(narrow, actor=PARTNER, resource="Goal/ada-goal-1")
    assert (before["outcome"], made["outcome"], "consent" in made) == ("permit", "deny", False)
