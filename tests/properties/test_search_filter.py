"""Whatever is stored and whatever is asked: the database finds what a plain reading finds.

The reference filter knows nothing of keys, tables and SQL; it reads the resources one by one.
https://hl7.org/fhir/R4/search.html
"""

import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import CLEAN
from tests.fhir.search.conftest import Shelf

Json = dict[str, Any]
Test = Callable[[Json, list[Json]], bool]
Asked = tuple[str, Test]
"""A criterion as in a URL, and the plain reading of it."""

SYSTEMS = ("urn:x", "urn:y", "")
CODES = ("a", "b", "A")
NAMES = ("Ada", "ada", "Adaline", "Ädele", "O'Ada", "Bo", "Bo Ada")
UNITS = ("kg", "g")
PEOPLE = ("p0", "p1", "p2")


@st.composite
def codings(draw: st.DrawFn) -> Json:
    system, code = draw(st.sampled_from(SYSTEMS)), draw(st.sampled_from(CODES))
    return {"code": code, **({"system": system} if system else {})}


@st.composite
def people(draw: st.DrawFn) -> list[Json]:
    return [
        {
            "resourceType": "Patient",
            "id": id_,
            **draw(optional("name", st.lists(names(), min_size=1, max_size=2))),
            **draw(optional("active", st.booleans())),
        }
        for id_ in PEOPLE
    ]


def names() -> st.SearchStrategy[Json]:
    return st.sampled_from(NAMES).map(lambda text: {"family": text})


def optional(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.one_of(st.just({}), values.map(lambda value: {name: value}))


@st.composite
def observations(draw: st.DrawFn) -> list[Json]:
    found = []
    for at in range(draw(st.integers(1, 6))):
        one: Json = {"resourceType": "Observation", "id": f"o{at}", "status": "final"}
        one |= {"code": {"coding": draw(st.lists(codings(), max_size=2))}}
        one |= {"subject": {"reference": f"Patient/{draw(st.sampled_from(PEOPLE))}"}}
        size = {"value": draw(st.integers(1, 4)), "code": draw(st.sampled_from(UNITS))}
        one |= draw(optional("valueQuantity", st.just(size)))
        found.append(one)
    return found


def folded(text: str) -> str:
    """Without case, accents and punctuation. https://hl7.org/fhir/R4/search.html#string"""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if letter.isalnum() or letter == " ")


def families(person: Json) -> list[str]:
    return [name["family"] for name in person.get("name", ())]


def subject(one: Json, everybody: list[Json]) -> Json:
    [found] = [p for p in everybody if f"Patient/{p['id']}" == one["subject"]["reference"]]
    return found


def has_code(one: Json, system: str | None, code: str | None) -> bool:
    return any(
        (system is None or coding.get("system", "") == system)
        and (code is None or coding["code"] == code)
        for coding in one["code"]["coding"]
    )


def tokens() -> st.SearchStrategy[Asked]:
    """`code`, `system|code`, `|code`, `system|`: what has it, or with :not what has it not."""
    forms = st.one_of(
        st.tuples(st.none(), st.sampled_from(CODES)),
        st.tuples(st.sampled_from(SYSTEMS), st.sampled_from(CODES)),
        st.tuples(st.sampled_from(SYSTEMS[:2]), st.none()),
    )
    asked = st.tuples(st.lists(forms, min_size=1, max_size=2), st.booleans())
    return asked.map(lambda it: _token(it[0], it[1]))


def _token(forms: list[tuple[str | None, str | None]], is_not: bool) -> Asked:
    texts = [code if system is None else f"{system}|{code or ''}" for system, code in forms]
    name = "code:not" if is_not else "code"
    return (
        f"{name}={','.join(map(str, texts))}",
        lambda one, _: any(has_code(one, *form) for form in forms) is not is_not,
    )


def quantities() -> st.SearchStrategy[Asked]:
    drawn = st.tuples(
        st.sampled_from(("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")),
        st.integers(1, 4),
        st.sampled_from(("", *UNITS)),
    )
    return drawn.map(lambda it: _quantity(*it))


def _quantity(prefix: str, number: int, unit: str) -> Asked:
    half = Decimal("0.5")
    tests: dict[str, Callable[[int], bool]] = {
        "eq": lambda value: number - half <= value < number + half,
        "ne": lambda value: not number - half <= value < number + half,
        "gt": lambda value: value > number,
        "sa": lambda value: value > number,
        "lt": lambda value: value < number,
        "eb": lambda value: value < number,
        "ge": lambda value: value >= number,
        "le": lambda value: value <= number,
    }

    def test(one: Json, _: list[Json]) -> bool:
        size = one.get("valueQuantity")
        is_unit = not unit or (size is not None and size["code"] == unit)
        return size is not None and is_unit and tests[prefix or "eq"](size["value"])

    return f"value-quantity={prefix}{number}{f'||{unit}' if unit else ''}", test


def strings() -> st.SearchStrategy[tuple[str, Callable[[Json], bool]]]:
    """A criterion on the family names of a person, by each modifier."""
    drawn = st.tuples(
        st.sampled_from(("", ":exact", ":contains")),
        st.sampled_from((*NAMES, "ad", "d", "ÄDE", "b")),
    )
    return drawn.map(lambda it: _string(*it))


def _string(modifier: str, text: str) -> tuple[str, Callable[[Json], bool]]:
    tests: dict[str, Callable[[str], bool]] = {
        "": lambda name: folded(name).startswith(folded(text)),
        ":exact": lambda name: name == text,
        ":contains": lambda name: folded(text) in folded(name),
    }
    return f"family{modifier}={text}", lambda one: any(map(tests[modifier], families(one)))


def chains() -> st.SearchStrategy[Asked]:
    return strings().map(
        lambda it: (f"subject:Patient.{it[0]}", lambda one, every: it[1](subject(one, every)))
    )


def missing() -> st.SearchStrategy[Asked]:
    return st.booleans().map(
        lambda is_missing: (
            f"value-quantity:missing={str(is_missing).lower()}",
            lambda one, _: ("valueQuantity" in one) is not is_missing,
        )
    )


def references() -> st.SearchStrategy[Asked]:
    return st.tuples(st.sampled_from(PEOPLE), st.sampled_from(("", "Patient/"))).map(
        lambda it: (
            f"subject={it[1]}{it[0]}",
            lambda one, _: one["subject"]["reference"] == f"Patient/{it[0]}",
        )
    )


CRITERIA = st.one_of(tokens(), quantities(), chains(), missing(), references())
BOUNDED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@BOUNDED
@given(everybody=people(), every=observations(), asked=st.lists(CRITERIA, min_size=1, max_size=3))
async def test_observations_are_found_as_a_plain_reading_finds_them(
    database: Any, everybody: list[Json], every: list[Json], asked: list[Asked]
) -> None:
    await database.execute(CLEAN)
    shelf = Shelf(database)
    await shelf.put(*everybody, *every)
    for text, test in asked:
        expected = {one["id"] for one in every if test(one, everybody)}
        assert set(await shelf.find(f"Observation?{text}")) == expected, text
    both = "&".join(text for text, _ in asked)
    expected = {one["id"] for one in every if all(test(one, everybody) for _, test in asked)}
    assert set(await shelf.find(f"Observation?{both}")) == expected, both


@BOUNDED
@given(
    everybody=people(),
    every=observations(),
    asked=st.lists(strings(), min_size=1, max_size=2),
    having=st.one_of(tokens(), quantities(), missing()),
)
async def test_people_are_found_by_themselves_and_by_what_refers_to_them(
    database: Any, everybody: list[Json], every: list[Json], asked: list[Any], having: Asked
) -> None:
    await database.execute(CLEAN)
    shelf = Shelf(database)
    await shelf.put(*everybody, *every)
    for text, test in asked:
        expected = {one["id"] for one in everybody if test(one)}
        assert set(await shelf.find(f"Patient?{text}")) == expected, text
    text, holds = having
    expected = {subject(one, everybody)["id"] for one in every if holds(one, everybody)}
    assert set(await shelf.find(f"Patient?_has:Observation:subject:{text}")) == expected, text
