"""_filter: expressions over search parameters. https://hl7.org/fhir/R4/search_filter.html"""

from urllib.parse import quote

import pytest

from app.fhir.errors import BadRequest
from app.fhir.search.condition import Either, Every, Not
from app.fhir.search.filter import parse_filter
from app.fhir.search.parameters import Criterion
from tests.build import care_plan, concept, goal, organization, patient, reference

SCT = "http://snomed.info/sct"


@pytest.fixture
async def people(shelf):
    await shelf.put(
        organization("north", name="North Agency"),
        organization("south", name="South Agency", active=False),
        patient(
            "peter",
            "Organization/north",
            name=[{"family": "Chalmers", "given": ["Peter", "James"]}],
            birthDate="2014-10-10",
            gender="male",
        ),
        patient(
            "petra",
            "Organization/south",
            name=[{"family": "Müller", "given": ["Petra"]}],
            birthDate="1980",
        ),
        patient("ada", None, active=False),
        goal("walk", "Patient/peter", category=[{"text": "Getting about"}]),
        goal("swim", "Patient/petra", startDate="2026-05-01"),
        care_plan("Goal/walk", id_="p1", patient="Patient/peter"),
    )
    return shelf


PATIENTS = [
    ('name co "pet"', {"peter", "petra"}),
    ('name sw "pet"', {"peter", "petra"}),
    ('given ew "ter"', {"peter"}),
    ('family eq "muller"', {"petra"}),
    ('family eq "MÜLLER"', {"petra"}),
    ('family eq "mull"', set()),
    ('family ne "muller"', {"peter", "ada"}),
    ('given eq "peter" and birthdate ge 2014-10-10', {"peter"}),
    ("birthdate lt 1990", {"petra"}),
    ("birthdate ne 1980", {"peter"}),
    ("birthdate po 1980-05", {"petra"}),
    ("birthdate eq 1980-05", set()),
    ("birthdate pr true", {"peter", "petra"}),
    ("birthdate pr false", {"ada"}),
    ("gender eq male", {"peter"}),
    ("gender ne male", set()),
    ("gender pr false", {"petra", "ada"}),
    ("active eq false or gender eq male", {"ada", "peter"}),
    ("not(gender eq male)", {"petra", "ada"}),
    ("not (organization eq Organization/north)", {"petra", "ada"}),
    ("organization re Organization/south", {"petra"}),
    ("organization ne Organization/south", {"peter"}),
    ("organization.name sw north", {"peter"}),
    ("organization:Organization.active eq false", {"petra"}),
    ('organization[active eq true].name co "agency"', {"peter"}),
    ('organization[active eq true].name co "south"', set()),
    ("_has:Goal:patient:start-date ge 2026", {"petra"}),
    ("_id eq ada or _id eq peter", {"ada", "peter"}),
    ("active eq true and gender eq male or active eq false", {"peter", "ada"}),
    ("active eq false or active eq true and gender eq male", {"peter"}),
    ("active eq false or (active eq true and gender eq male)", {"peter", "ada"}),
    ('family eq "a,b" or family eq "ada"', {"ada"}),
]


@pytest.mark.parametrize(("text", "found"), PATIENTS)
async def test_a_filter_finds_what_it_says(people, text: str, found: set[str]) -> None:
    assert set(await people.find(f"Patient?_filter={quote(text)}")) == found


async def test_a_filter_looks_at_codes_by_their_texts(people) -> None:
    for text in ('category co "about"', 'category sw "getting"', 'category ew "ABOUT"'):
        assert await people.find(f"Goal?_filter={quote(text)}") == ["walk"]


async def test_filters_and_parameters_must_all_hold(people) -> None:
    both = f"Patient?_filter={quote('active eq true')}&_filter={quote('gender pr true')}"
    assert await people.find(both) == ["peter"]
    assert await people.find(f"Patient?gender=male&_filter={quote('active eq false')}") == []


async def test_a_filter_takes_composites_and_quantities(shelf) -> None:
    weight = {"resourceType": "Observation", "id": "w", "status": "final"}
    weight |= {"code": concept(SCT, "1"), "valueQuantity": {"value": 71, "unit": "kg"}}
    await shelf.put(weight | {"subject": reference("Patient/ada")})
    for text in ("value-quantity gt 70||kg", "code-value-quantity eq 1$gt70", f"code eq {SCT}|1"):
        assert await shelf.find(f"Observation?_filter={quote(text)}") == ["w"], text
    assert await shelf.find("Observation?_filter=value-quantity gt 71") == []


def test_and_and_or_are_taken_from_left_to_right() -> None:
    tree = parse_filter("Goal", "patient eq a or patient eq b and not(patient eq c)")
    assert isinstance(tree, Every)
    first, second = tree.parts
    assert isinstance(first, Either)
    assert isinstance(second, Not)
    assert isinstance(second.inner, Criterion)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name eq",
        "name eq (",
        'name eq "open',
        "name eq a and",
        "(name eq a",
        "name eq a)",
        "name eq a b",
        "and eq a or",
        "not name eq a",
        "5 eq a",
        "name[active eq true] eq a",
        "organization[active eq true] eq a",
        "organization[active eq true].5 eq a",
        "name gt a",
        "birthdate co 2014",
        "birthdate po gt2014",
        "gender co male",
        "identifier in x",
        "active pr perhaps",
        "name:exact eq a",
        "colour eq red",
        "_text eq red",
        " and ".join(["gender eq male"] * 51),
    ],
)
async def test_what_cannot_be_read_is_refused(shelf, text: str) -> None:
    with pytest.raises(BadRequest):
        await shelf.find(f"Patient?_filter={quote(text)}")
