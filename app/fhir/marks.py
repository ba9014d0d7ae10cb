"""Marks: what a decision about a resource needs to know of it, in columns beside its body.

`visible` compares them with the rules of consents, so that a decision parses no resource.
"""

from dataclasses import dataclass
from datetime import datetime

from app.fhir.context import Resource
from app.storage.sql import Row


@dataclass(frozen=True, slots=True)
class Marks:
    """Labels, traits and clinical time of one version.

    `confidentiality` 0..5 (U L M N R V); `labels` are sensitivities; `seals` are laws that ask for
    a consent of their own. `traits` are 64-bit keys: the first is the one by which other resources
    refer to this one, then its type, profiles, codes, references and authors. [lo, hi) is the time
    its content is about, both None where it names none.
    """

    confidentiality: int = 3
    labels: tuple[str, ...] = ()
    seals: tuple[str, ...] = ()
    traits: tuple[int, ...] = ()
    lo: datetime | None = None
    hi: datetime | None = None


UNMARKED = Marks()
"""Of what has no content."""


def unmarked(_: Resource, __: str) -> Marks:
    """The marks of a resource where nobody gives any."""
    return UNMARKED


def marks_of(row: Row) -> Marks:
    """The marks in a row of `resource`."""
    return Marks(
        row["confidentiality"],
        tuple(row["labels"] or ()),
        tuple(row["seals"] or ()),
        tuple(row["traits"]),
        row["lo"],
        row["hi"],
    )
