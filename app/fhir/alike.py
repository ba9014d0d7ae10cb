"""Alike: what must exist for whoever sees another resource, because nothing tells the two apart.

Asked before `visible`, which weighs every consent for every resource: in most records there is
nothing to weigh, and what a plan refers to is as open as the plan.
"""

from collections.abc import Collection

from app.fhir.access import (
    Access,
    All,
    AnyOf,
    Everything,
    InCompartment,
    Nothing,
    Permitted,
    Related,
)
from app.storage.sql import Arguments

Pairs = Collection[tuple[str, str]]


def is_by_marks(access: Access) -> bool:
    """Whether the access asks of a resource only whom it is about, and its marks."""
    match access:
        case Everything() | Nothing() | InCompartment() | Related() | Permitted():
            return True
        case All(parts) | AnyOf(parts):
            return all(map(is_by_marks, parts))
    return False


def alike(pairs: Pairs, seen: Pairs, args: Arguments) -> str:
    """SELECT type, id: those of the pairs (type, id) that are about the same patient as one of the
    `seen` and bear the same labels, none of them a seal, where no consent looks any closer.

    All of types that are about one patient, under one access that is by marks.
    """
    marks = (
        "SELECT DISTINCT h.patient, h.confidentiality, h.labels FROM resource AS h"
        f" JOIN {_places(seen, args)} AS w(type, id) ON w.type = h.type AND w.id = h.id"
        " WHERE h.patient IS NOT NULL AND h.seals IS NULL AND NOT EXISTS"
        " (SELECT FROM consent_rule AS c WHERE c.patient = h.patient AND c.is_narrow)"
    )
    return (
        f"WITH m AS MATERIALIZED ({marks}) SELECT t.type, t.id FROM resource AS t"
        f" JOIN {_places(pairs, args)} AS w(type, id) ON w.type = t.type AND w.id = t.id"
        " WHERE t.seals IS NULL AND EXISTS (SELECT FROM m WHERE m.patient = t.patient AND"
        " m.confidentiality = t.confidentiality AND m.labels IS NOT DISTINCT FROM t.labels)"
    )


def _places(pairs: Pairs, args: Arguments) -> str:
    types, ids = ([pair[part] for pair in pairs] for part in (0, 1))
    return f"unnest({args.add(types, 'text[]')}, {args.add(ids, 'text[]')})"
