"""What travels through one interaction: who acts (Agent), what was asked (Call), the Result."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.fhir.access import Access

if TYPE_CHECKING:
    from asyncpg import Record

    from app.fhir.engine import Engine
    from app.storage.database import Connection, Database

Resource = dict[str, Any]
"""A FHIR resource as parsed JSON; decimals are `app.fhir.json.Number`, never float."""

FHIR_JSON = "application/fhir+json"


@dataclass(frozen=True, slots=True)
class Disclosed:
    """Bytes that may leave the house; made only by app/fhir/disclose.py.

    `level` is the highest confidentiality (0..5) of the records in them, None where there is none.
    """

    content: bytes
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """Who acts, as the audit trail names them.

    `role` is a code of docs/roles.md; `organization` and `fhir_user` are references; `purpose` is a
    code of http://terminology.hl7.org/CodeSystem/v3-ActReason, `token` the jti of the access token,
    `address` the IP address the client called from, None for a command on this machine.
    """

    client: str
    role: str
    organization: str | None = None
    user: str | None = None
    fhir_user: str | None = None
    purpose: str | None = None
    token: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditional headers of a request, as sent. https://hl7.org/fhir/R4/http.html#cond-update"""

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_none_exist: str | None = None


@dataclass(frozen=True, slots=True)
class Preference:
    """Prefer: return=…, handling=…, respond-async. https://hl7.org/fhir/R4/http.html#ops, #2.21.0.5

    `returns` is minimal, representation, OperationOutcome, or None where nothing was preferred.
    """

    returns: str | None = None
    handling: str = "strict"
    is_asynchronous: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One interaction as asked for, whether it came by HTTP or as a Bundle entry.

    `media_type` says what kind of patch a body is; any other body is FHIR JSON.
    `accept` is the media type to answer in; `languages` is the Accept-Language header as sent.
    """

    interaction: str
    type: str | None = None
    id: str | None = None
    version: str | None = None
    operation: str | None = None
    compartment: tuple[str, str] | None = None
    query: tuple[tuple[str, str], ...] = ()
    body: Any = None
    media_type: str = "application/fhir+json"
    conditions: Conditions = Conditions()
    prefer: Preference = Preference()
    accept: str = FHIR_JSON
    languages: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """Under whose eyes an interaction runs.

    `access` maps a scope letter (c r u d s) to an Access; a letter that is absent permits nothing.
    `reach` is what the caller may know of under any scope letter: references are held to it.
    `scopes` is what was granted, before it was composed with whom the caller supports; `connection`
    is that of the transaction this runs in, if it runs in one. `emergency` is why a record is
    opened beyond the ordinary; such a Context only reads. `may_choose_ids` lets a PUT create a
    resource; ordinary clients may not.
    """

    engine: "Engine"
    agent: Agent
    scopes: Mapping[str, Access]
    access: Mapping[str, Access]
    reach: Access
    request_id: str
    now: datetime
    base_url: str
    may_choose_ids: bool = False
    connection: "Connection | None" = None
    emergency: str | None = None

    @property
    def store(self) -> "Connection | Database":
        """Where to read: within the transaction, if there is one."""
        return self.connection or self.engine.database

    def read(self, sql: str, *values: Any) -> "Awaitable[list[Record]]":
        """The rows of a SELECT that many callers may ask at once, and then share a statement;
        within a transaction it runs by itself."""
        if self.connection is not None:
            return self.connection.fetch(sql, *values)
        return self.engine.database.together(sql, *values)


@dataclass(frozen=True, slots=True)
class Result:
    """What an interaction answers: a status, perhaps bytes, and what the headers need to know.

    `patients` are whom the answer is about, `consents` the Consents that permit it ("patient/id"),
    for the audit trail; `is_recorded` says that the audit
    trail already holds it, because it was written in the transaction of the change.
    """

    status: int
    body: Disclosed | None = None
    version: str | None = None
    last_modified: datetime | None = None
    location: str | None = None
    type: str | None = None
    id: str | None = None
    patients: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()
    is_recorded: bool = False
    media_type: str = FHIR_JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The bytes of the body, none without one."""
        return self.body.content if self.body else b""
