"""What a consent can name a resource by. Pure."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.consent.marks import (
    author_key,
    authors,
    class_key,
    clinical,
    code_key,
    marks,
    profile_key,
    references_key,
)
from app.fhir.search.parameters.date import EARLIEST, LATEST
from tests.build import concept, goal, reference

BASE = "http://localhost/fhir"
LOINC = "http://loinc.org"
PROFILE = "http://profile.example/plan"
TYPES = "http://hl7.org/fhir/resource-types"


def traits(**elements: Any) -> frozenset[int]:
    return frozenset(marks(goal(**elements), BASE).traits)


def test_a_resource_is_first_of_all_itself() -> None:
    made = marks(goal("it"), BASE)
    assert made.traits[0] == references_key("Goal/it")
    assert class_key(TYPES, "Goal") in made.traits
    assert class_key(TYPES, "Task") not in made.traits


def test_codes_are_those_of_its_content() -> None:
    tag = {"system": "http://tag.example", "code": "mine"}
    unit = {"system": "http://unitsofmeasure.org", "code": "kg"}
    found = traits(
        meta={"tag": [tag], "security": [tag | {"code": "also"}]},
        category=[concept(LOINC, "8867-4")],
        target=[{"detailQuantity": {"value": 3, **unit}}],
        note=[{"text": "-", "code": "no-system"}, {"system": "http://no-code.example"}],
        outcomeCode=[
            {"system": "http://no-coding.example", "code": {"text": "what a Coding is not"}}
        ],
    )
    assert code_key(LOINC, "8867-4") in found
    for system, code in ((LOINC, "mine"), tuple(tag.values()), tuple(unit.values())):
        assert code_key(system, code) not in found
    assert code_key("http://tag.example", "also") not in found


def test_profiles_count_without_their_version() -> None:
    found = traits(meta={"profile": [f"{PROFILE}|1.0"]})
    assert profile_key(PROFILE) in found
    assert class_key("urn:any", PROFILE) in found
    assert class_key("urn:any", "code") == code_key("urn:any", "code")


def test_references_to_this_server_are_traits() -> None:
    found = traits(addresses=[reference(f"{BASE}/Condition/1"), reference("Condition/2")])
    assert {references_key("Condition/1"), references_key("Condition/2")} <= found
    elsewhere = traits(addresses=[reference("https://other.example/fhir/Condition/1")])
    assert references_key("Condition/1") not in elsewhere


def typed(code: str | None) -> dict[str, Any]:
    kind = {"type": concept("http://role.example", code)} if code else {}
    return {"resourceType": "Provenance", "agent": [{"who": reference("Practitioner/1"), **kind}]}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (typed(None), ["Practitioner/1"]),
        (typed("author"), ["Practitioner/1"]),
        (typed("enterer"), []),
        ({"resourceType": "Observation", "performer": [reference("Practitioner/1")]}, None),
        (
            {"resourceType": "Procedure", "performer": [{"actor": reference("Practitioner/1")}]},
            None,
        ),
        ({"resourceType": "Condition", "recorder": reference("Practitioner/1")}, None),
        ({"resourceType": "Condition", "asserter": {"display": "somebody"}}, []),
        ({"resourceType": "Goal", "expressedBy": reference("Practitioner/1")}, []),
        ({"resourceType": "Library", "author": [{"name": "somebody"}, "text"]}, []),
    ],
    ids=str,
)
def test_who_made_it_is_an_author(resource: dict[str, Any], expected: list[str] | None) -> None:
    wanted = ["Practitioner/1"] if expected is None else expected
    assert list(authors(resource, BASE)) == wanted
    keys = set(marks({"id": "it", **resource}, BASE).traits)
    assert (author_key("Practitioner/1") in keys) is bool(wanted)


DAY = (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC))


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"startDate": "2026-01-05"}, DAY),
        ({"effectiveDateTime": "2026-01-05", "issued": "2020-01-01"}, DAY),
        ({"effectiveDateTime": "soon", "authoredOn": "2026-01-05"}, DAY),
        ({"period": {"start": "2026-01-05"}}, (DAY[0], LATEST)),
        ({"period": {"end": "2026-01-05"}}, (EARLIEST, DAY[1])),
        ({"period": {"start": "2026-01-05", "end": "2026-01-05"}}, DAY),
        ({"period": 5}, (None, None)),
        ({}, (None, None)),
    ],
    ids=str,
)
def test_the_time_it_is_about(elements: dict[str, Any], expected: tuple[Any, Any]) -> None:
    assert clinical({"resourceType": "Observation", **elements}) == expected
