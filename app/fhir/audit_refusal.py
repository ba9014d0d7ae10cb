"""Refusals in the audit trail: what was not shown is told to those it is about.

Whether somebody is known must not show in how long it takes, so that what is written of an attempt
on a record and of one on nothing takes the same steps (docs/decisions/0019-trail.md).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.fhir.audit import EXEMPLAR, Audited, AuditRow, audit_row, modelled, of_patient
from app.fhir.context import Agent


def refusal_rows(
    agent: Agent, request_id: str, instant: datetime, base_url: str, refused: Audited
) -> list[AuditRow]:
    """One event for each of the patients whose record was asked for, one for none where it was
    nobody's, or where the query tells of others too.

    Events of both kinds are made, and those that do not apply dropped: what has to be worked out
    for the first event of a kind takes long enough to be seen from outside.
    """
    whom: Sequence[str] = refused.patients
    alone = None if refused.is_query_apart else refused.query
    one = replace(refused, patients=(EXEMPLAR,), query=alone)
    model = modelled(audit_row(agent, request_id, instant, base_url, one))
    plain = audit_row(agent, request_id, instant, base_url, replace(refused, patients=()))
    about = [of_patient(patient, model) for patient in whom]
    is_apart = refused.is_query_apart and bool(refused.query)
    return [*about, plain] if is_apart or not about else about
