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

    Has COLUMNS (of AuditEvent only HEAD, confidentiality and seals), deleted resources included,
    and `consents`: "patient/id" of each Consent that permits it; none where a relationship does, or
    where nobody has to permit it. Use as `FROM {visible(...)} AS r`.
    """
    return _put(_named, access, types, args)


def lockable(access: Access, types: str | Sequence[str], args: Arguments) -> str:
    """`visible` for rows that are to be locked, without `consents`.

    Once PostgreSQL has waited for the lock of a row, it asks WHERE again, of the row as it is by
    then, but keeps what a sub-select beside it had found before.
    https://www.postgresql.org/docs/18/transaction-iso.html#XACT-READ-COMMITTED
    """
    return _put(_unnamed, access, types, args)


def _put(write: Write, access: Access, types: str | Sequence[str], args: Arguments) -> str:
    """The text of a sub-select; the values it needs go into the arguments of the statement."""
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


# Kept, since the SQL that weighs consents takes long to write. What a scope asks of the content is
# written anew: it may name search parameters that were registered since, and dates near to now.
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
    """A sub-select of all versions of the visible resources: history's FROM clause.

    Consent is judged on the current version, and must not open what it does not cover. So a version
    that was about another patient, or was more sensitive, is not shown; and where a scope or a
    provision asks for content, only the current version is. `superseded` is the instant of the next
    version.
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
    """SELECT …: the marks of the rows of `source` that vouch for what is like them.

    With `consents`, by which the row was let through. `visible` showed the rows to the caller under
    an access that is by marks (`is_by_marks`), so that whatever bears the same marks is open by the
    same consents (docs/decisions/0015-redaction.md).
    """
    vouches = VOUCHES.format(f"ARRAY(SELECT patient FROM {source})")
    return (
        f"SELECT h.patient, h.confidentiality, h.labels, p.consents FROM {source} AS p"
        f" JOIN resource AS h ON h.rid = p.rid WHERE h.seals IS NULL AND {vouches}"
    )


def like(marks: str, names: str) -> str:
    """A sub-select with a row for each of the `names` (SQL, with "Type/id" in `target`).

    It is as `visible` has the resource if that bears one of the `marks`, a table of what `opened`
    selects. Else, and where nothing has that name or it was deleted, `target` stands among NULLs.
    All names are of types that are judged by the access under which the marks were opened.
    """
    return (
        f"(SELECT n.target, t.* FROM ({names}) AS n LEFT JOIN LATERAL"
        f" (SELECT t.*, h.consents FROM resource AS t JOIN {marks} AS h ON {LIKE}"
        " WHERE t.type = split_part(n.target, '/', 1) AND t.id = split_part(n.target, '/', 2)"
        " AND NOT t.deleted LIMIT 1) AS t ON true)"
    )


def reached(access: Access, type_: str, args: Arguments) -> str | None:
    """The patients whom the access can reach, as a sub-select; None where nothing bounds them.

    What `visible` shows of a type about one patient is about one of these. The bound helps to plan
    a statement; it is never a permission.
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
    """SQL, to be joined by OR: access to `h` depends on its content."""
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
    """Whether the access asks for the content of a resource, as a granular scope does."""
    match access:
        case Matching():
            return True
        case All(parts) | AnyOf(parts):
            return any(is_by_content(part) for part in parts)
    return False


@lru_cache(maxsize=4096)
def _is_any_by_content(access: Access, names: tuple[str, ...]) -> bool:
    """The same of these types alone: many callers are asked for content of the trail, and of
    nothing else."""
    return any(is_by_content(for_type(access, name)) for name in names)
