"""Who sees whom in the demonstration."""

import pytest

from app.auth.access_token import Grant
from tests.conformance.conftest import Demonstration

MARIA, THEO = "maria-alvarez", "theo-lindqvist"
ABOUT_ONE = [
    "CarePlan",
    "Goal",
    "CareTeam",
    "Condition",
    "Observation",
    "ServiceRequest",
    "Task",
    "Consent",
    "Provenance",
    "Coverage",
    "RiskAssessment",
    "QuestionnaireResponse",
    "DocumentReference",
    "Encounter",
    "Appointment",
    "EpisodeOfCare",
    "Communication",
    "RelatedPerson",
    "NutritionOrder",
    "MedicationRequest",
]


def organization(id_: str) -> Grant:
    return Grant(
        client_id=id_,
        scope="system/*.rs",
        role="provider-organization",
        organization=f"Organization/{id_}",
    )


def person(fhir_user: str, role: str) -> Grant:
    return Grant(client_id="portal", scope="user/*.rs", role=role, fhir_user=fhir_user)


@pytest.mark.parametrize(
    ("grant", "seen"),
    [
        (organization("wren-county-behavioral-health"), {MARIA}),
        (organization("bridgeway-care-coordination"), {MARIA}),
        (organization("northfield-health"), {MARIA}),
        (organization("second-start-employment"), {MARIA}),
        (organization("ash-river-developmental-services"), {THEO}),
        (organization("hearthstone-residential"), {THEO}),
        (organization("larkspur-day-center"), set()),
        (organization("state-medicaid-office"), set()),
        (person("Patient/maria-alvarez", "individual"), {MARIA}),
        (person("RelatedPerson/lucia-alvarez", "family"), {MARIA}),
        (person("RelatedPerson/ingrid-lindqvist", "guardian"), {THEO}),
        (person("PractitionerRole/priya-nair-care-coordinator", "clinician"), {MARIA}),
    ],
    ids=lambda value: (value.fhir_user or value.client_id) if isinstance(value, Grant) else "",
)
async def test_an_actor_finds_the_people_it_supports_and_nobody_else(
    grant: Grant, seen: set[str], demonstration: Demonstration
) -> None:
    found = (await demonstration.get("/Patient", grant)).json()
    assert {entry["resource"]["id"] for entry in found.get("entry", [])} == seen
    for id_ in (MARIA, THEO):
        answer = await demonstration.get(f"/Patient/{id_}", grant)
        assert answer.status_code == (200 if id_ in seen else 404)


@pytest.mark.parametrize("type_", ABOUT_ONE)
async def test_the_partner_finds_nothing_about_a_stranger(
    type_: str, demonstration: Demonstration
) -> None:
    grant = organization("bridgeway-care-coordination")
    found = (await demonstration.get(f"/{type_}?_count=1000", grant)).json()
    ids = [entry["resource"]["id"] for entry in found.get("entry", [])]
    assert ids
    assert not [id_ for id_ in ids if id_.startswith(THEO) or "lindqvist" in id_]
