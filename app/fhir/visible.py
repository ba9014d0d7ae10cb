"""DOOR: an Access becomes the only FROM clause there is. Nothing is read but through here.

Every arm of every statement (read, search, chain, include, history, count, reference check) selects
from `visible` or `versions`, so totals, pages and includes cannot disagree about who may see what.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from app.fhir.access import (
    Access,
    All,
    AnyOf,
    Matching,
    Permitted,
    Related,
    for_type,
    permissions,
)
from app.fhir.access_sql import LIKE, about, arm, is_weighed, kinds, weighed
from app.fhir.consented import VOUCHES, Consented, related_patients
from app.storage.sql import Arguments, Beginning, Needs, literals

HEAD = "rid, type, id, version, last_updated, deleted, patient, patients, keys, body"
COLUMNS = f"{HEAD}, digest, confidentiality, labels, seals, traits, lo, hi"
Write = Callable[[Access, tuple[str, ...], Arguments], str]
"""What writes a sub-select for an access to these types."""

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
    return _put(_named, access, types, args)


def lockable(access: Access, types: str | Sequence[str], args: Arguments) -> str:
    """`visible` for rows that are to be locked, without `consents`.

    When PostgreSQL had to wait for the lock of a row it asks WHERE once more, of the row as it is
    by then, but keeps what a sub-select beside it found before.
    https://www.postgresql.org/docs/18/transaction-iso.html#XACT-READ-COMMITTED
    """
    return _put(_unnamed, access, types, args)


def _put(write: Write, access: Access, types: str | Sequence[str], args: Arguments) -> str:
    """The text of a sub-select, put into a statement with what it needs of it."""
    names = (types,) if isinstance(types, str) else tuple(types)
    written = _written if _is_any_by_content(access, names) else _written_once
    text, needs = written(write, access, names, args.beginning)
    args.take(needs)
    return text


def _written(
    write: Write, access: Access, names: tuple[str, ...], beginning: Beginning
) -> tuple[str, Needs]:
    args = Arguments.after(beginning)
    return write(access, names, args), args.needs(beginning)


# To weigh consents takes long to write. What a scope asks of the content is written anew: it may
# name search parameters that were registered since, and dates near to now.
_written_once = lru_cache(maxsize=512)(_written)


def _named(access: Access, names: tuple[str, ...], args: Arguments) -> str:
    return _selected(access, names, args, is_named=True)


def _unnamed(access: Access, names: tuple[str, ...], args: Arguments) -> str:
    return _selected(access, names, args, is_named=False)


def _selected(access: Access, names: tuple[str, ...], args: Arguments, *, is_named: bool) -> str:
    table = "audit_event" if names == ("AuditEvent",) else "resource"
    if table == "resource":
        names = tuple(name for name in names if name != "AuditEvent")
    columns = COLUMNS if table == "resource" else f"{HEAD}, {ORDINARY}"
    groups = kinds(access, names)
    if is_named and any(is_weighed(special, members[0]) for special, members in groups):
        return f"(SELECT {columns}, w.consents FROM {table} AS h {weighed(groups, args)})"
    arms = [arm(special, members, args) for special, members in groups]
    tests = " OR ".join(arms) or "false"
    return f"(SELECT {columns}, NULL::text[] AS consents FROM {table} AS h WHERE {tests})"


def versions(access: Access, types: str | Sequence[str], args: Arguments) -> str:
    """A sub-select of all versions of the visible resources, history's FROM clause.

    A version that was about another patient than the current one, or more sensitive, is not shown:
    consent is judged on the current version, and must not open what it does not cover. For the same
    reason only the current version is shown where access depends on its content, by a scope or by a
    provision. `superseded` is the instant of the next version.
    """
    return _put(_versions, access, types, args)


def _versions(access: Access, names: tuple[str, ...], args: Arguments) -> str:
    closer = " OR ".join(_closer(access, names, args))
    current = f" AND (v.version = h.version OR NOT ({closer}))"
    superseded = (
        "(SELECT n.last_updated FROM resource_version AS n"
        " WHERE n.rid = v.rid AND n.version = v.version + 1) AS superseded"
    )
    return (
        "(SELECT v.rid, v.type, h.id, v.version, v.last_updated, v.method, v.patient, v.patients,"
        f" v.body, h.confidentiality, h.seals, h.consents, {superseded}"
        f" FROM {visible(access, names, args)} AS h"
        # One boolean, since of so many comparisons the planner expects that hardly a row passes,
        # and would sort all of them rather than follow the index until a page is full.
        f" JOIN resource_version AS v ON v.rid = h.rid AND CASE WHEN {AS_OPEN}"
        " AND v.patient IS NOT DISTINCT FROM h.patient"
        " AND v.patients IS NOT DISTINCT FROM h.patients THEN true ELSE false END"
        f"{current if closer else ''})"
    )


def opened(source: str) -> str:
    """SELECT …: the marks that are open to whom `visible` showed the rows of `source`, with the
    consents that open them; none where those rows do not vouch for what is like them (decision 15).

    The rows are judged by an access that is by marks.
    """
    vouches = VOUCHES.format(f"ARRAY(SELECT patient FROM {source})")
    return (
        f"SELECT h.patient, h.confidentiality, h.labels, p.consents FROM {source} AS p"
        f" JOIN resource AS h ON h.rid = p.rid WHERE h.seals IS NULL AND {vouches}"
    )


def like(opened: str, names: str) -> str:
    """A sub-select of the resources of these names ("Type/id" in `target`), one row for each name:
    as `visible` has them where one has marks that are `opened`; else, and where there is none or
    it was deleted, with NULLs beside the name.

    All are of types that are judged by the access of the rows that were opened.
    """
    return (
        f"(SELECT n.target, t.* FROM ({names}) AS n LEFT JOIN LATERAL"
        f" (SELECT t.*, h.consents FROM resource AS t JOIN {opened} AS h ON {LIKE}"
        " WHERE t.type = split_part(n.target, '/', 1) AND t.id = split_part(n.target, '/', 2)"
        " AND NOT t.deleted LIMIT 1) AS t ON true)"
    )


def reached(access: Access, type_: str, args: Arguments) -> str | None:
    """The patients whom the access reaches by relationships, as a sub-select; None if otherwise.

    What `visible` shows of a type about one patient is about one of these. A bound that helps to
    plan a statement, never a permission.
    """
    if about(type_) != "one":
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
        if about(name) != "nobody":
            for permitted in permissions(special):
                by_consent.setdefault(permitted, []).append(name)
    if by_content:
        yield f"h.type IN ({literals(by_content)})"
    for permitted, members in by_consent.items():
        narrow = Consented(permitted, args).looks_closer("coalesce(h.patients, ARRAY[h.patient])")
        yield f"(h.type IN ({literals(members)}) AND {narrow})"


@lru_cache(maxsize=4096)
def is_by_content(access: Access) -> bool:
    """Whether it asks what is in a resource, as a granular scope does."""
    match access:
        case Matching():
            return True
        case All(parts) | AnyOf(parts):
            return any(is_by_content(part) for part in parts)
    return False


@lru_cache(maxsize=4096)
def _is_any_by_content(access: Access, names: tuple[str, ...]) -> bool:
    """Whether it does so of one of these types: of the trail alone it may ask of many callers."""
    return any(is_by_content(for_type(access, name)) for name in names)
