"""The audit trail: an interaction becomes a row of it, with what searching AuditEvents needs.

The index of a row equals what `extract` finds in the event; only what differs from one event to the
next is worked out for each. https://hl7.org/fhir/R4/auditevent.html#search
"""

import time
from collections.abc import Iterator
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
)
from app.fhir.audit_log import AuditLog
from app.fhir.context import Agent
from app.fhir.instant import to_text
from app.fhir.search.parameters import extract, uri
from app.fhir.search.parameters.audit_target import points
from app.fhir.search.parameters.keys import key, param
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
POINTED = ",".join(str(points(code, f"Patient/{EXEMPLAR}")) for code in ("entity", "patient"))
"""The targets of an event about EXEMPLAR that name it."""

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
    """One event for each patient an interaction was about, so that each of them sees theirs.

    What was asked about several is told in an event of its own, which is for none of them.
    """
    about = audited.patients
    if len(about) < 2 and not (about and audited.is_query_apart):
        return [audit_row(agent, request_id, instant, base_url, audited)]
    one = replace(audited, patients=(EXEMPLAR,), query=None)
    model = audit_row(agent, request_id, instant, base_url, one)
    by_consent = {each.partition("/")[0] for each in audited.consents}
    rows = [
        audit_row(agent, request_id, instant, base_url, replace(one, patients=(patient,)))
        if patient in by_consent
        else of_patient(patient, model)
        for patient in about
    ]
    if audited.query:
        asked = replace(audited, patients=())
        rows.append(audit_row(agent, request_id, instant, base_url, asked))
    return rows


def of_patient(patient: str, model: AuditRow) -> AuditRow:
    """The event about this patient that else is like the one about EXEMPLAR."""
    id_, reference = _new_id(), f"Patient/{patient}"
    body = model.body.replace(model.id, id_, 1).replace(f'"Patient/{EXEMPLAR}"', f'"{reference}"')
    targets = f"{points('entity', reference)},{points('patient', reference)}"
    return model._replace(
        id=id_,
        patients=(patient,),
        targets=model.targets.replace(POINTED, targets),
        body=body,
    )


def _new_id() -> str:
    """A logical id that begins with the time, so that neighbours are stored together."""
    return f"{time.time_ns() // 1_000_000:012x}{urandom(10).hex()}"


def audit_row(
    agent: Agent, request_id: str, instant: datetime, base_url: str, audited: Audited
) -> AuditRow:
    """The event of this interaction, ready to be written."""
    common = _common(agent, base_url, _shape(audited))
    id_ = _new_id()
    request = _identifier("entity", clean(request_id))
    return AuditRow(
        id_,
        instant.replace(microsecond=instant.microsecond // 1000 * 1000),
        audited.patients,
        _array(common.keys, request),
        _array(common.targets, [*request, *_entities(audited)]),
        event(id_, to_text(instant), common.members, audited, request_id),
    )


def _shape(audited: Audited) -> _Shape:
    """What decides, beside the ids, which values of the event are indexed."""
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
    return replace(known, members=members, keys=known.keys + _list({*_policy(agent.token)}))


def _policy(token: str) -> Iterator[int]:
    return uri.extract("AuditEvent.policy", [("uri", token)])


@lru_cache(maxsize=1024)
def _worked_out(agent: Agent, base_url: str, shape: _Shape) -> _Constant:
    """The same, worked out from one such event; its keys are without those of an exemplar token."""
    exemplar = _exemplar(shape)
    members = constant(agent, base_url, exemplar.interaction, exemplar.outcome)
    found = event(EXEMPLAR, "2000-01-01T00:00:00.000Z", members, exemplar, EXEMPLAR)
    rows = extract(json.parse(found.encode()), base_url)
    pointed = {points(REFERENCES[at], to) for at, to in rows.references}
    targets = pointed.union(_identifier("agent", agent.client)) - {*_entities(exemplar)}
    keys = set(rows.keys) - {*_identifier("entity", EXEMPLAR), *_policy(EXEMPLAR)}
    return _Constant(members, _list(keys), _list(targets))


def _entities(audited: Audited) -> list[int]:
    """What the entities of an event point to, but for the request."""
    found = []
    for id_ in audited.patients:
        patient = f"Patient/{id_}"
        found += [points("entity", patient), points("patient", patient)]
    if has_data(audited) and audited.id is not None:
        pointed = clean(f"{audited.type}/{audited.id}")
        found.append(points("entity", pointed))
        if audited.type == "Patient":
            found.append(points("patient", pointed))
    return found + [points("entity", named) for named in consents(audited)]


def agent_keys(client: str, user: str | None) -> tuple[int, ...]:
    """The targets of what a user (reference) did, or of what the client did by itself."""
    return (points("agent", user),) if user else tuple(_identifier("agent", client))


def _identifier(code: str, value: str) -> list[int]:
    """The keys of a logical reference, for `:identifier`."""
    name = f"AuditEvent.{code}:identifier"
    return [key(name, ANY, value), key(name, IN_SYSTEM, "", value)]


def _list(keys: set[int]) -> str:
    return "".join(f"{each}," for each in sorted(keys))


def _array(constant_: str, more: list[int]) -> str:
    """An array literal; `more` is never empty, for every event names its request."""
    return f"{{{constant_}{','.join(map(str, more))}}}"
