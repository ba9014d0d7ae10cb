"""On what grounds somebody sees a record: by which relationships, by which Consents.

What `visible` asks is whether; this is for who has to say why, or has to judge before.
"""

from collections.abc import Iterable, Sequence

from app.fhir.access import Access, Permitted, permissions
from app.fhir.consented import ACTIVE, Consented, Subject
from app.storage.sql import Arguments, Row


def standing_of(permitted: Permitted, args: Arguments, patient: str) -> str:
    """SELECT actors, reach, bases: for whom the actors stand, who works for them, and by what they
    are related to a patient (SQL)."""
    consented = Consented(permitted, args)
    return (
        f"SELECT {consented.own} AS actors, {consented.reach} AS reach,"
        " ARRAY(SELECT DISTINCT s.basis FROM relationship AS s"
        f" WHERE s.patient = {patient} AND {consented.is_related('s')}) AS bases"
    )


def opening(
    permitted: Permitted, seal: str, places: Sequence[tuple[str, str]], args: Arguments
) -> str:
    """SELECT type, id, consent: by which Consents these resources are open under a seal (SQL)."""
    types, ids = ([place[part] for place in places] for part in (0, 1))
    wanted = f"unnest({args.add(types, 'text[]')}), unnest({args.add(ids, 'text[]')})"
    opens = Consented(permitted, args).opens(Subject("p"), args.add(seal, "text"))
    return (
        "SELECT DISTINCT h.type, h.id, k.id AS consent FROM resource AS h"
        " CROSS JOIN unnest(coalesce(h.patients, ARRAY[h.patient])) AS p"
        f" JOIN consent_rule AS c ON {opens} JOIN resource AS k ON k.rid = c.rid"
        f" WHERE (h.type, h.id) IN (SELECT {wanted}) ORDER BY k.id"
    )


def covering(permitted: Permitted, patient: str, teams: Sequence[str], args: Arguments) -> str:
    """SQL: what opens this patient's record to the actors, besides these CareTeams."""
    asked, whose = Consented(permitted, args), args.add(patient, "text")
    return (
        "SELECT 1 FROM relationship AS s JOIN resource AS k ON k.rid = s.rid"
        f" WHERE s.patient = {whose} AND s.actor = ANY({asked.own}) AND {ACTIVE.format('s')}"
        f" AND (k.type <> 'CareTeam' OR k.id <> ALL({args.add(list(teams), 'text[]')}))"
        f" UNION ALL SELECT 1 FROM consent_rule AS c WHERE c.patient = {whose} AND c.permits"
        f" AND {asked.is_in_force('c', asked.own)}"
    )


def with_consents(sql: str, access: Access, args: Arguments) -> str:
    """The same rows (rid, patient, patients, …) in the same order, with `consents`: "patient/id" of
    each Consent that permits this access what is in a row.

    NULL where only a relationship opens it, or nobody is asked. Where both do, the Consent is
    named. In the same statement, so that it is what let these very rows through.
    """
    permitted = next(permissions(access), None)
    if permitted is None:
        return f"SELECT q.*, NULL::text[] AS consents FROM ({sql}) AS q"
    asked = Consented(permitted, args)
    return (
        f"WITH found AS MATERIALIZED ({sql}), rules AS MATERIALIZED (SELECT c.*, k.id AS consent"
        " FROM consent_rule AS c JOIN resource AS k ON k.rid = c.rid WHERE c.patient = ANY(ARRAY"
        "(SELECT unnest(coalesce(patients, ARRAY[patient])) FROM found))"
        f" AND {asked.permits()})"
        " SELECT q.*, (SELECT array_agg(DISTINCT c.patient || '/' || c.consent) FROM rules AS c"
        " JOIN resource AS h ON h.rid = q.rid"
        " WHERE c.patient = ANY(coalesce(q.patients, ARRAY[q.patient]))"
        f" AND {asked.admits(Subject())}) AS consents FROM found AS q"
    )


def consents_of(rows: Iterable[Row]) -> tuple[str, ...]:
    """Of these rows the Consents that permit them, for the audit trail."""
    return tuple(sorted({each for row in rows for each in row["consents"] or ()}))
