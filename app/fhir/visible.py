"""DOOR: an Access becomes the only FROM clause there is. Nothing is read but through here.

Every arm of every statement (read, search, chain, include, history, count, reference check) selects
from `visible` or `versions`, so totals, pages and includes cannot disagree about who may see what.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial

from app.fhir.access import (
    Access,
    All,
    AnyOf,
    ByAgent,
    Everything,
    InCompartment,
    Matching,
    Nothing,
    Permitted,
    Related,
    for_type,
)
from app.fhir.compartments import DIRECTORY, is_single
from app.fhir.consented import Consented, Subject, related, related_patients, unmarked
from app.fhir.search.parameters import criterion
from app.storage.sql import Arguments, Beginning, Needs, literals

HEAD = "rid, type, id, version, last_updated, deleted, patient, patients, keys, body"
COLUMNS = f"{HEAD}, digest, confidentiality, labels, seals, traits, lo, hi"
ORDINARY = "3::smallint AS confidentiality, NULL::text[] AS seals"

SHOWN = "r.patient, r.patients, r.body, r.confidentiality, r.seals"
"""What `disclose` needs of a row `r` of `visible` or `versions`."""

AS_OPEN = """v.confidentiality <= h.confidentiality
 AND coalesce(v.labels, '{}') <@ coalesce(h.labels, '{}')
 AND coalesce(v.seals, '{}') <@ coalesce(h.seals, '{}')"""
"""A version is no more sensitive than the current one."""


def visible(access: Access, types: str | Sequence[str], args: Arguments) -> str:
    """A sub-select of the current versions of these types that the access lets through.

    Exposes COLUMNS, of AuditEvent those of SHOWN, deleted resources included. Use as
    `FROM {visible(...)} AS r`.
    """
    names = (types,) if isinstance(types, str) else tuple(types)
    write = _written if is_by_content(access) else _written_once
    text, needs = write(access, names, args.beginning)
    args.take(needs)
    return text


def _written(access: Access, names: tuple[str, ...], beginning: Beginning) -> tuple[str, Needs]:
    """The text of `visible`, and what it needs of the statement that it is put into."""
    args = Arguments.after(beginning)
    table = "audit_event" if names == ("AuditEvent",) else "resource"
    if table == "resource":
        names = tuple(name for name in names if name != "AuditEvent")
    arms = _arms(access, names, args)
    columns = COLUMNS if table == "resource" else f"{HEAD}, {ORDINARY}"
    text = f"(SELECT {columns} FROM {table} AS h WHERE {' OR '.join(arms) or 'false'})"
    return text, args.needs(beginning)


# To weigh consents takes long to write. What a scope asks of the content is written anew: it may
# name search parameters that were registered since, and dates near to now.
_written_once = lru_cache(maxsize=512)(_written)


def versions(access: Access, types: str | Sequence[str], args: Arguments) -> str:
    """A sub-select of all versions of the visible resources, history's FROM clause.

    A version that was about another patient than the current one, or more sensitive, is not shown:
    consent is judged on the current version, and must not open what it does not cover. For the same
    reason only the current version is shown where access depends on its content, by a scope or by a
    provision. `superseded` is the instant of the next version.
    """
    names = (types,) if isinstance(types, str) else tuple(types)
    closer = " OR ".join(_closer(access, names, args))
    current = f" AND (v.version = h.version OR NOT ({closer}))"
    superseded = (
        "(SELECT n.last_updated FROM resource_version AS n"
        " WHERE n.rid = v.rid AND n.version = v.version + 1) AS superseded"
    )
    return (
        "(SELECT v.rid, v.type, h.id, v.version, v.last_updated, v.method, v.patient, v.patients,"
        f" v.body, h.confidentiality, h.seals, {superseded}"
        f" FROM {visible(access, types, args)} AS h"
        # One boolean, since of so many comparisons the planner expects that hardly a row passes,
        # and would sort all of them rather than follow the index until a page is full.
        f" JOIN resource_version AS v ON v.rid = h.rid AND CASE WHEN {AS_OPEN}"
        " AND v.patient IS NOT DISTINCT FROM h.patient"
        " AND v.patients IS NOT DISTINCT FROM h.patients THEN true ELSE false END"
        f"{current if closer else ''})"
    )


def reached(access: Access, type_: str, args: Arguments) -> str | None:
    """The patients whom the access reaches by relationships, as a sub-select; None if otherwise.

    What `visible` shows of a type about one patient is about one of these. A bound that helps to
    plan a statement, never a permission.
    """
    if _about(type_) != "one":
        return None
    match for_type(access, type_):
        case Related() as ties:
            return related_patients(ties, args)
        case Permitted() as permitted:
            return Consented(permitted, args).patients()
        case All(parts):
            return next(filter(None, (reached(part, type_, args) for part in parts)), None)
    return None


def _closer(access: Access, names: Sequence[str], args: Arguments) -> Iterator[str]:
    """SQL: access to `h` depends on what is in it."""
    by_content: list[str] = []
    by_consent: dict[Permitted, list[str]] = {}
    for name in names:
        special = for_type(access, name)
        if is_by_content(special):
            by_content.append(name)
        if _about(name) != "nobody":
            for permitted in _permitted(special):
                by_consent.setdefault(permitted, []).append(name)
    if by_content:
        yield f"h.type IN ({literals(by_content)})"
    for permitted, members in by_consent.items():
        narrow = Consented(permitted, args).looks_closer("coalesce(h.patients, ARRAY[h.patient])")
        yield f"(h.type IN ({literals(members)}) AND {narrow})"


def _permitted(access: Access) -> Iterator[Permitted]:
    match access:
        case Permitted():
            yield access
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from _permitted(part)


def is_by_content(access: Access) -> bool:
    """Whether it asks what is in a resource, as a granular scope does."""
    match access:
        case Matching():
            return True
        case All(parts) | AnyOf(parts):
            return any(is_by_content(part) for part in parts)
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
    return f"(h.type IN ({literals(members)}) AND {condition})"


def _condition(access: Access, type_: str, args: Arguments) -> str:
    match access:
        case Everything():
            return "true"
        case All(parts) | AnyOf(parts):
            word = " AND " if isinstance(access, All) else " OR "
            return f"({word.join(_condition(part, type_, args) for part in parts)})"
        case InCompartment(patient):
            return _in_compartment(patient, type_, args)
        case Related() | Permitted():
            return _of_each(_asked_of(access, type_, args), type_)
        case Matching() | ByAgent():
            return _by_content(access, type_, args)
    return "false"


def _by_content(access: Matching | ByAgent, type_: str, args: Arguments) -> str:
    if isinstance(access, ByAgent):
        done = f"h.targets && {args.add(list(access.agents), 'bigint[]')}"
        return f"(NOT {done})" if access.of_others else f"({done})"
    tests = (criterion(type_, code, value, args, alias="h") for code, value in access.query)
    return "(" + " AND ".join(tests) + ")"


def _in_compartment(patient: str, type_: str, args: Arguments) -> str:
    match _about(type_):
        case "nobody":
            return "true"
        case "one":
            return f"h.patient = {args.add(patient)}"
    return f"h.patients = ARRAY[{args.add(patient, 'text')}]"


def _asked_of(access: Related | Permitted, type_: str, args: Arguments) -> Callable[[str], str]:
    """The condition on one patient, given as SQL."""
    if isinstance(access, Related):
        return partial(related, access, args)
    describe = unmarked if type_ == "AuditEvent" else Subject
    return lambda patient: Consented(access, args).test(describe(patient))


def _of_each(test: Callable[[str], str], type_: str) -> str:
    """The condition for the patient, or for every one of the patients, a resource is about."""
    match _about(type_):
        case "nobody":
            return "true"
        case "one":
            return test("h.patient")
    return (
        "(cardinality(h.patients) > 0 AND NOT EXISTS"
        f" (SELECT FROM unnest(h.patients) AS p WHERE NOT {test('p')}))"
    )
