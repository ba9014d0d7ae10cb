"""A kept statement is the one that would be compiled; what depends on more is not kept."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.fhir.context import Call, Context, Preference
from app.fhir.engine import Engine
from app.fhir.errors import BadRequest
from app.fhir.hidden import eyes, known_to
from app.fhir.registry import Registered, SearchParameter, adopt
from app.fhir.search.find import stated
from app.fhir.search.kept import Kept, kept
from app.fhir.search.masked import doubted
from app.fhir.search.query import Query, parse_query
from tests.admitted import context
from tests.test_admission import engine

__all__ = ["engine"]

Pairs = tuple[tuple[str, str], ...]

CALLERS = {
    "operator": ("operator", "system/*.cruds", {}),
    "county": ("provider-organization", "system/*.cruds", {"organization": "Organization/county"}),
    "partner": ("partner-system", "system/*.rs", {"organization": "Organization/partner"}),
    "few types": (
        "partner-system",
        "system/CarePlan.rs system/Patient.r",
        {"organization": "Organization/partner"},
    ),
    "worker": ("key-worker", "user/*.rs", {"fhir_user": "Practitioner/grace"}),
    "self": ("individual", "patient/*.rs", {"fhir_user": "Patient/ada", "patient": "ada"}),
    "granular": (
        "partner-system",
        "system/CarePlan.rs?status=active system/Goal.rs?achievement-status=improving",
        {"organization": "Organization/partner"},
    ),
    "family": ("family", "patient/*.rs", {"fhir_user": "RelatedPerson/ines", "patient": "ada"}),
}

OFTEN: dict[str, Pairs] = {
    "Goal": (("patient", "ada"), ("_sort", "-start-date"), ("_count", "20")),
    "CarePlan": (
        ("subject", "Patient/ada"),
        ("status", "active"),
        ("_include", "CarePlan:goal"),
        ("_include", "CarePlan:care-team"),
    ),
    "Observation": (("date", "ge2024-03-01"), ("_sort", "-date"), ("_count", "20")),
    "Task": (("patient", "Patient/ada"), ("_summary", "count")),
}

PARAMETERS = st.sampled_from(
    [
        ("status", "active"),
        ("status:not", "draft,revoked"),
        ("status:missing", "true"),
        ("date", "ge2024-03-01"),
        ("date", "ap2024"),
        ("_lastUpdated", "gt2024-03-01T00:00:00Z"),
        ("identifier", "urn:x|1"),
        ("category:in", "ValueSet/1"),
        ("goal", "Goal/1"),
        ("goal:missing", "false"),
        ("performer", "Practitioner/grace"),
        ("patient.name", "Ada"),
        ("patient:Patient", "ben"),
        ("patient:identifier", "urn:x|1"),
        ("subject", "Patient/ben"),
        ("beneficiary", "Patient/ben"),
        ("patient", "ben,ada"),
        ("_has:Task:focus:status", "requested"),
        ("_filter", "status eq active"),
        ("_filter", "patient eq Patient/ben"),
        ("_list", "mine"),
        ("_content", "walks"),
        ("_id", "ada"),
        ("_sort", "-date"),
        ("_sort", "_lastUpdated"),
        ("_sort", "goal"),
        ("_count", "20"),
        ("_count", "0"),
        ("_total", "accurate"),
        ("_total", "estimate"),
        ("_summary", "count"),
        ("_elements", "status"),
        ("_include", "CarePlan:goal"),
        ("_include", "CarePlan:*"),
        ("_revinclude", "Task:focus"),
        ("_page", "x"),
        ("nothing", "like it"),
    ]
)
IDS = st.from_regex(r"\A[A-Za-z0-9.-]{1,64}\Z")
NAMING = st.sampled_from(["patient", "subject", "beneficiary", "patient:Patient", "_id"])
SHAPES = st.tuples(
    st.lists(PARAMETERS, max_size=4, unique=True),
    st.none() | st.tuples(NAMING, st.sampled_from(["{}", "Patient/{}"]), st.integers(0, 4)),
)
WORDS = SearchParameter("Goal", "words", "string", "Goal.description.text", "urn:x", state="ready")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Nothing was asked before a test."""
    adopt(Registered())
    yield
    adopt(Registered())


def under(engine: Engine, name: str) -> Context:
    role, scope, claims = CALLERS[name]
    return context(engine, role, scope, **claims)


def asked(
    ctx: Context, type_: str, pairs: Pairs, *, times: int = 1, handling: str = "strict"
) -> tuple[Kept, str] | None:
    """What is kept by the last of these times."""
    call = Call("search-type", type_, query=pairs, prefer=Preference(handling=handling))
    return [kept(ctx, call) for _ in range(times)][-1]


def naming(shape: tuple[list[tuple[str, str]], tuple[str, str, int] | None], id_: str) -> Pairs:
    pairs, of_whom = [*shape[0]], shape[1]
    if of_whom is not None:
        name, form, at = of_whom
        pairs.insert(at, (name, form.format(id_)))
    return tuple(pairs)


def compiled(ctx: Context, type_: str, pairs: Pairs) -> tuple[Query, tuple[object, ...]]:
    """The query and the statement as they are without anything kept."""
    policy = ctx.engine.policy
    query = parse_query(type_, pairs, counts=(policy.page_size, policy.max_page_size))
    groups = known_to(ctx)
    assert doubted(query, groups, ctx.engine.base_url) == frozenset()
    found = stated(query, eyes(ctx), ctx.engine.base_url, None, (groups, frozenset()))
    return query, found.complete


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(["CarePlan", "Goal", "Patient", "Coverage", "Observation"]),
    SHAPES,
    st.lists(IDS, min_size=3, max_size=3),
    st.sampled_from(sorted(CALLERS)),
)
def test_what_is_kept_is_what_would_be_compiled(
    engine: Engine,
    type_: str,
    shape: tuple[list[tuple[str, str]], tuple[str, str, int] | None],
    ids: list[str],
    caller: str,
) -> None:
    ctx = under(engine, caller)
    for id_ in ids:
        pairs = naming(shape, id_)
        again = asked(ctx, type_, pairs)
        if again is None:
            continue
        found, patient = again
        query, statement = compiled(ctx, type_, pairs)
        assert found.of(patient) == statement
        plain = replace(query, conditions=(), used=())
        assert replace(found.query, conditions=(), used=()) == plain
        assert query.used == pairs


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("type_", OFTEN)
async def test_what_is_asked_often_is_kept_from_the_second_time_on(
    engine: Engine, caller: str, type_: str
) -> None:
    ctx = under(engine, caller)
    assert asked(ctx, type_, OFTEN[type_]) is None
    of_ben = tuple((name, value.replace("ada", "ben")) for name, value in OFTEN[type_])
    for pairs in (of_ben, OFTEN[type_]):
        again = asked(ctx, type_, pairs)
        assert again is not None
        found, patient = again
        assert found.of(patient) == compiled(ctx, type_, pairs)[1]


@pytest.mark.parametrize("id_", ["P", "ap", "t", "0", "Patient", "x" * 64])
def test_any_id_is_that_of_a_patient(engine: Engine, id_: str) -> None:
    ctx, pairs = under(engine, "operator"), (("patient", f"Patient/{id_}"), ("_id", id_))
    assert id_ == "ap" or asked(ctx, "Goal", pairs, times=2) is not None
    again = asked(ctx, "Goal", pairs[:1], times=2)
    assert again is not None
    assert again[0].of(again[1]) == compiled(ctx, "Goal", pairs[:1])[1]


@pytest.mark.parametrize("value", ["ben,ada", "Patient/ben,Patient/ada", "ben,ada,x"])
def test_what_is_no_id_is_no_patient(engine: Engine, value: str) -> None:
    ctx, pairs = under(engine, "operator"), (("patient", value),)
    again = asked(ctx, "Goal", pairs, times=2)
    assert again is not None
    assert again[1] == ""
    assert again[0].of("") == compiled(ctx, "Goal", pairs)[1]


def test_callers_are_kept_apart(engine: Engine) -> None:
    every = [asked(under(engine, name), "Goal", OFTEN["Goal"], times=2) for name in CALLERS]
    statements = [found[0].statement for found in every if found]
    assert len(statements) == len(CALLERS)
    assert len({str(each) for each in statements}) == len(CALLERS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_page", "x"),
        ("date", "ap2024-03-01"),
        ("date", "a\\p2024-03-01"),
        ("_filter", "date ap 2024-03-01"),
        ("_total", "estimate"),
        ("category:in", "ValueSet/1"),
        ("category:below", "http://snomed.info/sct|1"),
        ("_count", "5000"),
        ("_id", "x" * 300),
        ("subject", "ada"),
        ("nothing", "x"),
        ("status:below", "x"),
    ],
)
def test_what_depends_on_more_than_the_question_is_not_kept(
    engine: Engine, name: str, value: str
) -> None:
    pairs = (("status", "active"), (name, value))
    ctx = under(engine, "operator")
    assert asked(ctx, "CarePlan", pairs, times=3) is None
    assert asked(ctx, "CarePlan", (("status", "active"), ("_id", "ada")), times=3) is not None


def test_a_hierarchy_is_looked_up_each_time(engine: Engine) -> None:
    ctx = under(engine, "operator")
    assert asked(ctx, "Location", (("partof:below", "county"),), times=3) is None
    assert asked(ctx, "Location", (("partof", "county"),), times=3) is not None


def test_a_long_question_is_not_kept(engine: Engine) -> None:
    ctx, every = under(engine, "operator"), tuple(("_tag", f"t{at}") for at in range(17))
    assert asked(ctx, "Goal", every, times=3) is None
    assert asked(ctx, "Goal", every[1:], times=3) is not None


def test_a_refusal_is_left_to_whoever_is_refused(engine: Engine) -> None:
    ctx = under(engine, "partner")
    for pairs in ((("_sort", "goal"),), (("nothing", "x"),)):
        assert asked(ctx, "CarePlan", pairs, times=3, handling="lenient") is None
    with pytest.raises(BadRequest):
        compiled(ctx, "CarePlan", (("_sort", "goal"),))


def test_what_may_be_hidden_is_looked_up_each_time(engine: Engine) -> None:
    pairs = (("goal", "Goal/1"),)
    assert asked(under(engine, "partner"), "CarePlan", pairs, times=3) is None
    assert asked(under(engine, "operator"), "CarePlan", pairs, times=3) is not None


@pytest.mark.parametrize(
    ("asks", "lasts"), [("category=vital-signs", True), ("date=ap2024-03-01", False)]
)
def test_a_scope_that_asks_for_a_date_near_now_is_compiled_each_time(
    engine: Engine, asks: str, lasts: bool
) -> None:
    claims = {"organization": "Organization/partner"}
    for scope in (f"system/Observation.rs?{asks}", f"system/Goal.rs system/Observation.rs?{asks}"):
        ctx = context(engine, "partner-system", scope, **claims)
        found = asked(ctx, "Observation", OFTEN["Observation"], times=3)
        assert (found is not None) is lasts
        assert (
            not lasts or found[0].statement == compiled(ctx, "Observation", OFTEN["Observation"])[1]
        )


def test_whoever_is_in_the_key_of_a_compartment_is_no_patient_of_the_query(
    engine: Engine,
) -> None:
    ctx = under(engine, "operator")
    call = Call("search-compartment", "Goal", compartment=("Patient", "ada"))
    assert [kept(ctx, call) for _ in range(3)] == [None, None, None]


def test_nothing_is_kept_beyond_the_parameters_it_was_read_by(engine: Engine) -> None:
    ctx, pairs = under(engine, "operator"), (("words", "walks"),)
    assert asked(ctx, "Goal", pairs, times=3) is None
    adopt(Registered("1", {"Goal": (WORDS,)}))
    assert asked(ctx, "Goal", pairs, times=3) is not None
    adopt(Registered("2"))
    assert asked(ctx, "Goal", pairs, times=3) is None
