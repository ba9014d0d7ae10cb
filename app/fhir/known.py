"""Known: what exists for a caller. No reference in a resource may lead them to anything else.

A type that the scopes open is judged as a read of it would be; any other by the caller's reach.
Values and SQL; nothing is looked up here.
"""

from collections.abc import Collection, Iterable
from functools import lru_cache

from app.fhir.access import (
    Access,
    All,
    AnyOf,
    Everything,
    InCompartment,
    Nothing,
    Permitted,
    Related,
    for_type,
)
from app.fhir.compartments import DIRECTORY, is_single
from app.fhir.registry import STORED
from app.fhir.visible import visible
from app.storage.sql import Arguments

Known = tuple[tuple[Access, tuple[str, ...]], ...]
"""The types of which something may be hidden from a caller, with the access that tells what is not.

Empty for who may know of everything.
"""


@lru_cache(maxsize=4096)
def known(read: Access, search: Access, reach: Access) -> Known:
    """What exists for whoever has this access under the scope letters r and s, and this reach."""
    groups: dict[tuple[Access, bool], list[str]] = {}
    for type_ in sorted(STORED):
        found = (for_type(access, type_) for access in (read, search, reach))
        access = next((each for each in found if not isinstance(each, Nothing)), Nothing())
        if not _is_open(access, type_):
            groups.setdefault((access, is_single(type_)), []).append(type_)
    return tuple((access, tuple(types)) for (access, _), types in groups.items())


def _is_open(access: Access, type_: str) -> bool:
    """Whether nothing of the type is hidden."""
    match access:
        case Everything():
            return True
        case Related() | Permitted() | InCompartment():
            return type_ in DIRECTORY
        case All(parts):
            return all(_is_open(part, type_) for part in parts)
        case AnyOf(parts):
            return any(_is_open(part, type_) for part in parts)
    return False


def restricted(known: Known, among: Iterable[str]) -> Known:
    """The groups of types that have one of these in them."""
    wanted = frozenset(among)
    return tuple((access, types) for access, types in known if wanted.intersection(types))


def types_of(known: Known) -> frozenset[str]:
    """The types of which something may be hidden."""
    return frozenset(type_ for _, types in known for type_ in types)


def known_among(known: Known, pairs: Collection[tuple[str, str]], args: Arguments) -> str:
    """SELECT type, id: those of these (type, id) that exist for the caller, deleted or not."""
    types, ids = ([pair[part] for pair in pairs] for part in (0, 1))
    places = f"unnest({args.add(types, 'text[]')}, {args.add(ids, 'text[]')}) AS w(type, id)"
    return " UNION ALL ".join(
        f"SELECT r.type, r.id FROM {visible(access, names, args)} AS r"
        f" JOIN {places} ON w.type = r.type AND w.id = r.id"
        for access, names in _apart(known)
    )


def is_known(known: Known, target: str, args: Arguments) -> str:
    """SQL: what the index target names (SQL, for "Type/id" or a URL) is not hidden."""
    names = ", ".join(f"'{name}'" for name in sorted(types_of(known)))
    tests = [f"split_part({target}, '/', 1) NOT IN ({names})"]
    tests += [
        f"EXISTS (SELECT FROM {visible(access, types, args)} AS v"
        f" WHERE v.type = split_part({target}, '/', 1) AND v.id = split_part({target}, '/', 2))"
        for access, types in _apart(known)
    ]
    return f"({' OR '.join(tests)})"


def _apart(known: Known) -> Iterable[tuple[Access, tuple[str, ...]]]:
    """AuditEvents are kept in a table of their own."""
    for access, types in known:
        others = tuple(name for name in types if name != "AuditEvent")
        if others:
            yield access, others
        if len(others) < len(types):
            yield access, ("AuditEvent",)
