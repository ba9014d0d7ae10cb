"""The doorman: a Caller becomes a Context. The only place where Access is composed.

What a token's scopes promise and whom the caller supports are two Access values of which both must
let a resource through; neither can widen the other.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from app.auth.caller import Caller
from app.auth.roles import ROLES, purposes
from app.auth.scopes import OWN, by_letter
from app.consent.access import permitted
from app.consent.purpose import EMERGENCY, PURPOSES, broader
from app.fhir.access import (
    Access,
    ByAgent,
    Everything,
    ExceptType,
    InCompartment,
    Matching,
    Nothing,
    OfType,
    Related,
    every,
    some,
)
from app.fhir.audit import SUCCESS, agent_keys
from app.fhir.compartments import DIRECTORY
from app.fhir.context import Agent, Context
from app.fhir.engine import Engine
from app.fhir.errors import BadRequest, Forbidden
from app.fhir.search.parameters.audit_target import points

OPERATOR = "operator"
READS_AUDIT = frozenset({"individual", "guardian", "privacy-officer", OPERATOR})
WRITES = "cud"
READS = "rs"
LEAST_REASON = 10
"""Characters of a reason; less says nothing."""

DECIDES_ACCESS = frozenset({"Patient", "RelatedPerson", "CareTeam", "Consent"})
"""The types about a patient whose content decides who sees that patient."""

DECIDING = ("own", "guardian", "custodian")
"""The relationships that let someone write them."""


def admit(
    engine: Engine,
    caller: Caller,
    request_id: str,
    address: str | None = None,
    emergency: str | None = None,
) -> Context:
    """The Context under which everything this request asks for is judged; see Agent.address.

    In an `emergency`, the reason for it, records are read and not written.
    """
    scopes, access, reach = _composed(caller)
    if emergency is not None:
        access = {letter: access[letter] for letter in READS}
    return Context(
        engine=engine,
        agent=_agent(caller, address),
        scopes=scopes,
        access=access,
        reach=reach,
        request_id=request_id,
        now=datetime.now(UTC),
        base_url=engine.base_url,
        may_choose_ids=caller.role == OPERATOR or engine.policy.update_as_create,
        emergency=emergency,
    )


def declare(caller: Caller, purpose: str | None, reason: str | None) -> Caller:
    """The caller, acting for the purpose the request names: a narrower one, or an emergency.

    Raises BadRequest for an unknown purpose, or an emergency without a reason; Forbidden for what
    the role does not act for.
    """
    code = purpose or caller.purpose
    if purpose is not None and purpose not in PURPOSES:
        raise BadRequest("X-Purpose-Of-Use: use a code of v3-ActReason.", code="value")
    if code is not None and EMERGENCY in broader(code):
        return replace(caller, purpose=_emergency(caller, code, reason))
    if reason is not None:
        raise BadRequest("X-Emergency-Reason goes with X-Purpose-Of-Use: BTG or ETREAT.")
    if purpose is None:
        return caller
    if not {*broader(purpose)}.intersection(purposes(caller.role, caller.purpose)):
        raise Forbidden(f"The role {caller.role} of this token does not act for {purpose}.")
    return replace(caller, purpose=purpose)


def _emergency(caller: Caller, code: str, reason: str | None) -> str:
    if not ROLES[caller.role].breaks_glass:
        raise Forbidden(f"The role {caller.role} of this token does not act in emergencies.")
    if reason is None or len(reason.strip()) < LEAST_REASON:
        raise BadRequest("Say what the emergency is in X-Emergency-Reason.", code="required")
    return code


def admit_server(engine: Engine, request_id: str) -> Context:
    """The Context in which the server itself writes what a request made it write.

    It holds nobody to what they refer to: who acts in an emergency may be known elsewhere only.
    """
    access = dict.fromkeys("cr", Everything("the server's own alert"))
    return Context(
        engine=replace(engine, policy=replace(engine.policy, check_references=False)),
        agent=Agent(client="isp-fhir", role="server"),
        scopes=access,
        access=access,
        reach=Everything("the server's own alert"),
        request_id=request_id,
        now=datetime.now(UTC),
        base_url=engine.base_url,
    )


def admit_publishing(engine: Engine, tokens: tuple[str, ...], request_id: str) -> Context:
    """The Context in which anybody sees the Organizations with these identifiers, and no more."""
    brands = some(Matching("Organization", (("identifier", token),)) for token in tokens)
    return replace(admit_nobody(engine, request_id), scopes={"s": brands}, access={"s": brands})


def admit_nobody(engine: Engine, request_id: str, address: str | None = None) -> Context:
    """The Context of a request without a token: it sees nothing and may ask what the server is."""
    return Context(
        engine=engine,
        agent=Agent(client="anonymous", role="anonymous", address=address),
        scopes={},
        access={},
        reach=Nothing(),
        request_id=request_id,
        now=datetime.now(UTC),
        base_url=engine.base_url,
    )


def admit_counting(engine: Engine) -> Context:
    """The Context of the server counting for its operator: numbers leave, and no record does."""
    everything = Everything("counting")
    return Context(
        engine=engine,
        agent=Agent(client="server", role="server"),
        scopes={"s": everything},
        access={"s": everything},
        reach=Nothing(),
        request_id="metrics",
        now=datetime.now(UTC),
        base_url=engine.base_url,
    )


@lru_cache(maxsize=1024)
def _composed(caller: Caller) -> tuple[Mapping[str, Access], Mapping[str, Access], Access]:
    """By scope letter what was granted and what the caller may see, and what it may know of."""
    reach = _permitted(caller, "r")
    scopes = by_letter(caller.scopes, caller.patient)
    access = {
        letter: every([granted, _permitted(caller, letter), *_restrictions(caller, letter)])
        for letter, granted in scopes.items()
    }
    if not isinstance(reach, Everything):
        # Whom a record is about, and who is in the directory, is no secret to who may write it.
        known = some([*scopes.values(), *map(OfType, sorted({"Patient", *DIRECTORY}))])
        # A user/ scope beside patient/ ones reaches beyond the patient in context.
        is_narrow = all(s.context == "patient" or s.text == OWN for s in caller.scopes)
        only = [InCompartment(caller.patient)] if caller.patient is not None and is_narrow else []
        reach = every([reach, known, ExceptType("AuditEvent"), *only])
    return scopes, access, reach


def _actors(caller: Caller) -> tuple[str, ...]:
    return tuple(actor for actor in (caller.organization, caller.fhir_user) if actor)


def _permitted(caller: Caller, letter: str) -> Access:
    """What people permit the caller: nothing, if the token names no organization and no person."""
    if caller.role == OPERATOR:
        return Everything("operator")
    return permitted(_actors(caller), purposes(caller.role, caller.purpose), letter)


def _restrictions(caller: Caller, letter: str) -> list[Access]:
    """Whatever the scopes say: the audit trail is for few, the directory is kept by operators, and
    who sees a person's record is decided by the person and by those who keep it.

    Who could write a PractitionerRole could make someone else's care team its own; a member of the
    care team who could write the CareTeam could stay for good and let others in.
    """
    if caller.role == OPERATOR:
        return []
    parts: list[Access] = []
    if caller.role not in READS_AUDIT:
        parts.append(ExceptType("AuditEvent"))
    else:
        parts.append(_trail(caller))
    if letter in WRITES:
        parts += [ExceptType(type_) for type_ in sorted(DIRECTORY)]
        decides = Related(_actors(caller), DECIDING)
        parts += [some([ExceptType(type_), decides]) for type_ in sorted(DECIDES_ACCESS)]
    return parts


def _trail(caller: Caller) -> Access:
    """Of records one decides about or keeps, all events but those of one's own refusals: an event
    would tell that there is what was asked for. Of other records what one's own organization did
    there: what others did would tell of what is hidden.
    """
    decides = Related(_actors(caller), DECIDING)
    answered = Matching("AuditEvent", (("outcome", SUCCESS),))
    mine = agent_keys(caller.client_id, caller.fhir_user)
    ours = tuple(points("agent", actor) for actor in _actors(caller))
    return some(
        [
            ExceptType("AuditEvent"),
            every([decides, some([answered, ByAgent(mine, of_others=True)])]),
            every([answered, ByAgent(ours)]),
        ]
    )


@lru_cache(maxsize=1024)
def _agent(caller: Caller, address: str | None) -> Agent:
    return Agent(
        client=caller.client_id,
        role=caller.role,
        organization=caller.organization,
        user=caller.user,
        fhir_user=caller.fhir_user,
        purpose=caller.purpose,
        token=caller.token_id,
        address=address,
    )
