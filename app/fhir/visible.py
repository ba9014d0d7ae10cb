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

COLUMNS = "rid, type, id, version, last_updated, deleted, patient, patients, keys, body, digest"
ACTIVE = "now() >= {0}.starts AND now() < {0}.ends"


def visible(access: Access, types: str | Sequence[str], args: Arguments) -> str:
    """A sub-select of the current versions of these types that the access lets through.

    Exposes COLUMNS, deleted resources included. Use as `FROM {visible(...)} AS r`.
    """
    names = (types,) if isinstance(types, str) else tuple(types)
    table = "audit_event" if names == ("AuditEvent",) else "resource"
    arms = _arms(access, names, args)
    columns = COLUMNS if table == "resource" else COLUMNS.replace("digest", "0 AS digest")
    return f"(SELECT {columns} FROM {table} AS h WHERE {' OR '.join(arms) or 'false'})"


def versions(access: Access, types: str | Sequence[str], args: Arguments) -> str:
    """A sub-select of all versions of the visible resources, history's FROM clause.

    A version that was about another patient than the current one is not shown: consent is judged
    on the current version, and must not open what it does not cover. For the same reason only the
    current version is shown where access depends on its content. `superseded` is the instant of the
    next version.
    """
    names = (types,) if isinstance(types, str) else tuple(types)
    by_content = [name for name in names if _is_by_content(for_type(access, name))]
    current = f" AND (v.version = h.version OR h.type NOT IN ({_literals(by_content)}))"
    superseded = (
        "(SELECT n.last_updated FROM resource_version AS n"
        " WHERE n.rid = v.rid AND n.version = v.version + 1) AS superseded"
    )
    return (
        "(SELECT v.rid, v.type, h.id, v.version, v.last_updated, v.method, v.patient, v.patients,"
        f" v.body, {superseded} FROM {visible(access, types, args)} AS h JOIN resource_version AS v"
        " ON v.rid = h.rid AND v.patient IS NOT DISTINCT FROM h.patient"
        f" AND v.patients IS NOT DISTINCT FROM h.patients{current if by_content else ''})"
    )


def reached(access: Access, type_: str, args: Arguments) -> str | None:
    """The patients whom the access reaches by relationships, as a sub-select; None if otherwise.

    What `visible` shows of a type about one patient is about one of these. A bound that helps to
    plan a statement, never a permission.
    """
    if _about(type_) != "one":
        return None
    match for_type(access, type_):
        case Related() as related:
            return _patients(related, args.add(list(related.actors), "text[]"))
        case All(parts):
            return next(filter(None, (reached(part, type_, args) for part in parts)), None)
    return None


def _is_by_content(access: Access) -> bool:
    match access:
        case Matching():
            return True
        case All(parts) | AnyOf(parts):
            return any(_is_by_content(part) for part in parts)
    return False


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
    condition = _condition(access, members[0], args)
    return f"(h.type IN ({_literals(members)}) AND {condition})"


def _literals(names: Sequence[str]) -> str:
    """Names of the specification, never a caller's text, as SQL literals."""
    return ", ".join(f"'{name}'" for name in names)


def _condition(access: Access, type_: str, args: Arguments) -> str:
    match access:
        case Everything():
            return "true"
        case All(parts) | AnyOf(parts):
            word = " AND " if isinstance(access, All) else " OR "
            return f"({word.join(_condition(part, type_, args) for part in parts)})"
        case InCompartment(patient):
            return _in_compartment(patient, type_, args)
        case Related() as related:
            return _related(related, type_, args)
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


def _related(related: Related, type_: str, args: Arguments) -> str:
    about = _about(type_)
    if about == "nobody":
        return "true"
    mine = args.add(list(related.actors), "text[]")
    patients = _patients(related, mine)
    if about == "one":
        denied = _denied("h.patient", mine)
        return f"(h.patient IN ({patients}) AND NOT EXISTS ({denied}))"
    refused = f"p NOT IN ({patients}) OR EXISTS ({_denied('p', mine)})"
    return (
        "(cardinality(h.patients) > 0 AND NOT EXISTS"
        f" (SELECT FROM unnest(h.patients) AS p WHERE {refused}))"
    )


def _patients(related: Related, actors: str) -> str:
    """The patients whom the actors, or those who stand for them, support."""
    based = f" AND s.basis IN ({_literals(related.bases)})" if related.bases else ""
    everyone = (
        f"SELECT f.actor FROM affiliation AS f WHERE f.principal = ANY({actors})"
        f" AND {ACTIVE.format('f')} UNION ALL SELECT unnest({actors})"
    )
    return (
        f"SELECT s.patient FROM relationship AS s WHERE s.actor = ANY(ARRAY({everyone}))"
        f" AND {ACTIVE.format('s')}{based}"
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
