"""Change and Committed: what goes into `commit` and what comes out."""

from dataclasses import dataclass
from datetime import datetime

from app.fhir.context import Resource
from app.fhir.marks import UNMARKED, Marks

LETTER = {"POST": "c", "PUT": "u", "PATCH": "u", "DELETE": "d"}
"""The SMART scope letter that each way of changing needs."""

ANY = "*"
"""In `Change.if_match`: whatever version is current, as long as there is one."""


class Outdated(Exception):
    """Other search parameters are registered than those that the change was derived under."""


class Overtaken(Exception):
    """Somebody wrote between what a change was made from and the change; it is to be made anew."""


@dataclass(frozen=True, slots=True)
class Change:
    """One resource to create (POST), replace (PUT, PATCH) or delete (DELETE).

    `if_match` holds the versions one of which the caller believes to be current, `if_none_match`
    those that must not be; `may_create` lets a PUT create; `interaction` is what the audit trail
    calls it; `at` is the FHIRPath of the resource in the request, where that is not just its type.
    `seen` is the version this change was made from: Overtaken when it is not current any more.
    `keeps`: the resource was made of the current version as it is stored, not of what its author
    was shown of it.
    """

    interaction: str
    method: str
    type: str
    id: str
    resource: Resource | None = None
    if_match: frozenset[str] | None = None
    may_create: bool = False
    at: str | None = None
    if_none_match: frozenset[str] = frozenset()
    seen: int | None = None
    keeps: bool = False

    @property
    def creates(self) -> bool:
        """Whether it may need a row of its own."""
        return self.method == "POST" or self.may_create


@dataclass(frozen=True, slots=True)
class Written:
    """A resource as a transaction found it and as it leaves it: stored text, None without.

    `patients` are the logical ids of whom it was or is about, `at` its FHIRPath in the request of
    this id.
    """

    type: str
    id: str
    patients: tuple[str, ...]
    before: str | None
    after: str | None
    at: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Committed:
    """A change after COMMIT.

    `outcome` is created, updated, unchanged, deleted or absent; `body` is the resource as stored,
    None when deleted. `dangling` lists references to nothing, where policy lets them pass.
    """

    type: str
    id: str
    version: int
    last_updated: datetime
    outcome: str
    patient: str | None
    patients: list[str] | None
    body: str | None
    marks: Marks = UNMARKED
    dangling: tuple[str, ...] = ()

    @property
    def about(self) -> tuple[str, ...]:
        """The logical ids of the patients it is about."""
        return (self.patient,) if self.patient else tuple(self.patients or ())
