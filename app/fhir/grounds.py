"""On what grounds somebody sees a record: by which relationships, by which Consents.

What `visible` asks is whether; this is for who has to say why, or has to judge before.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from app.fhir.access import EVERYONE, Permitted
from app.fhir.consented import ACTIVE, STANDING, Consented, Subject
from app.storage.sql import Arguments, Row

RELATING = (
    "SELECT DISTINCT unnest(related) AS name FROM consent_rule"
    " WHERE patient = ANY($1::text[]) AND related && $2::text[]"
)
"""Of what of these patients, among these names and beside, a Consent permits what it refers to."""


def standing_of(permitted: Permitted, args: Arguments, patient: str) -> str:
    """SELECT actors, reach, bases: for whom the actors stand, who works for them, and by what they
    are related to a patient (SQL)."""
    consented = Consented(permitted, args)
    return (
        f"SELECT array_remove({consented.own}, '{EVERYONE}') AS actors,"
        f" array_remove({consented.reach}, '{EVERYONE}') AS reach,"
        " ARRAY(SELECT DISTINCT s.basis FROM relationship AS s"
        f" WHERE s.patient = {patient} AND {consented.is_related()}) AS bases"
    )


def standing_at(permitted: Permitted, instant: datetime, args: Arguments, patient: str) -> str:
    """As `standing_of`, at another instant."""
    actors, at = args.add(list(permitted.actors), "text[]"), args.add(instant, "timestamptz")
    stands, supports = (f"{at} >= {x}.starts AND {at} < {x}.ends" for x in "fs")
    return (
        f'WITH RECURSIVE up(name) AS (SELECT unnest({actors}) COLLATE "C"'
        f" UNION SELECT f.actor FROM affiliation AS f WHERE f.principal = ANY({actors})"
        " AND f.actor LIKE 'PractitionerRole/%' AND f.principal LIKE 'Practitioner/%'"
        f" AND {stands} UNION SELECT f.principal FROM up"
        f" JOIN affiliation AS f ON f.actor = up.name AND {stands}),"
        " own AS (SELECT array_agg(name) AS actors FROM up),"
        " stood AS (SELECT actors, actors || ARRAY(SELECT f.actor FROM affiliation AS f"
        f" WHERE f.principal = ANY({actors}) AND f.actor NOT LIKE 'Organization/%'"
        f" AND {stands}) AS reach FROM own)"
        " SELECT actors, reach, ARRAY(SELECT DISTINCT s.basis FROM relationship AS s"
        f" WHERE s.patient = {patient} AND s.actor = ANY(reach) AND {supports}) AS bases FROM stood"
    )


def as_of(
    permitted: Permitted, stands: tuple[Collection[str], Collection[str]], args: Arguments
) -> None:
    """Judge a statement, before anything is in it, by these for whom the actors stand and who
    works for them, not by those of now."""
    own, reach = (args.add(sorted(each), "text[]") for each in stands)
    found = f"SELECT {STANDING} FROM (SELECT {own} AS own, {reach} AS reach) AS s"
    args.once("own", ("standing", permitted.actors), lambda: found)


def timed(statement: tuple[Any, ...], instant: datetime) -> tuple[Any, ...]:
    """The statement at another instant; now() is the one clock of `visible`."""
    sql, *values = statement
    if "now()" not in sql:
        return statement
    return sql.replace("now()", f"${len(values) + 1}::timestamptz"), *values, instant


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
        f" AND {asked.is_in_force(asked.own)}"
    )


def consents_of(rows: Iterable[Row]) -> tuple[str, ...]:
    """Of these rows the Consents that permit them, for the audit trail."""
    return tuple(sorted({each for row in rows for each in row["consents"] or ()}))
