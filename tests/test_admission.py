"""The doorman: what a caller may see is what scopes, relationships and roles all allow."""

import dataclasses

import pytest

from app.admission import DECIDES_ACCESS, LEAST_REASON, admit, admit_nobody, declare
from app.auth.roles import ROLES
from app.fhir.access import (
    All,
    Everything,
    InCompartment,
    Nothing,
    OfType,
    Permitted,
    Related,
    for_type,
)
from app.fhir.audit import AuditLog
from app.fhir.compartments import DIRECTORY
from app.fhir.engine import Engine, Policy
from app.fhir.errors import BadRequest
from app.storage.database import Database
from tests.admitted import caller, context

ORGANIZATION = "Organization/one"
OTHERS = sorted(set(ROLES) - {"operator"})
LETTERS = "cruds"


@pytest.fixture
def engine(pool: Database) -> Engine:
    return Engine(
        database=pool,
        audit=AuditLog(pool),
        routes=(),
        base_url="http://localhost/fhir",
        paging_key=b"k" * 32,
        policy=Policy(),
        stamps=(),
        rules=(),
        projections=(),
        operations={},
    )


async def test_without_a_token_nothing_is_open(engine: Engine) -> None:
    ctx = admit_nobody(engine, "request")
    assert (dict(ctx.access), ctx.reach) == ({}, Nothing())
    assert not ctx.may_choose_ids


async def test_a_letter_that_was_not_granted_opens_nothing(engine: Engine) -> None:
    for role in ROLES:
        ctx = context(engine, role, "system/Goal.r", organization=ORGANIZATION)
        assert for_type(ctx.access["r"], "Goal") != Nothing()
        for letter in set(LETTERS) - {"r"}:
            assert ctx.access[letter] == Nothing()
        assert for_type(ctx.access["r"], "Patient") == Nothing()


@pytest.mark.parametrize("role", OTHERS)
async def test_who_acts_for_nobody_sees_nothing(engine: Engine, role: str) -> None:
    ctx = context(engine, role)
    assert ctx.reach == Nothing()
    assert set(ctx.access.values()) == {Nothing()}


@pytest.mark.parametrize("role", OTHERS)
async def test_whom_someone_sees_follows_from_organization_and_person(
    engine: Engine, role: str
) -> None:
    ctx = context(engine, role, organization=ORGANIZATION, fhir_user="Practitioner/g")
    reach = for_type(ctx.reach, "Goal")
    assert isinstance(reach, Permitted)
    assert reach.actors == (ORGANIZATION, "Practitioner/g")
    assert reach.purposes
    assert for_type(ctx.access["r"], "Goal") == reach


async def test_only_an_operator_sees_whatever_the_scopes_name(engine: Engine) -> None:
    ctx = context(engine, "operator", "system/Goal.rs")
    assert isinstance(ctx.reach, Everything)
    assert isinstance(for_type(ctx.access["s"], "Goal"), Everything)
    assert ctx.access["s"] == OfType("Goal")
    assert ctx.may_choose_ids


@pytest.mark.parametrize("role", OTHERS)
async def test_only_an_operator_writes_the_directory(engine: Engine, role: str) -> None:
    ctx = context(engine, role, organization=ORGANIZATION)
    for type_ in DIRECTORY:
        assert for_type(ctx.access["r"], type_) != Nothing()
        for letter in "cud":
            assert for_type(ctx.access[letter], type_) == Nothing()
    assert not ctx.may_choose_ids


@pytest.mark.parametrize("role", OTHERS)
async def test_only_who_decides_writes_what_decides_access(engine: Engine, role: str) -> None:
    ctx = context(engine, role, organization=ORGANIZATION)
    for type_ in DECIDES_ACCESS:
        special = for_type(ctx.access["u"], type_)
        assert isinstance(special, All)
        [narrow] = [part for part in special.parts if isinstance(part, Related) and part.bases]
        assert "care-team" not in narrow.bases
        assert "consent" not in narrow.bases


async def test_few_roles_read_the_audit_trail(engine: Engine) -> None:
    readers = {
        role
        for role in ROLES
        if for_type(context(engine, role, organization=ORGANIZATION).access["s"], "AuditEvent")
        != Nothing()
    }
    assert readers == {"individual", "guardian", "privacy-officer", "operator"}


async def test_a_patient_in_the_token_narrows_what_may_be_known(engine: Engine) -> None:
    claims = {"organization": ORGANIZATION, "patient": "ada"}
    ctx = context(engine, "clinician", "patient/*.rs", **claims)
    reach = for_type(ctx.reach, "Goal")
    assert isinstance(reach, All)
    [permitted, narrowed] = reach.parts
    assert isinstance(permitted, Permitted)
    assert (permitted.actors, narrowed) == ((ORGANIZATION,), InCompartment("ada"))
    special = for_type(ctx.access["r"], "Goal")
    assert isinstance(special, All)
    assert set(special.parts) == {InCompartment("ada"), permitted}


@pytest.mark.parametrize(
    ("scope", "patient", "is_narrow"),
    [
        ("patient/*.rs", "ada", True),
        ("patient/Goal.rs", "ada", True),
        ("patient/*.rs openid fhirUser", "ada", True),
        ("patient/Goal.rs user/*.rs", "ada", False),
        ("user/*.rs", None, False),
    ],
)
async def test_a_patient_in_context_bounds_what_no_scope_reaches_beyond(
    engine: Engine, scope: str, patient: str | None, is_narrow: bool
) -> None:
    """Other people, too, whom a resource of hers may name beside her."""
    who = {"organization": ORGANIZATION, "fhir_user": "Practitioner/g", "patient": patient}
    ctx = context(engine, "clinician", scope, **who)
    for type_ in ("Goal", "Patient"):
        reach = for_type(ctx.reach, type_)
        parts = reach.parts if isinstance(reach, All) else (reach,)
        found = [each for each in parts if isinstance(each, InCompartment)]
        assert found == ([InCompartment("ada")] if is_narrow else [])


async def test_nobody_knows_of_events_by_what_refers_to_them(engine: Engine) -> None:
    for role in OTHERS:
        ctx = context(engine, role, organization=ORGANIZATION)
        assert for_type(ctx.reach, "AuditEvent") == Nothing()
        assert for_type(ctx.reach, "Goal") != Nothing()


async def test_others_choose_ids_where_policy_says_so(engine: Engine) -> None:
    policy = dataclasses.replace(engine.policy, update_as_create=True)
    open_ = dataclasses.replace(engine, policy=policy)
    assert context(open_, "clinician", organization=ORGANIZATION).may_choose_ids


async def test_the_agent_is_who_the_token_names(engine: Engine) -> None:
    who = caller(
        "clinician",
        organization=ORGANIZATION,
        user="u7",
        fhir_user="Practitioner/g",
        purpose="TREAT",
    )
    agent = admit(engine, who, "r-1", "192.0.2.7").agent
    assert (agent.client, agent.role, agent.organization) == (who.client_id, who.role, ORGANIZATION)
    assert (agent.user, agent.fhir_user, agent.purpose) == ("u7", "Practitioner/g", "TREAT")
    assert (agent.token, agent.address) == ("t", "192.0.2.7")


def test_a_reason_has_so_many_characters_at_least() -> None:
    who = caller("clinician", organization=ORGANIZATION)
    assert declare(who, "BTG", "x" * LEAST_REASON).purpose == "BTG"
    with pytest.raises(BadRequest):
        declare(who, "BTG", "x" * (LEAST_REASON - 1) + " ")
