"""The profiles of US Core that come with the server: what is right passes, what is not is found."""

import pytest

from app.fhir import guides
from app.fhir.terminology.held import profiles_of_r4
from app.fhir.validation.profile import Judge
from app.fhir.validation.snapshot import snapshot
from app.fhir.validation.structure import validate
from tests.fhir.validation.profiled import KNOWN
from tests.fhir.validation.us_core_cases import CASES
from tests.fhir.validation.us_core_resources import CORE, Path, changed

PROFILES = f"{CORE}/StructureDefinition"
WRONG = [
    pytest.param(name, path, value, where, id=f"{name}-{'.'.join(map(str, path))}-{at}")
    for name, (_, wrongs) in CASES.items()
    for at, (path, value, where) in enumerate(wrongs)
]


def errors(name: str, resource: dict[str, object]) -> list[tuple[str, ...]]:
    found = Judge(KNOWN, resource).resource(f"{PROFILES}/{name}")
    return [one.expression for one in found if one.severity == "error"]


def test_every_profile_has_a_case() -> None:
    shipped = {
        one["id"]
        for one in guides.definitions().values()
        if one["resourceType"] == "StructureDefinition"
        and one["type"] != "Extension"
        and one["url"].startswith(PROFILES)
    }
    assert shipped == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_what_is_right_passes(name: str) -> None:
    resource, _ = CASES[name]
    assert validate(resource, resource["resourceType"]) == []
    found = list(Judge(KNOWN, resource).resource(f"{PROFILES}/{name}"))
    assert [one.diagnostics for one in found if one.severity == "error"] == []
    assert [one for one in found if one.code == "not-supported"] == []


@pytest.mark.parametrize(("name", "path", "value", "where"), WRONG)
def test_what_is_wrong_is_found_where_it_is(
    name: str, path: Path, value: object, where: str
) -> None:
    resource, _ = CASES[name]
    broken = changed(resource, path, value)
    expression = ".".join(filter(None, (resource["resourceType"], where)))
    assert (expression,) in errors(name, broken)


def elements(name: str) -> dict[str, dict[str, object]]:
    held = {**profiles_of_r4(), **guides.definitions()}
    return {one["id"]: one for one in snapshot(f"{PROFILES}/{name}", held)}


def test_a_snapshot_says_how_its_slices_are_told_apart() -> None:
    patient, smoking = elements("us-core-patient"), elements("us-core-smokingstatus")
    by_url = {"discriminator": [{"type": "value", "path": "url"}], "rules": "open"}
    assert patient["Patient.extension"]["slicing"] == by_url
    assert patient["Patient.name.extension"]["slicing"] == by_url
    when = smoking["Observation.effective[x]"]
    assert (when["min"], when["slicing"]["rules"]) == (1, "closed")  # type: ignore[index]
    chosen = smoking["Observation.effective[x]:effectiveDateTime"]
    assert [one["code"] for one in chosen["type"]] == ["dateTime"]  # type: ignore[attr-defined]


def test_a_snapshot_has_what_is_within_a_primitive() -> None:
    answers = elements("us-core-questionnaireresponse")
    said = answers["QuestionnaireResponse.questionnaire.extension:url"]
    assert said["base"]["path"] == "Element.extension"  # type: ignore[index]
