"""Composite parameters: all parts hold of one and the same element."""

import pytest

from app.fhir.errors import BadRequest
from app.fhir.registry import CORE, parameters
from app.fhir.search.parameters.criterion import is_supported
from tests.build import concept, reference

LOINC, UCUM, SCT = "http://loinc.org", "http://unitsofmeasure.org", "http://snomed.info/sct"


def mmhg(value):
    return {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}


def observation(id_, code, **elements):
    head = {"resourceType": "Observation", "id": id_, "status": "final"}
    return head | {"code": concept(LOINC, code), "subject": reference("Patient/ada")} | elements


def part(code, **elements):
    return {"code": concept(LOINC, code)} | elements


PRESSURE = observation(
    "bp",
    "85354-9",
    component=[part("8480-6", valueQuantity=mmhg(150)), part("8462-4", valueQuantity=mmhg(90))],
)
MOOD = observation(
    "mood",
    "72133-2",
    valueCodeableConcept=concept(SCT, "1"),
    component=[
        part("a", valueCodeableConcept=concept(SCT, "2")),
        part("b", valueCodeableConcept=concept(SCT, "3")),
    ],
)
WEIGHT = observation("weight", "29463-7", valueQuantity={"value": 71, "unit": "kg"})
DATED = observation("dated", "21112-8", valueDateTime="2024-05-17")
SPAN = observation("span", "21112-8", valuePeriod={"start": "2024-05-01", "end": "2024-06-01"})
NOTED = observation("noted", "8665-2", valueString="Walks to the Library")

OBSERVATIONS = [
    (f"component-code-value-quantity={LOINC}|8480-6$150", ["bp"]),
    ("component-code-value-quantity=8480-6$ge140|" + UCUM + "|mm[Hg]", ["bp"]),
    ("component-code-value-quantity=8480-6$90", []),
    ("component-code-value-quantity=8462-4$90", ["bp"]),
    ("component-code-value-quantity=8462-4$gt100", []),
    ("component-code-value-quantity=8462-4$90,8480-6$1", ["bp"]),
    ("combo-code-value-quantity=8480-6$gt100", ["bp"]),
    ("combo-code-value-quantity=29463-7$71||kg", ["weight"]),
    ("combo-code-value-quantity=85354-9$150", []),
    ("code-value-quantity=29463-7$71", ["weight"]),
    ("code-value-quantity=29463-7$lt71", []),
    ("code-value-quantity=8480-6$150", []),
    (f"code-value-concept=72133-2${SCT}|1", ["mood"]),
    (f"code-value-concept=72133-2${SCT}|2", []),
    (f"component-code-value-concept=a${SCT}|2", ["mood"]),
    (f"component-code-value-concept=a${SCT}|3", []),
    (f"combo-code-value-concept=b${SCT}|", ["mood"]),
    (f"combo-code-value-concept=72133-2${SCT}|1", ["mood"]),
    (f"combo-code-value-concept=72133-2${SCT}|3", []),
    ("code-value-date=21112-8$2024-05-17", ["dated"]),
    ("code-value-date=21112-8$2024", ["span", "dated"]),
    ("code-value-date=21112-8$gt2024-05-20", ["span"]),
    ("code-value-date=8665-2$2024", []),
    ("code-value-string=8665-2$walks", ["noted"]),
    ("code-value-string=8665-2$library", []),
    ("code-value-string=21112-8$walks", []),
]


@pytest.mark.parametrize(("asked", "found"), OBSERVATIONS)
async def test_the_parts_hold_of_one_element(shelf, asked: str, found: list[str]) -> None:
    await shelf.put(PRESSURE, MOOD, WEIGHT, DATED, SPAN, NOTED)
    assert await shelf.find(f"Observation?{asked}") == found


OTHERS = [
    (
        {
            "resourceType": "DocumentReference",
            "id": "new",
            "status": "current",
            "content": [],
            "relatesTo": [
                {"code": "replaces", "target": reference("DocumentReference/old")},
                {"code": "appends", "target": reference("DocumentReference/other")},
            ],
        },
        ["relationship=DocumentReference/old$replaces", "relationship=other$appends"],
        ["relationship=DocumentReference/old$appends", "relationship=none$replaces"],
    ),
    (
        {
            "resourceType": "Group",
            "id": "g",
            "type": "person",
            "actual": False,
            "characteristic": [
                {"code": concept(SCT, "1"), "valueBoolean": True, "exclude": False},
                {"code": concept(SCT, "2"), "valueCodeableConcept": concept(SCT, "3")},
            ],
        },
        ["characteristic-value=1$true", f"characteristic-value={SCT}|2$3"],
        ["characteristic-value=2$true", "characteristic-value=1$3"],
    ),
    (
        {
            "resourceType": "Questionnaire",
            "id": "q",
            "status": "active",
            "useContext": [
                {"code": {"code": "age"}, "valueRange": {"low": {"value": 18}}},
                {"code": {"code": "focus"}, "valueCodeableConcept": concept(SCT, "7")},
            ],
        },
        ["context-type-quantity=age$gt20", "context-type-value=focus$7"],
        ["context-type-quantity=age$lt18", "context-type-value=age$7"],
    ),
]


@pytest.mark.parametrize(("resource", "matching", "others"), OTHERS)
async def test_so_it_is_with_every_type(shelf, resource, matching, others) -> None:
    await shelf.put(resource)
    for asked in matching:
        assert await shelf.find(f"{resource['resourceType']}?{asked}") == [resource["id"]], asked
    for asked in others:
        assert await shelf.find(f"{resource['resourceType']}?{asked}") == [], asked


@pytest.mark.parametrize("value", ["8480-6", "a$b$c", "$5", "a$", "a$many", "|$5"])
async def test_a_value_that_has_not_its_parts_is_refused(shelf, value: str) -> None:
    with pytest.raises(BadRequest):
        await shelf.find(f"Observation?code-value-quantity={value}")


async def test_a_composite_takes_no_modifier(shelf) -> None:
    with pytest.raises(BadRequest, match="it takes: none"):
        await shelf.find("Observation?code-value-quantity:missing=true")


async def test_an_escaped_dollar_is_part_of_the_value(shelf) -> None:
    await shelf.put(observation("odd", "a$b", valueString="x"))
    assert await shelf.find(r"Observation?code-value-string=a\$b$x") == ["odd"]


@pytest.mark.parametrize("type_", CORE)
def test_every_r4_parameter_of_the_core_types_is_supported(type_: str) -> None:
    """tests/fhir/test_registry.py proves that the registry has every official parameter."""
    missing = [each.code for each in parameters(type_).values() if not is_supported(each)]
    assert missing == []
