"""Change and Committed: what goes into `commit` and what comes out."""

from dataclasses import dataclass
from datetime import datetime

from app.fhir.context import Resource

LETTER = {"POST": "c", "PUT": "u", "PATCH": "u", "DELETE": "d"}
"""The SMART scope letter that each way of changing needs."""

ANY = "*"
"""In `Change.if_match`: whatever version is current, as long as there is one."""


@dataclass(frozen=True, slots=True)
class Change:
    """One resource to create (POST), replace (PUT, PATCH) or delete (DELETE).

    `if_match` holds the versions one of which the caller believes to be current; `may_create` lets
    a PUT create; `interaction` is what the audit trail calls it; `at` is the FHIRPath of the
    resource in the request, where that is not just its type. `keeps`: the resource was made of the
    current version as it is stored, not of what its author was shown of it.
    """

    interaction: str
    method: str
    type: str
    id: str
    resource: Resource | None = None
    if_match: frozenset[str] | None = None
    may_create: bool = False
    at: str | None = None
    keeps: bool = False


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
    dangling: tuple[str, ...] = ()

    @property
    def about(self) -> tuple[str, ...]:
        """The logical ids of the patients it is about."""
        return (self.patient,) if self.patient else tuple(self.patients or ())
