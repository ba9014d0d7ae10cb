"""Engine: what the interactions need, wired once in app/main.py."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.fhir.audit import AuditLog
from app.fhir.change import Written
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.errors import Forbidden, Issue
from app.fhir.few import Few
from app.fhir.marks import Marks, unmarked
from app.fhir.sharing import Sharing
from app.storage.database import Database

Rows = Mapping[str, list[tuple[Any, ...]]]
"""Rows by table, each without its leading `rid`."""

Stamp = Callable[[Resource], Resource]
Rule = Callable[[Resource], Iterable[Issue]]
Mark = Callable[[Resource, str], Marks]
Guard = Callable[[Context, Sequence[Written]], Awaitable[None]]
Run = Callable[[Context, Call], Awaitable[Result]]
Alarm = Callable[[Context, Call, Result], Awaitable[None]]
"""Tells on whoever opens a record in an emergency; what it refuses is not disclosed."""


@dataclass(frozen=True, slots=True)
class Route:
    """One interaction: how it is asked for, which SMART scope letter it needs, what runs it.

    `path` is written as in the specification, e.g. "[type]/[id]/_history". An empty letter means
    that no scope is needed for the call itself: the entries of a Bundle are checked one by one.
    """

    interaction: str
    method: str
    path: str
    letter: str
    run: Run


@dataclass(frozen=True, slots=True)
class Projection:
    """Rows that follow from the current version of a resource, rewritten by every commit of it."""

    project: Callable[[Resource, str], Rows]


@dataclass(frozen=True, slots=True)
class Operation:
    """A FHIR operation: where it may be called, which scope letter it needs, what runs it.

    `levels` ⊆ {"system", "type", "instance"}; `types` is empty for all types;
    `media_types` are what it can answer in besides FHIR JSON.
    https://hl7.org/fhir/R4/operations.html
    """

    name: str
    definition: str
    levels: frozenset[str]
    types: frozenset[str]
    letter: str
    run: Run
    media_types: tuple[str, ...] = ()
    also: tuple[tuple[str, str], ...] = ()
    """The definitions on single types, where R4 has more than one of this name."""

    documentation: str = ""
    """What of the definition is not done."""

    def defined(self, type_: str | None) -> str:
        """The canonical of its definition for a type."""
        return dict(self.also).get(type_ or "", self.definition)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator of this server decided: see docs/settings.md."""

    check_references: bool = True
    update_as_create: bool = False
    conditional_delete: str = "single"
    max_entries: int = 5000
    page_size: int = 50
    max_page_size: int = 1000
    profiles: str = "warn"
    issues_tokens: bool = True


async def unarmed(_ctx: Context, _call: Call, _result: Result) -> None:
    """Without anybody to tell there is no breaking of the glass."""
    raise Forbidden("This server opens no record in an emergency.")


@dataclass(frozen=True, slots=True)
class Engine:
    """The house's furniture: database, audit log, hooks, policy. No request state."""

    database: Database
    audit: AuditLog
    routes: Sequence[Route]
    base_url: str
    paging_key: bytes
    policy: Policy
    stamps: tuple[Stamp, ...]
    rules: tuple[Rule, ...]
    projections: tuple[Projection, ...]
    operations: Mapping[str, Operation]
    mark: Mark = unmarked
    alarm: Alarm = unarmed
    guards: tuple[Guard, ...] = ()
    definitions: Mapping[str, Resource] = field(default_factory=dict)
    """The canonical resources that come with the server, by url."""

    sharing: Sharing[Any, Any] = field(default_factory=Sharing)
    """What writes together what one caller asks for at the same time."""

    few: Few = field(default_factory=Few)
    """What knows which callers support few patients."""
