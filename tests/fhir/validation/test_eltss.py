"""The profiles of eLTSS that come with the server: what is right passes, what is not is found."""

from typing import Any

import pytest

from app.fhir import guides
from app.fhir.validation.profile import Judge
from app.fhir.validation.structure import validate
from tests.build import concept, reference
from tests.fhir.validation.profiled import KNOWN
from tests.fhir.validation.us_core_cases import CASES
from tests.fhir.validation.us_core_resources import (
    ADA,
    ANSWERS,
    CONDITION,
    GONE,
    PATIENT,
    PLAN,
    Json,
    Path,
    about,
    changed,
    observation,
)

ELTSS = "http://hl7.org/fhir/us/eltss"
HCPCS = concept("https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "T2021")
GROUP = reference("Group/us")

RIGHT: dict[str, Json] = {
    "CarePlan": PLAN | {"period": {"start": "2026-01-05"}},
    "Claim": about(
        "Claim",
        status="active",
        type={"text": "Institutional"},
        use="predetermination",
        patient=ADA,
        created="2026-01-05",
        provider=reference("Organization/agency"),
        priority={"text": "normal"},
        insurance=[{"sequence": 1, "focal": True, "coverage": reference("Coverage/one")}],
    ),
    "Condition": CONDITION,
    "Contract": about("Contract", status="executed", author=reference("Patient/ada")),
    "EpisodeOfCare": about(
        "EpisodeOfCare",
        status="active",
        patient=ADA,
        careManager=reference("Practitioner/grace"),
    ),
    "Goal": CASES["us-core-goal"][0],
    "Location": about("Location", name="House", description="With a garden"),
    "Observation": observation("social-history", "95541-9", valueString="In the mornings"),
    "Patient": PATIENT,
    "Practitioner": CASES["us-core-practitioner"][0],
    "PractitionerRole": CASES["us-core-practitionerrole"][0],
    "QuestionnaireResponse": ANSWERS,
    "RelatedPerson": CASES["us-core-relatedperson"][0],
    "RiskAssessment": about("RiskAssessment", status="final", subject=ADA),
    "ServiceRequest": about(
        "ServiceRequest", status="active", intent="order", code=HCPCS, subject=ADA
    ),
}

WRONG: list[tuple[str, Path, Any, str]] = [
    ("CarePlan", ("period",), {"end": "2026-12-31"}, "period.start"),
    ("CarePlan", ("category",), GONE, "category"),
    ("CarePlan", ("activity",), [{"detail": {"status": "scheduled"}}], "activity[0].detail"),
    ("Claim", ("enterer",), reference("Organization/agency"), "enterer"),
    ("Condition", ("asserter",), GROUP, "asserter"),
    ("Contract", ("author",), GROUP, "author"),
    ("EpisodeOfCare", ("careManager",), reference("PractitionerRole/key"), "careManager"),
    ("Goal", ("outcomeReference",), [reference("Goal/other")], "outcomeReference[0]"),
    ("Location", ("name",), GONE, "name"),
    ("Observation", ("category",), [{"text": "Other"}], "category"),
    ("Observation", ("category", 0, "coding", 0, "code"), "survey", "category"),
    ("Observation", ("performer",), [reference("Location/home")], "performer[0]"),
    ("Patient", ("name", 0, "family"), GONE, "name[0].family"),
    (
        "Patient",
        ("contact",),
        [{"name": {"family": "B", "given": ["A"]}}],
        "contact[0].relationship",
    ),
    ("Practitioner", ("name", 0, "family"), GONE, "name[0].family"),
    ("PractitionerRole", ("location",), [ADA], "location[0]"),
    ("QuestionnaireResponse", ("authored",), GONE, "authored"),
    ("RelatedPerson", ("active",), GONE, "active"),
    ("RiskAssessment", ("performer",), ADA, "performer"),
    ("ServiceRequest", ("code",), GONE, "code"),
    ("ServiceRequest", ("locationReference",), [ADA], "locationReference[0]"),
]


def found(type_: str, resource: Json) -> list[tuple[str, ...]]:
    issues = Judge(KNOWN, resource).resource(f"{ELTSS}/StructureDefinition/{type_}-eltss")
    return [one.expression for one in issues if one.severity == "error"]


def test_every_profile_has_a_case() -> None:
    shipped = {
        one["type"]
        for one in guides.definitions().values()
        if one["url"].startswith(f"{ELTSS}/StructureDefinition") and one["type"] != "Extension"
    }
    assert shipped == set(RIGHT) == {type_ for type_, *_ in WRONG}


@pytest.mark.parametrize("type_", RIGHT)
def test_what_is_right_passes(type_: str) -> None:
    assert validate(RIGHT[type_], type_) == []
    assert found(type_, RIGHT[type_]) == []


@pytest.mark.parametrize(("type_", "path", "value", "where"), WRONG)
def test_what_is_wrong_is_found_where_it_is(
    type_: str, path: Path, value: object, where: str
) -> None:
    broken = changed(RIGHT[type_], path, value)
    assert (".".join(filter(None, (type_, where))),) in found(type_, broken)


def test_a_service_in_plain_words_has_no_code_of_the_list() -> None:
    plain = RIGHT["ServiceRequest"] | {"code": {"text": "Day support"}}
    assert ("ServiceRequest.code",) in found("ServiceRequest", plain)
