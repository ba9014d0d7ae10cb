"""Includes: what the matches point to, and what points to them, in further arms of the statement.

Every arm starts from `visible`; where a match vouches for what it points to, see vouched.py.
https://hl7.org/fhir/R4/search.html#include
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from app.fhir.access import Access
from app.fhir.registry import STORED, parameters
from app.fhir.search.masked import unless_redacted
from app.fhir.search.parameters.criterion import Over, targets
from app.fhir.search.query import Include
from app.fhir.visible import SHOWN, visible
from app.storage.sql import Arguments, literals

COLUMNS = f"r.rid, r.type, r.id, r.version, r.last_updated, {SHOWN}"
MAX_INCLUDED = 1000
"""How many resources one round may add to a page."""

BEYOND = "beyond"
"""The name of the round after the last, which only tells whether there would be more."""

ROUNDS = 4
"""How often :iterate follows what the round before has found."""


def included(
    includes: Sequence[Include], starts: Iterable[str], access: Access, over: Over
) -> list[tuple[str, str, str]]:
    """The CTEs (name, SQL, mode as SQL) that find what is included, one for each round.

    The first starts from the rows (rid, …) of `page`, which can be of the types `starts`; there are
    no more rounds than includes lead on. They have COLUMNS; a resource may come more than once, and
    may be a match as well.
    """
    rounds: list[tuple[str, str, str]] = []
    source, following = "page", _from(includes, set(starts))
    iterating = [include for include in includes if include.iterates]
    while following and len(rounds) < ROUNDS:
        name = f"round{len(rounds) + 1}"
        rounds.append((name, _round(following, source, access, over), "'include'"))
        source, following = name, _from(iterating, set().union(*map(_arrivals, following)))
    if following:
        rounds.append((BEYOND, _round(following, source, access, over), f"'{BEYOND}'"))
    return rounds


def _from(includes: Iterable[Include], types: set[str]) -> list[Include]:
    """Those of the includes that lead on from resources of these types."""
    return [each for each in includes if types & _departures(each)]


def _departures(include: Include) -> set[str]:
    return _pointed(include) if include.is_reverse else {include.source}


def _arrivals(include: Include) -> set[str]:
    return {include.source} if include.is_reverse else _targets(include)


def _round(includes: Sequence[Include], source: str, access: Access, over: Over) -> str:
    forward = [include for include in includes if not include.is_reverse]
    reverse = [include for include in includes if include.is_reverse]
    arms = []
    if forward:
        arms.append(_forward(forward, source, access, over))
    if reverse:
        arms.append(_reverse(reverse, source, access, over))
    return " UNION ALL ".join(f"({arm} LIMIT {MAX_INCLUDED})" for arm in arms)


def _forward(includes: Sequence[Include], source: str, access: Access, over: Over) -> str:
    return (
        f"SELECT {COLUMNS} FROM {visible(access, sorted(targets_of(includes)), over.args)} AS r"
        " WHERE NOT r.deleted AND (r.type, r.id) IN"
        " (SELECT split_part(x.target, '/', 1), split_part(x.target, '/', 2)"
        f" FROM {_pointers(includes, source, over)})"
    )


def targets_of(includes: Iterable[Include]) -> set[str]:
    """The types that forward includes can arrive at."""
    return {name for include in includes for name in _targets(include)}


def named(includes: Sequence[Include], source: str) -> str:
    """SELECT target: the names of the resources that forward includes lead to from the rows of
    `source`, each once, whether such a resource is there or not; by no reference at risk."""
    kinds = literals(sorted(targets_of(includes)))
    unmasked = Over("p", Arguments())
    return (
        f"SELECT DISTINCT x.target FROM {_pointers(includes, source, unmasked)}"
        f" AND split_part(x.target, '/', 1) IN ({kinds})"
    )


def _pointers(includes: Iterable[Include], source: str, over: Over) -> str:
    """SQL after FROM: the index rows `x` to follow from the rows of `source`."""
    return (
        f"{source} AS p JOIN index_reference AS x ON x.rid = p.rid"
        f" WHERE {_is_followed(includes, replace(over, alias='p'))}"
    )


def _reverse(includes: Sequence[Include], source: str, access: Access, over: Over) -> str:
    types = sorted({include.source for include in includes})
    return (
        f"SELECT {COLUMNS} FROM {visible(access, types, over.args)} AS r"
        " WHERE NOT r.deleted AND r.rid IN"
        f" (SELECT x.rid FROM {source} AS p JOIN index_reference AS x"
        " ON x.target = p.type || '/' || p.id"
        f" WHERE {_is_followed(includes, over)})"
    )


def _is_followed(includes: Iterable[Include], over: Over) -> str:
    """SQL: index row `x` is one of the references to follow, of the row that has it."""
    found: dict[str | None, set[tuple[str, str]]] = {}
    for include in includes:
        links = found.setdefault(include.target, set())
        links.update((include.source, code) for code in include.codes)
    tests = [
        unless_redacted(over, sorted(links), partial(_among, to)) for to, links in found.items()
    ]
    return f"({' OR '.join(tests)})"


def _among(to: str | None, numbers: Iterable[int]) -> str:
    wanted = ", ".join(map(str, numbers))
    test = f"x.param IN ({wanted})" if wanted else "false"
    return test if to is None else f"({test} AND starts_with(x.target, '{to}/'))"


def _targets(include: Include) -> set[str]:
    """The stored types that its references can lead to."""
    # AuditEvents are kept elsewhere, and nothing that is included points to them.
    return {include.target} if include.target else _pointed(include) & STORED - {"AuditEvent"}


def _pointed(include: Include) -> set[str]:
    """All types that its references can lead to, stored here or not."""
    if include.target is not None:
        return {include.target}
    known = parameters(include.source)
    return {name for code in include.codes for name in targets(known[code])}
