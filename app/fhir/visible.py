"""DOOR: an Access becomes the only FROM clause there is. Nothing is read but through here.

Every arm of every statement (read, search, chain, include, history, count, reference check) selects
from `visible` or `versions`, so totals, pages and includes cannot disagree about who may see what.
"""

from collections.abc import Sequence

from app.fhir.access import (
    EVERYONE,
    Access,
    All,
    AnyOf,
    Everything,
    InCompartment,
    Matching,
    Nothing,
    Related,
    for_type,
)
from app.fhir.compartments import DIRECTORY, is_single
from app.fhir.search.parameters import criterion
from app.storage.sql import Arguments

COLUMNS = "rid, type, id, version, last_updated, deleted, patient, patients, keys, body"
ACTIVE = "now() >= {0}.starts AND now() < {0}.ends"


def visible(access: Access, types: str | Sequence[str], args: Arguments) -> str:
    """A sub-select of the current versions of these types that the access lets through.

    Exposes COLUMNS, deleted resources included. Use as `FROM {visible(...)} AS r`.
    """
    names = (types,) if isinstance(types, str) else tuple(types)
    table = "audit_event" if names == ("AuditEvent",) else "resource"
    arms = _arms(access, names, args)
    return f"(SELECT {COLUMNS} FROM {table} AS h WHERE {' OR '.join(arms) or 'false'})"


def versions(access: Access, types: str | Sequence[str], args: Arguments) -> str:
    """A sub-select of all versions of the visible resources, history's FROM clause.

    A version that was about another patient than the current one is not shown: consent is judged
    on the current version, and must not open what it does not cover. `superseded` is the instant of
    the next version.
    """
    superseded = (
        "(SELECT n.last_updated FROM resource_version AS n"
        " WHERE n.rid = v.rid AND n.version = v.version + 1) AS superseded"
    )
    return (
        "(SELECT v.rid, v.type, h.id, v.version, v.last_updated, v.method, v.patient, v.patients,"
        f" v.body, {superseded} FROM {visible(access, types, args)} AS h JOIN resource_version AS v"
        " ON v.rid = h.rid AND v.patient IS NOT DISTINCT FROM h.patient"
        " AND v.patients IS NOT DISTINCT FROM h.patients)"
    )


def reached(access: Access, type_: str, args: Arguments) -> str | None:
    """The patients whom the access reaches by relationships, as a sub-select; None if otherwise.

    What `visible` shows of a type about one patient is about one of these. A bound that helps to
    plan a statement, never a permission.
    """
    if _about(type_) != "one":
        return None
    match for_type(access, type_):
        case Related(actors):
            return _patients(args.add(list(actors), "text[]"))
        case All(parts):
            return next(filter(None, (reached(part, type_, args) for part in parts)), None)
    return None


def _arms(access: Access, names: tuple[str, ...], args: Arguments) -> list[str]:
    """One condition per group of types that the access treats alike."""
    groups: dict[tuple[Access, str], list[str]] = {}
    for name in names:
        special = for_type(access, name)
        if not isinstance(special, Nothing):
            groups.setdefault((special, _about(name)), []).append(name)
    return [_arm(special, members, args) for (special, _), members in groups.items()]


def _about(type_: str) -> str:
    if type_ in DIRECTORY:
        return "nobody"
    return "one" if is_single(type_) else "several"


def _arm(access: Access, members: list[str], args: Arguments) -> str:
    names = ", ".join(f"'{name}'" for name in members)
    condition = _condition(access, members[0], args)
    return f"(h.type IN ({names}) AND {condition})"


def _condition(access: Access, type_: str, args: Arguments) -> str:
    match access:
        case Everything():
            return "true"
        case All(parts) | AnyOf(parts):
            word = " AND " if isinstance(access, All) else " OR "
            return f"({word.join(_condition(part, type_, args) for part in parts)})"
        case InCompartment(patient):
            return _in_compartment(patient, type_, args)
        case Related(actors):
            return _related(actors, type_, args)
        case Matching(_, query):
            tests = (criterion(type_, code, value, args, alias="h") for code, value in query)
            return "(" + " AND ".join(tests) + ")"
    return "false"


def _in_compartment(patient: str, type_: str, args: Arguments) -> str:
    match _about(type_):
        case "nobody":
            return "true"
        case "one":
            return f"h.patient = {args.add(patient)}"
    return f"h.patients = ARRAY[{args.add(patient, 'text')}]"


def _related(actors: tuple[str, ...], type_: str, args: Arguments) -> str:
    about = _about(type_)
    if about == "nobody":
        return "true"
    mine = args.add(list(actors), "text[]")
    if about == "one":
        denied = _denied("h.patient", mine)
        return f"(h.patient IN ({_patients(mine)}) AND NOT EXISTS ({denied}))"
    refused = f"p NOT IN ({_patients(mine)}) OR EXISTS ({_denied('p', mine)})"
    return (
        "(cardinality(h.patients) > 0 AND NOT EXISTS"
        f" (SELECT FROM unnest(h.patients) AS p WHERE {refused}))"
    )


def _patients(actors: str) -> str:
    """The patients whom the actors, or those who stand for them, support."""
    everyone = (
        f"SELECT f.actor FROM affiliation AS f WHERE f.principal = ANY({actors})"
        f" AND {ACTIVE.format('f')} UNION ALL SELECT unnest({actors})"
    )
    return (
        f"SELECT s.patient FROM relationship AS s WHERE s.actor = ANY(ARRAY({everyone}))"
        f" AND {ACTIVE.format('s')}"
    )


def _denied(patient: str, actors: str) -> str:
    """The Consents by which this patient refuses one of the actors.

    A refusal of everyone spares the patient, guardians, and whom the same Consent permits.
    """
    spared = (
        f"SELECT FROM relationship AS e WHERE e.patient = c.patient AND e.actor = ANY({actors})"
        f" AND (e.basis IN ('own', 'guardian') OR e.rid = c.rid) AND {ACTIVE.format('e')}"
    )
    named = f"c.actor = ANY({actors}) OR (c.actor = '{EVERYONE}' AND NOT EXISTS ({spared}))"
    return (
        f"SELECT FROM consent_rule AS c WHERE c.patient = {patient} AND NOT c.permits"
        f" AND ({named}) AND {ACTIVE.format('c')}"
    )
