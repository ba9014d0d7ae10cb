import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.auth.scopes import LETTERS, Scope, by_letter, covers, parse, parse_one, unknown
from app.fhir.access import All, AnyOf, InCompartment, Matching, Nothing, OfType

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"


def letters(text: str) -> str | None:
    scope = parse_one(text)
    return scope.letters if scope else None


def is_covered(registered: str, requested: str) -> bool:
    scope = parse_one(requested)
    assert scope is not None
    return covers(parse(registered), scope)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("system/*.cruds", "cruds"),
        ("patient/Goal.rs", "rs"),
        ("user/CarePlan.c", "c"),
        ("system/Goal.read", "rs"),
        ("system/Goal.write", "cud"),
        ("system/*.*", "cruds"),
    ],
)
def test_a_scope_grants_the_letters_it_names(text: str, expected: str) -> None:
    assert letters(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "system/Goal.sr",
        "system/Goal.dus",
        "system/Goal.rr",
        "system/Goal.",
        "system/Goal.R",
        "system/Goal",
        "system/.rs",
        "system/goal.rs",
        "system/Unicorn.rs",
        "system/Goal.readwrite",
        "System/Goal.rs",
        "launch/Goal.rs",
        "system/Goal.rs?",
        "system/Goal.rs?nonsense=1",
        "system/Goal.rs?patient",
        "system/Goal.rs?patient=",
        "system/Goal.rs?patient.name=x",
        "system/Goal.rs?lifecycle-status:not=active",
        "system/*.rs?_id=1",
        "system/Goal.rs?target-date=soon",
        "system/Goal.rs?description=a%00b",
        "system/Goal.rs?_text=x",
        "system/CarePlan.rs?goal=Goal/1",
        "system/CarePlan.rs?activity-code=1",
        "system/Observation.rs?performer=Practitioner/1",
        "system/Goal.rs\n",
        "",
    ],
)
def test_what_is_not_a_scope_grants_nothing(text: str) -> None:
    assert parse_one(text) is None


def test_a_scope_may_name_whom_a_resource_is_about_and_the_directory() -> None:
    for text in ("Observation.rs?patient=1", "Patient.rs?organization=Organization/1"):
        assert parse_one(f"system/{text}") is not None


def test_the_grammar_takes_exactly_the_ordered_subsets() -> None:
    subsets = {
        "".join(c for i, c in enumerate(LETTERS) if number >> i & 1) for number in range(1, 32)
    }
    assert {parse_one(f"system/Goal.{each}") is not None for each in subsets} == {True}
    assert len(subsets) == 31


@given(st.text("cruds", min_size=1, max_size=6))
def test_letters_out_of_order_or_repeated_are_refused(text: str) -> None:
    is_ordered = text == "".join(letter for letter in LETTERS if letter in text)
    assert (parse_one(f"user/Goal.{text}") is not None) == is_ordered


def test_a_granular_scope_carries_its_query() -> None:
    (scope,) = parse(f"patient/Observation.rs?category={CATEGORY}&status=final")
    assert scope.query == (("category", CATEGORY), ("status", "final"))


def test_unknown_scopes_are_named_and_otherwise_passed_over() -> None:
    text = "system/Goal.rs openid  system/Goal.sr __introspection unicorn"
    assert [scope.text for scope in parse(text)] == ["system/Goal.rs"]
    assert unknown(text) == ("system/Goal.sr", "unicorn")


@pytest.mark.parametrize(
    ("registered", "requested"),
    [
        ("system/*.cruds", "system/Goal.r"),
        ("system/*.rs", "system/*.read"),
        ("system/Goal.rs", "system/Goal.s"),
        ("system/Goal.r system/Goal.s", "system/Goal.rs"),
        ("system/*.r system/Goal.u", "system/Goal.ru"),
        ("system/Observation.rs", "system/Observation.rs?status=final"),
        ("system/Observation.rs?status=final", "system/Observation.r?code=1&status=final"),
    ],
)
def test_a_registration_covers_what_lies_within_it(registered: str, requested: str) -> None:
    assert is_covered(registered, requested)


@pytest.mark.parametrize(
    ("registered", "requested"),
    [
        ("", "system/Goal.r"),
        ("system/Goal.rs", "system/Goal.cruds"),
        ("system/Goal.rs", "system/*.rs"),
        ("system/Goal.rs", "system/CarePlan.rs"),
        ("system/Goal.rs", "user/Goal.rs"),
        ("user/*.cruds", "system/Goal.r"),
        ("system/*.cruds", "patient/Goal.r"),
        ("system/Goal.read", "system/Goal.write"),
        ("system/Observation.rs?status=final", "system/Observation.rs"),
        ("system/Observation.rs?status=final", "system/Observation.rs?status=amended"),
        ("system/*.r system/Goal.u", "system/CarePlan.ru"),
    ],
)
def test_a_registration_covers_nothing_beyond_it(registered: str, requested: str) -> None:
    assert not is_covered(registered, requested)


def test_each_letter_opens_only_what_a_scope_with_it_names() -> None:
    access = by_letter(parse("system/Goal.rs user/CarePlan.r system/Goal.u"), None)
    assert access["r"] == AnyOf((OfType("Goal"), OfType("CarePlan")))
    assert access["s"] == OfType("Goal")
    assert access["u"] == OfType("Goal")
    assert access["c"] == access["d"] == Nothing()


def test_a_patient_scope_stays_in_the_compartment() -> None:
    access = by_letter(parse("patient/Goal.r"), "ada")
    assert access["r"] == All((OfType("Goal"), InCompartment("ada")))


@pytest.mark.parametrize("patient", [None, ""])
def test_a_patient_scope_without_a_patient_opens_nothing(patient: str | None) -> None:
    access = by_letter(parse("patient/*.cruds"), patient)
    assert set(access.values()) == {Nothing()}


def test_a_granular_scope_opens_only_what_matches() -> None:
    access = by_letter(parse("patient/Observation.r?status=final"), "ada")
    matching = Matching("Observation", (("status", "final"),))
    assert access["r"] == All((matching, InCompartment("ada")))


def test_no_scope_opens_nothing() -> None:
    assert dict(by_letter((), "ada")) == dict.fromkeys(LETTERS, Nothing())


SCOPES = st.builds(
    Scope,
    st.sampled_from(["system", "user", "patient"]),
    st.sampled_from(["*", "Goal", "CarePlan"]),
    st.sets(st.sampled_from(LETTERS), min_size=1).map(lambda s: "".join(sorted(s))),
)


@given(st.lists(SCOPES), SCOPES)
def test_more_registered_scopes_never_cover_less(registered: list[Scope], scope: Scope) -> None:
    assert covers([*registered, scope], scope)
    if covers(registered[:-1], scope):
        assert covers(registered, scope)
