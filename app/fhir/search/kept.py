"""Kept: what clients ask over and over, of one patient after the other, is compiled once.

The text of a statement depends on what is asked and on the access of who asks; the id of the
patient is one of its values. So a query is compiled for two patients who do not exist: if the text
is the same, and the values differ only where the id stands by itself, the statement is kept, with
places for the id of whoever is asked about. No rows, decisions or refusals are kept, and nothing
that depends on more than the question: see `_is_steady`.
docs/decisions/0028-kept-statements.md
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from uuid import uuid4

from app.fhir.access import Access, All, AnyOf, Matching
from app.fhir.context import Call, Context
from app.fhir.errors import BadRequest
from app.fhir.hidden import Eyes, eyes
from app.fhir.known import known
from app.fhir.named import POINTING
from app.fhir.references import ID
from app.fhir.registry import following
from app.fhir.search.find import stated
from app.fhir.search.masked import doubted
from app.fhir.search.query import Query, parse_query
from app.fhir.search.resolve import is_plain

MOST = 1024
"""Questions that are remembered; the same search under another access is another question."""

LONGEST = 256
"""Characters of a parameter, at most: what is longer is not asked often."""

MOST_PAIRS = 16
"""Parameters of a question, at most, for the same reason."""

ONE, OTHER = (str(uuid4()) for _ in range(2))
"""Two patients who do not exist, and whom nobody can name: each process makes its own."""

PATIENT = "Patient/"

Pairs = tuple[tuple[str, str], ...]
_Parts = tuple[str, Pairs, tuple[int, int], Eyes, str]


@dataclass(frozen=True, slots=True)
class Kept:
    """A compiled search, in which ONE stands for the patient it will be about, if for anybody.

    `statement` is the text and the values, `places` are the indexes in it of the patient's id.
    """

    query: Query
    statement: tuple[Any, ...]
    places: tuple[int, ...]
    is_narrow: bool

    def of(self, patient: str) -> tuple[Any, ...]:
        """What the database is given, for this patient."""
        if not self.places:
            return self.statement
        found = list(self.statement)
        for at in self.places:
            found[at] = patient
        return tuple(found)


def kept(ctx: Context, call: Call) -> tuple[Kept, str] | None:
    """The compiled first page of this search of a type, and the id of the patient it is about;
    None where it is not kept."""
    assert call.type
    pairs, patient = _about_one(call.query)
    if call.compartment is not None or not _is_steady(pairs):
        return None
    policy = ctx.engine.policy
    counts = (policy.page_size, policy.max_page_size)
    found = _question((call.type, pairs, counts, eyes(ctx), ctx.engine.base_url)).asked()
    return None if found is None else (found, patient)


def _is_steady(pairs: Pairs) -> bool:
    """Whether the parameters mean the same at any time: none is a position, or a date near now.

    Approximate dates have `ap`, in a value, a composite or a filter; a backslash could hide it.
    """
    return len(pairs) <= MOST_PAIRS and not any(
        name == "_page" or "ap" in value or "\\" in value or len(name) + len(value) > LONGEST
        for name, value in pairs
    )


def _is_lasting(access: Access) -> bool:
    """Whether what a granular scope asks of the content means the same at any time."""
    match access:
        case Matching(query=pairs):
            return _is_steady(pairs)
        case All(parts) | AnyOf(parts):
            return all(map(_is_lasting, parts))
    return True


def _about_one(pairs: Pairs) -> tuple[Pairs, str]:
    """The same with ONE in the place of the first patient it names, and that patient's id; "" where
    it names none."""
    for at, (name, value) in enumerate(pairs):
        if name in POINTING:
            patient = value.removeprefix(PATIENT)
            if ID.match(patient):
                one = (name, value[: -len(patient)] + ONE)
                return (*pairs[:at], one, *pairs[at + 1 :]), patient
    return pairs, ""


@dataclass(slots=True)
class _Question:
    """What many may ask. It is compiled when it comes the second time, since much is asked only
    once."""

    parts: _Parts
    times: int = 0
    kept: Kept | None = None

    def asked(self) -> Kept | None:
        self.times += 1
        if self.times == 2:
            self.kept = _kept(*self.parts)
        return self.kept


# What is registered to search by decides what a question means: others begin anew.
@following
@lru_cache(maxsize=MOST)
def _question(parts: _Parts) -> _Question:
    return _Question(parts)


def _kept(
    type_: str, pairs: Pairs, counts: tuple[int, int], under: Eyes, base_url: str
) -> Kept | None:
    if not all(map(_is_lasting, under)):
        return None
    found = _compiled(type_, pairs, counts, under, base_url)
    others = tuple((name, value.replace(ONE, OTHER)) for name, value in pairs)
    if found is None or others == pairs:
        return found
    other = _compiled(type_, others, counts, under, base_url)
    places = _places(found.statement, other.statement) if other else None
    return None if places is None else replace(found, places=places)


def _compiled(
    type_: str, pairs: Pairs, counts: tuple[int, int], under: Eyes, base_url: str
) -> Kept | None:
    """The statement for just these parameters; None where it depends on what is in the database.

    None as well where it is refused: the search that is not kept then says why.
    """
    try:
        query = parse_query(type_, pairs, counts=counts)
        groups = known(*under)
        if query.used != pairs or query.total == "estimate" or not is_plain(query):
            return None
        if doubted(query, groups, base_url):
            return None
        found = stated(query, under, base_url, None, (groups, frozenset()))
    except BadRequest:
        return None
    # One text in memory for all callers who differ only in their values.
    sql, *values = found.complete
    return Kept(query, (sys.intern(sql), *values), (), found.is_narrow)


def _places(one: Sequence[Any], other: Sequence[Any]) -> tuple[int, ...] | None:
    """Where the first statement has ONE and the second OTHER; None if they differ elsewhere."""
    places = []
    for at, pair in enumerate(zip(one, other, strict=True)):
        if pair == (ONE, OTHER):
            places.append(at)
        elif pair[0] != pair[1]:
            return None
    return tuple(places)
