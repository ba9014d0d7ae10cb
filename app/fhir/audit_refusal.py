"""Refusals in the audit trail: an attempt on a record is told to the person it is about.

How long it takes must not tell whether there is such a person, so an attempt on a record and one
on nothing take the same steps (docs/decisions/0019-trail.md).
"""

from dataclasses import replace
from datetime import datetime

from app.fhir.audit import EXEMPLAR, Audited, AuditRow, audit_row, modelled, of_patient
from app.fhir.context import Agent


def refusal_rows(
    agent: Agent, request_id: str, instant: datetime, base_url: str, refused: Audited
) -> list[AuditRow]:
    """An event for each of the patients whose record was asked for; one that is for nobody where
    there are none, or where the query tells of others too.

    Both kinds are always made, and what does not apply is dropped: working out the first event of a
    kind takes long enough to be noticed from outside.
    """
    alone = None if refused.is_query_apart else refused.query
    one = replace(refused, patients=(EXEMPLAR,), query=alone)
    model = modelled(audit_row(agent, request_id, instant, base_url, one))
    plain = audit_row(agent, request_id, instant, base_url, replace(refused, patients=()))
    about = [of_patient(patient, model) for patient in refused.patients]
    is_apart = refused.is_query_apart and bool(refused.query)
    return [*about, plain] if is_apart or not about else about
