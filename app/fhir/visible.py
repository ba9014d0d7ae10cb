"""DOOR: an Access becomes the only FROM clause there is. Nothing is read but through here.

Every arm of every statement (read, search, chain, include, history, count, reference check) selects
from `visible` or `versions`, so totals, pages and includes cannot disagree about who may see what.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

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
    permissions,
)
from app.fhir.compartments import DIRECTORY, is_single
from app.fhir.consented import Consented, Subject, related, related_patients, unmarked
from app.fhir.search.parameters import criterion
from app.storage.sql import Arguments, Beginning, Needs, literals

HEAD = "rid, type, id, version, last_updated, deleted, patient, patients, keys, body"
COLUMNS = f"{HEAD}, digest, confidentiality, labels, seals, traits, lo, hi"
Kind = tuple[Access, list[str]]
"""Types that an access treats alike, and what it is when specialised to them."""

ORDINARY = "3::smallint AS confidentiality, NULL::text[] AS seals"

SHOWN = "r.patient, r.patients, r.body, r.confidentiality, r.seals, r.consents"
"""What `disclose` and the audit trail need of a row `r` of `visible` or `versions`."""

AS_OPEN = """v.confidentiality <= h.confidentiality
 AND coalesce(v.labels, '{}') <@ coalesce(h.labels, '{}')
 AND coalesce(v.seals, '{}') <@ coalesce(h.seals, '{}')"""
"""A version is no more sensitive than the current one."""


def visible(access: Access, types: str | Sequence[str], args: Arguments) -> str:
    """A sub-select of the current versions of these types that the access lets through.

    Exposes COLUMNS, of AuditEvent those of SHOWN, deleted resources included; and `consents`:
    "patient/id" of each Consent that permits it, none where it is a relationship that does, or
    nobody is asked. Use as `FROM {visible(...)} AS r`.
    """
    return _visible(access, types, args, is_named=True)


def lockable(access: Access, types: str | Sequence[str], args: Arguments) -> str:
    """`visible` for rows that are to be locked, without `consents`.

    When PostgreSQL had to wait for the lock of a row it asks WHERE once more, of the row as it is
    by then, but keeps what a sub-select beside it found before.
    https://www.postgresql.org/docs/18/transaction-iso.html#XACT-READ-COMMITTED
    """
    return _visible(access, types, args, is_named=False)


def _visible(access: Access, types: str | Sequence[str], args: Arguments, *, is_named: bool) -> str:
    names = (types,) if isinstance(types, str) else tuple(types)
    write = _written if is_by_content(access) else _written_once
    text, needs = write(access, names, args.beginning, is_named=is_named)
    args.take(needs)
    return text


def _written(
    access: Access, names: tuple[str, ...], beginning: Beginning, *, is_named: bool
) -> tuple[str, Needs]:
    """The text of `visible`, and what it needs of the statement that it is put into."""
    args = Arguments.after(beginning)
    table = "audit_event" if names == ("AuditEvent",) else "resource"
    if table == "resource":
        names = tuple(name for name in names if name != "AuditEvent")
    columns = COLUMNS if table == "resource" else f"{HEAD}, {ORDINARY}"
    kinds = _kinds(access, names)
    if is_named and any(_is_weighed(special, members[0]) for special, members in kinds):
        text = f"(SELECT {columns}, w.consents FROM {table} AS h {_weighed(kinds, args)})"
    else:
        arms = [_arm(special, members, args) for special, members in kinds]
        tests = " OR ".join(arms) or "false"
        text = f"(SELECT {columns}, NULL::text[] AS consents FROM {table} AS h WHERE {tests})"
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
        f" v.body, h.confidentiality, h.seals, h.consents, {superseded}"
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
            for permitted in permissions(special):
                by_consent.setdefault(permitted, []).append(name)
    if by_content:
        yield f"h.type IN ({literals(by_content)})"
    for permitted, members in by_consent.items():
        narrow = Consented(permitted, args).looks_closer("coalesce(h.patients, ARRAY[h.patient])")
        yield f"(h.type IN ({literals(members)}) AND {narrow})"


def is_by_content(access: Access) -> bool:
    """Whether it asks what is in a resource, as a granular scope does."""
    match access:
        case Matching():
            return True
        case All(parts) | AnyOf(parts):
            return any(is_by_content(part) for part in parts)
    return False


def _kinds(access: Access, names: tuple[str, ...]) -> list[Kind]:
    """The groups of types that the access treats alike, each with what it is for them."""
    groups: dict[tuple[Access, str], list[str]] = {}
    for name in names:
        special = for_type(access, name)
        if not isinstance(special, Nothing):
            groups.setdefault((special, _about(name)), []).append(name)
    return [(special, members) for (special, _), members in groups.items()]


def _is_weighed(access: Access, type_: str) -> bool:
    """Whether consents have a say."""
    return _about(type_) != "nobody" and any(permissions(access))


def _weighed(kinds: Sequence[Kind], args: Arguments) -> str:
    """Consents are weighed once for a row, and told by what let it through."""
    found = [_consents(special, members[0], args) for special, members in kinds]
    types = [literals(members) for _, members in kinds]
    cases = (f"WHEN h.type IN ({each}) THEN {one}" for each, one in zip(types, found, strict=True))
    consents = f"CASE {' '.join(cases)} END" if len(kinds) > 1 else found[0]
    return (
        # Without OFFSET it would be written into both places that ask for it, and run in each.
        f"CROSS JOIN LATERAL (SELECT {consents} AS consents OFFSET 0) AS w"
        f" WHERE h.type IN ({', '.join(types)}) AND w.consents IS NOT NULL"
    )


def _about(type_: str) -> str:
    if type_ in DIRECTORY:
        return "nobody"
    return "one" if is_single(type_) else "several"


def _arm(access: Access, members: list[str], args: Arguments) -> str:
    condition = _condition(access, members[0], args)
    return f"(h.type IN ({literals(members)}) AND {condition})"


def _consents(access: Access, type_: str, args: Arguments) -> str:
    """SQL: the Consents by which the access lets `h` through, NULL if it does not."""
    match access:
        case Permitted() if _about(type_) != "nobody":
            return _of_all(access, type_, args)
        case All(parts) | AnyOf(parts) if _is_weighed(access, type_):
            named = next(part for part in parts if _is_weighed(part, type_))
            others = tuple(part for part in parts if part is not named)
            consents, rest = _consents(named, type_, args), _joined(access, others, type_, args)
            if isinstance(access, All):
                return f"CASE WHEN {rest} THEN {consents} END"
            return f"coalesce({consents}, CASE WHEN {rest} THEN '{{}}'::text[] END)"
    return f"CASE WHEN {_condition(access, type_, args)} THEN '{{}}'::text[] END"


def _condition(access: Access, type_: str, args: Arguments) -> str:
    match access:
        case Everything():
            return "true"
        case All(parts) | AnyOf(parts):
            return _joined(access, parts, type_, args)
        case InCompartment(patient):
            return _in_compartment(patient, type_, args)
        case Related() | Permitted():
            return _of_each(access, type_, args)
        case Matching() | ByAgent():
            return _by_content(access, type_, args)
    return "false"


def _joined(access: All | AnyOf, parts: Sequence[Access], type_: str, args: Arguments) -> str:
    word = " AND " if isinstance(access, All) else " OR "
    return f"({word.join(_condition(part, type_, args) for part in parts)})"


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


def _of_all(access: Permitted, type_: str, args: Arguments) -> str:
    """The Consents of the patient, or of all the patients, a resource is about; NULL if one of them
    does not permit it, or there is none."""
    describe = unmarked if type_ == "AuditEvent" else Subject
    asked = Consented(access, args)
    if _about(type_) == "one":
        return asked.test(describe("h.patient"))
    return (
        "(SELECT CASE WHEN bool_and(t.consents IS NOT NULL) THEN joined(t.consents) END"
        " FROM unnest(h.patients) AS p"
        f" CROSS JOIN LATERAL (SELECT {asked.test(describe('p'))} AS consents OFFSET 0) AS t)"
    )


def _of_each(access: Related | Permitted, type_: str, args: Arguments) -> str:
    """The condition for the patient, or for every one of the patients, a resource is about."""
    match _about(type_):
        case "nobody":
            return "true"
        case _ if isinstance(access, Permitted):
            return f"({_of_all(access, type_, args)} IS NOT NULL)"
        case "one":
            return related(access, args, "h.patient")
    return (
        "(cardinality(h.patients) > 0 AND NOT EXISTS"
        f" (SELECT FROM unnest(h.patients) AS p WHERE NOT {related(access, args, 'p')}))"
    )
