import pytest

from app.fhir.registry import (
    BREADTH,
    CONFORMANCE,
    CORE,
    DEFINITIONS,
    PROCESS,
    STORED,
    TRANSIENT,
    TYPES,
    compartment,
    compartment_names,
    is_type,
    parameters,
)
from tests.definitions import generated, union
from tests.official import package

COMMON = {"_id", "_lastUpdated", "_profile", "_security", "_source", "_tag"}
BASE = "http://hl7.org/fhir/CapabilityStatement/base"


def test_the_committed_definitions_are_what_the_official_package_gives() -> None:
    for name, text in generated().items():
        committed = (DEFINITIONS / f"{name}").read_text()
        assert committed == text + "\n", f"{name} is stale: run python -m tests.definitions"


def test_no_type_is_in_two_groups() -> None:
    assert len(set(TYPES)) == len(CORE + PROCESS + BREADTH + CONFORMANCE + TRANSIENT)


US_CORE = {
    "CareTeam": {"role"},
    "Condition": {"asserted-date"},
    "Encounter": {"discharge-disposition"},
    "Goal": {"description"},
}
"""What US Core wants to be searched by, and R4 does not define."""


@pytest.mark.parametrize("type_", sorted(STORED))
def test_a_type_has_the_parameters_that_the_official_base_server_lists(type_: str) -> None:
    server = package("CapabilityStatement")[BASE]["rest"][0]["resource"]
    official = next(row for row in server if row["type"] == type_).get("searchParam", [])
    expected = COMMON | {row["name"] for row in official} | US_CORE.get(type_, set())
    assert set(parameters(type_)) == expected


@pytest.mark.parametrize("type_", TYPES)
def test_a_parameter_equals_its_official_definition(type_: str) -> None:
    for code, mine in parameters(type_).items():
        if code in US_CORE.get(type_, ()):
            assert mine.url.startswith("http://hl7.org/fhir/us/core/SearchParameter/us-core-")
            continue
        official = package("SearchParameter")[mine.url]
        assert (code, mine.code, mine.type) == (
            official["code"],
            official["code"],
            official["type"],
        )
        assert mine.base == type_
        assert set(mine.target) == set(official.get("target", ())) & set(TYPES)
        assert set(union(mine.expression)) <= set(union(official["expression"]))
        assert len(mine.components) == len(official.get("component", ()))
        for part, defined in zip(mine.components, official.get("component", ()), strict=True):
            assert part.expression == defined["expression"]


@pytest.mark.parametrize("name", compartment_names())
def test_a_compartment_equals_its_official_definition(name: str) -> None:
    official = package("CompartmentDefinition")[
        f"http://hl7.org/fhir/CompartmentDefinition/{name[0].lower() + name[1:]}"
    ]
    for row in official["resource"]:
        if row["code"] in TYPES:
            listed = [code for code in row.get("param", ()) if code != "{def}"]
            assert list(compartment(name, row["code"])) == listed


def test_a_compartment_names_only_parameters_that_exist() -> None:
    for name in compartment_names():
        for type_ in STORED:
            assert set(compartment(name, type_)) <= set(parameters(type_))


def test_what_is_not_stored_is_no_type() -> None:
    assert is_type("CarePlan")
    assert not is_type("Parameters")
    assert not is_type("careplan")
    assert not is_type("Medication")
