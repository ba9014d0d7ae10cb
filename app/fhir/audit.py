"""The audit trail: an interaction becomes rows of it, each an AuditEvent with its search index.

The index is what `extract` would find in the event; but only what differs from one event to the
next is worked out each time. https://hl7.org/fhir/R4/auditevent.html#search
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from os import urandom

from app.fhir import json
from app.fhir.audit_event import (
    SUCCESS,
    Audited,
    clean,
    consents,
    constant,
    event,
    has_data,
    outcome_of,
    party,
)
from app.fhir.audit_log import AuditLog
from app.fhir.context import Agent
from app.fhir.instant import to_text
from app.fhir.search.parameters import extract, uri
from app.fhir.search.parameters.audit_target import points
from app.fhir.search.parameters.keys import keys_after, param
from app.fhir.search.parameters.token import ANY, IN_SYSTEM
from app.storage.audit import AuditRow, insert_audit

__all__ = [
    "SUCCESS",
    "AuditLog",
    "AuditRow",
    "Audited",
    "agent_keys",
    "audit_row",
    "audit_rows",
    "insert_audit",
    "outcome_of",
]

REFERENCES = {param("AuditEvent", code): code for code in ("agent", "entity", "patient", "source")}
EXEMPLAR = "exemplar-0d1f3a52"
"""The logical id and request id of an event that stands for all that differ only in such ids."""

_Shape = tuple[str, str, str | None, bool, int, bool, bool]


@dataclass(frozen=True, slots=True)
class _Constant:
    """The JSON members, keys and targets that many events share; each list ends in a comma."""

    members: str
    keys: str
    targets: str


def audit_rows(
    agent: Agent, request_id: str, instant: datetime, base_url: str, audited: Audited
) -> list[AuditRow]:
    """An event for each patient an interaction was about, so that each of them sees theirs.

    The query of one that was about several is in an event of its own, which is for none of them.
    """
    about = audited.patients
    if len(about) < 2 and not (about and audited.is_query_apart):
        return [audit_row(agent, request_id, instant, base_url, audited)]
    one = replace(audited, patients=(EXEMPLAR,), query=None, consents=())
    plain = modelled(audit_row(agent, request_id, instant, base_url, one))
    named = _by_patient(audited.consents)
    if named:
        one = replace(one, consents=(f"{EXEMPLAR}/{EXEMPLAR}",))
        permitted = audit_row(agent, request_id, instant, base_url, one)
        by_consent = modelled(permitted, [f"Consent/{EXEMPLAR}"])
    rows = [
        of_patient(patient, by_consent, named[patient])
        if patient in named
        else of_patient(patient, plain)
        for patient in about
    ]
    if audited.query:
        asked = replace(audited, patients=())
        rows.append(audit_row(agent, request_id, instant, base_url, asked))
    return rows


def _by_patient(permissions: Iterable[str]) -> dict[str, list[str]]:
    """The references to the Consents ("patient/id") of each patient."""
    found: dict[str, list[str]] = {}
    for each in permissions:
        patient, _, id_ = each.partition("/")
        found.setdefault(patient, []).append(f"Consent/{id_}")
    return found


@dataclass(frozen=True, slots=True)
class Model:
    """An event about EXEMPLAR, taken apart where other events differ from it.

    `body` is what stands around its id and around the entities that name patient and Consents;
    `targets` what stands around the targets of these entities.
    """

    row: AuditRow
    body: tuple[str, str, str]
    targets: tuple[str, str]


def modelled(row: AuditRow, consents: Sequence[str] = ()) -> Model:
    """The model made of this event about EXEMPLAR, which these Consents (references) permitted."""
    head, _, rest = row.body.partition(row.id)
    middle, _, tail = rest.rpartition(party(EXEMPLAR, consents))
    before, _, after = row.targets.partition(_pointed(EXEMPLAR, consents))
    return Model(row, (head, middle, tail), (before, after))


def of_patient(patient: str, model: Model, consents: Sequence[str] = ()) -> AuditRow:
    """An event like the model, about this patient, permitted by these Consents (references)."""
    id_, row = _new_id(), model.row
    (head, middle, tail), (before, after) = model.body, model.targets
    return AuditRow(
        id_,
        row.last_updated,
        (patient,),
        row.keys,
        f"{before}{_pointed(patient, consents)}{after}",
        f"{head}{id_}{middle}{party(patient, consents)}{tail}",
    )


def _pointed(patient: str, consents: Sequence[str]) -> str:
    """The targets of an event that name its patient and the Consents."""
    named = f"Patient/{patient}"
    found = f"{points('entity', named)},{points('patient', named)}"
    if consents:
        found = ",".join([found, *(str(points("entity", each)) for each in consents)])
    return found


def _new_id() -> str:
    """A logical id that begins with the time, so that neighbours are stored together."""
    return f"{time.time_ns() // 1_000_000:012x}{urandom(10).hex()}"


def audit_row(
    agent: Agent, request_id: str, instant: datetime, base_url: str, audited: Audited
) -> AuditRow:
    """The event of this interaction, ready to be written."""
    common = _common(agent, base_url, _shape(audited))
    id_, request = _new_id(), clean(request_id)
    named = f"{_any_request(request)},{_request(request)}"
    instant = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    return AuditRow(
        id_,
        instant,
        audited.patients,
        f"{{{common.keys}{named}}}",
        f"{{{common.targets}{_list(_entities(audited))}{named}}}",
        event(id_, to_text(instant), common.members, audited, request),
    )


def _shape(audited: Audited) -> _Shape:
    """What, besides ids, decides which values of the event are indexed."""
    return (
        audited.interaction,
        audited.outcome,
        audited.type if audited.type in (None, "Patient") else "Basic",
        audited.id is not None,
        min(len(audited.patients), 2),
        bool(audited.query),
        bool(consents(audited)),
    )


def _exemplar(shape: _Shape) -> Audited:
    interaction, outcome, type_, has_id, patients, has_query, has_consents = shape
    return Audited(
        interaction=interaction,
        outcome=outcome,
        status=200,
        type=type_,
        id=EXEMPLAR if has_id else None,
        patients=(EXEMPLAR,) * patients,
        query="exemplar" if has_query else None,
        consents=(f"{EXEMPLAR}/{EXEMPLAR}",) if has_consents else (),
    )


@lru_cache(maxsize=1024)
def _common(agent: Agent, base_url: str, shape: _Shape) -> _Constant:
    """What all events of this agent and shape have in common.

    Tokens come and go: what does not depend on them is worked out once for all of an agent.
    """
    if agent.token is None:
        return _worked_out(agent, base_url, shape)
    known = _worked_out(replace(agent, token=EXEMPLAR), base_url, shape)
    members = known.members.replace(f'["{EXEMPLAR}"]', json.dump([agent.token]).decode(), 1)
    return replace(known, members=members, keys=known.keys + _list([*_policy(agent.token)]))


def _policy(token: str) -> Iterator[int]:
    return uri.extract("AuditEvent.policy", [("uri", token)])


@lru_cache(maxsize=1024)
def _worked_out(agent: Agent, base_url: str, shape: _Shape) -> _Constant:
    """The same, worked out from an exemplar; without the keys of the exemplar's token."""
    exemplar = _exemplar(shape)
    members = constant(agent, base_url, exemplar.interaction, exemplar.outcome)
    found = event(EXEMPLAR, "2000-01-01T00:00:00.000Z", members, exemplar, EXEMPLAR)
    rows = extract(json.parse(found.encode()), base_url)
    pointed = {points(REFERENCES[at], to) for at, to in rows.references}
    targets = pointed.union(agent_keys(agent.client, None)) - {*_entities(exemplar)}
    request = {_any_request(EXEMPLAR), _request(EXEMPLAR)}
    keys = set(rows.keys) - request.union(_policy(EXEMPLAR))
    return _Constant(members, _list(sorted(keys)), _list(sorted(targets)))


def _entities(audited: Audited) -> list[int]:
    """What the entities of an event point to, except that of the request."""
    found = []
    for id_ in audited.patients:
        patient = f"Patient/{id_}"
        found += [points("entity", patient), points("patient", patient)]
    found += [points("entity", named) for named in consents(audited)]
    if has_data(audited) and audited.id is not None:
        pointed = clean(f"{audited.type}/{audited.id}")
        found.append(points("entity", pointed))
        if audited.type == "Patient":
            found.append(points("patient", pointed))
    return found


def agent_keys(client: str, user: str | None) -> tuple[int, ...]:
    """The targets of what a user (reference) did, or of what the client did by itself."""
    return (points("agent", user),) if user else (_any_client(client), _client(client))


def _identifier(code: str) -> tuple[Callable[[str], int], Callable[[str], int]]:
    """Functions that make the keys of a logical reference, for `:identifier`."""
    name = f"AuditEvent.{code}:identifier"
    return keys_after(name, ANY), keys_after(name, IN_SYSTEM, "")


_any_request, _request = _identifier("entity")
_any_client, _client = _identifier("agent")


def _list(keys: Collection[int]) -> str:
    """Members of an array literal, each before a comma."""
    return "".join(map("%d,".__mod__, keys))
