"""The searches that docs/decisions/0002-search-index.md compares, for each layout of the index.

`find` picks how a token is looked for across patients: `filter` leaves the choice to the planner,
`probe` first counts up to PROBE matching rows and then takes the fitting arm.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.index_rows import key, logical_id, param
from bench.layouts import Layout

PROBE = 1000
ACTIVE = "Goal.lifecycle-status|goal-status|active"
REJECTED = "Goal.lifecycle-status|goal-status|rejected"
PLAN_ACTIVE = "CarePlan.status|request-status|active"
COLUMNS = "r.rid, r.type, r.id, r.version, r.last_updated, r.body"


@dataclass(frozen=True, slots=True)
class Query:
    """A statement and a source of arguments for it."""

    name: str
    sql: str
    arguments: Callable[[random.Random, int], tuple[Any, ...]]


def queries(layout: Layout) -> list[Query]:
    """Every measured search of one layout."""
    plan = [PLAN_ACTIVE, *(f"CarePlan.{code}" for code in ("goal", "care-team"))]
    params = [param(name) for name in plan[1:]]
    rare, frequent = _token_arguments(REJECTED), _token_arguments(ACTIVE)
    found = [
        Query("read", READ, lambda rng, n: ("CarePlan", logical_id(rng.randrange(n), 6))),
        Query("goals of a patient", _goals(layout), lambda rng, n: (_person(rng, n), key(ACTIVE))),
        Query(
            "plan pull",
            _pull(layout),
            lambda rng, n: (_person(rng, n), key(plan[0]), params),
        ),
        Query("identifier", _across(layout, "Patient"), _identifier),
        Query("rare token", _across(layout, "Goal"), rare),
        Query("frequent token", _across(layout, "Goal"), frequent),
        Query("dates, newest first", DATES, _since),
    ]
    if layout.tokens != "none":
        found.append(Query("identifier, probe", _probe(layout, "Patient"), _identifier))
        found.append(Query("rare token, probe", _probe(layout, "Goal"), rare))
        found.append(Query("frequent token, probe", _probe(layout, "Goal"), frequent))
    return found


def _person(rng: random.Random, n: int) -> str:
    return logical_id(rng.randrange(n), 0)


def _forms(value: str) -> tuple[int, int]:
    name, _, code = value.split("|")
    return key(value), key(f"{name}||{code}")


def _token_arguments(value: str) -> Callable[[random.Random, int], tuple[Any, ...]]:
    return lambda _rng, _n: _forms(value)


def _identifier(rng: random.Random, n: int) -> tuple[int, int]:
    value = f"{rng.randrange(n):08d}-0"
    return _forms(f"Patient.identifier|https://bench.example.net/Patient|{value}")


def _since(rng: random.Random, n: int) -> tuple[Any, ...]:
    start = datetime(2022, 1, 1, tzinfo=UTC) + timedelta(days=rng.randrange(1400))
    return param("CarePlan.date"), start


READ = "SELECT version, last_updated, deleted, body FROM resource WHERE type = $1 AND id = $2"
DATES = f"""
SELECT {COLUMNS} FROM index_date d JOIN resource r ON r.rid = d.rid
WHERE d.param = $1 AND d.hi > $2 AND r.type = 'CarePlan' AND NOT r.deleted
ORDER BY d.lo DESC, d.rid DESC LIMIT 21"""


def _goals(layout: Layout) -> str:
    return f"""
SELECT {COLUMNS} FROM resource r
WHERE r.patient = $1 AND r.type = 'Goal' AND NOT r.deleted AND {layout.matching()}
ORDER BY r.last_updated DESC, r.rid DESC LIMIT 21"""


def _pull(layout: Layout) -> str:
    return f"""
WITH match AS MATERIALIZED (
  SELECT {COLUMNS} FROM resource r
  WHERE r.patient = $1 AND r.type = 'CarePlan' AND NOT r.deleted AND {layout.matching()}
  ORDER BY r.last_updated DESC, r.rid DESC LIMIT 21),
target AS (
  SELECT DISTINCT split_part(i.target, '/', 1) AS type, split_part(i.target, '/', 2) AS id
  FROM match m JOIN index_reference i ON i.rid = m.rid WHERE i.param = ANY($3::int[]))
SELECT 0 AS arm, match.* FROM match
UNION ALL
SELECT 1, {COLUMNS} FROM target t JOIN resource r ON r.type = t.type AND r.id = t.id
WHERE NOT r.deleted"""


def _across(layout: Layout, type_: str) -> str:
    condition = {
        "none": "r.keys @> ARRAY[$1::bigint] AND $2::bigint IS NOT NULL",
        "all": "r.rid IN (SELECT t.rid FROM index_token t WHERE t.key = $1) AND $2 <> 0::bigint",
        "seeks": "r.rid IN (SELECT t.rid FROM index_token t WHERE t.key = $2)"
        " AND r.keys @> ARRAY[$1::bigint]",
    }[layout.tokens]
    return f"""
SELECT {COLUMNS} FROM resource r
WHERE r.type = '{type_}' AND NOT r.deleted AND {condition}
ORDER BY r.last_updated DESC, r.rid DESC LIMIT 21"""


def _probe(layout: Layout, type_: str) -> str:
    seek = "$2" if layout.tokens == "seeks" else "$1"
    exact = "r.keys @> ARRAY[$1::bigint]"
    if not layout.in_row:
        exact = "EXISTS (SELECT 1 FROM index_token t WHERE t.key = $1 AND t.rid = r.rid)"
    order = "ORDER BY last_updated DESC, rid DESC LIMIT 21"
    return f"""
WITH few AS MATERIALIZED (
  SELECT t.rid FROM index_token t WHERE t.key = {seek} AND ($1 <> $2) LIMIT {PROBE}),
many AS MATERIALIZED (SELECT count(*) = {PROBE} AS yes FROM few)
(SELECT {COLUMNS} FROM few JOIN resource r ON r.rid = few.rid
 WHERE NOT (SELECT yes FROM many) AND r.type = '{type_}' AND NOT r.deleted AND {exact}
 {order})
UNION ALL
(SELECT {COLUMNS} FROM (
   SELECT * FROM resource WHERE (SELECT yes FROM many) AND type = '{type_}' AND NOT deleted
   ORDER BY last_updated DESC, rid DESC OFFSET 0) r
 WHERE {exact} {order})"""
