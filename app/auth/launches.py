"""EHR launch: a record system says what an app is opened with, and gets a handle to pass on.

https://hl7.org/fhir/smart-app-launch/app-launch.html#launch-app-ehr-launch,
https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#launch-context-arrives-with-your-access_token
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from app.auth.access_token import authenticate
from app.auth.accounts import find_account
from app.auth.authority import Authority
from app.auth.clients import find_client
from app.auth.dpop import Presented
from app.auth.errors import InvalidRequest, UnauthorizedClient
from app.auth.handles import digest, new_handle
from app.storage.database import Connection, Database

LAUNCH = "__launch"
LIFETIME = 300
"""Seconds until the app must have come back with the handle."""

ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
REFERENCE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}")
INTENT = re.compile(r"[\x21-\x7e]{1,256}")
MEMBERS = frozenset(
    {"client_id", "username", "patient", "encounter", "fhirContext", "intent"}
    | {"need_patient_banner", "tenant"}
)
IDENTIFYING = frozenset({"reference", "canonical", "identifier"})
"""Of which each member of fhirContext has one at least."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What an app is opened with: `patient` is a logical id, `username` the only one who may.

    `context` are the further members of the token response.
    """

    client_id: str
    username: str | None = None
    patient: str | None = None
    context: dict[str, Any] = field(default_factory=dict)


async def register_launch(
    authority: Authority, authorization: str | None, asked: Any, presented: Presented | None = None
) -> tuple[str, str, Launch]:
    """Register a launch; answers who did, the handle and what it stands for.

    Raises Unauthorized or UnauthorizedClient without a token that has the scope `__launch`,
    InvalidRequest for what no launch can have.
    """
    caller = await authenticate(authority, authorization, presented)
    if LAUNCH not in caller.extra_scopes:
        raise UnauthorizedClient(f"the access token has no scope {LAUNCH}")
    launch = read_launch(asked)
    if await find_client(authority.database, launch.client_id) is None:
        raise InvalidRequest("client_id names no registered app")
    if launch.username and await find_account(authority.database, launch.username) is None:
        raise InvalidRequest("username names no account")
    handle = new_handle()
    await authority.database.execute(
        "INSERT INTO launch_context (id, client_id, username, context, expires)"
        " VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))",
        digest(handle),
        launch.client_id,
        launch.username,
        json.dumps({"patient": launch.patient, "context": launch.context}),
        LIFETIME,
    )
    return caller.client_id, handle, launch


def read_launch(asked: Any) -> Launch:
    """A launch as a record system posts it. Raises InvalidRequest."""
    if not isinstance(asked, dict) or set(asked) - MEMBERS:
        raise InvalidRequest(f"a launch is a JSON object of {', '.join(sorted(MEMBERS))}")
    for name in ("client_id", "username"):
        if not isinstance(asked.get(name, "x"), str) or not asked.get(name, "x").isprintable():
            raise InvalidRequest(f"{name} is a text")
    if "client_id" not in asked:
        raise InvalidRequest("client_id is missing: the app to be opened")
    for name in ("patient", "encounter"):
        if not _is(ID, asked.get(name, "x")):
            raise InvalidRequest(f"{name} is a logical id")
    if not _is(INTENT, asked.get("intent", "x")):
        raise InvalidRequest("intent is a word")
    if not _is(INTENT, asked.get("tenant", "x")):
        raise InvalidRequest("tenant is a word")
    if not isinstance(asked.get("need_patient_banner", True), bool):
        raise InvalidRequest("need_patient_banner is true or false")
    _check_fhir_context(asked.get("fhirContext", []))
    names = ("encounter", "fhirContext", "intent", "need_patient_banner", "tenant")
    context = {name: asked[name] for name in names if name in asked}
    return Launch(asked["client_id"], asked.get("username"), asked.get("patient"), context)


def _check_fhir_context(value: Any) -> None:
    """https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#fhir-context-objects"""
    if not isinstance(value, list) or len(value) > 50:
        raise InvalidRequest("fhirContext is an array")
    for item in value:
        if not isinstance(item, dict) or set(item) - IDENTIFYING - {"role", "type"}:
            raise InvalidRequest("each of fhirContext is an object, perhaps with role and type")
        if not IDENTIFYING.intersection(item) or not _is(REFERENCE, item.get("reference", "Any/x")):
            raise InvalidRequest("each of fhirContext has a reference, canonical or identifier")
        texts = [*_identifier(item).values(), *(v for n, v in item.items() if n != "identifier")]
        if not all(isinstance(each, str) and each.isprintable() for each in texts):
            raise InvalidRequest("the members of fhirContext are printable texts")
        if not re.fullmatch(r"launch|[A-Za-z][A-Za-z0-9+.-]*:\S+", item.get("role", "launch")):
            raise InvalidRequest("a role in fhirContext is launch or an absolute URI")
        # "fhirContext SHALL NOT include Patient or Encounter" except in another role.
        kinds = {item.get("type", "").rpartition("/")[2], item.get("reference", "").split("/")[0]}
        if kinds & {"Patient", "Encounter"} and item.get("role", "launch") == "launch":
            raise InvalidRequest("patient and encounter have members of their own")


def _identifier(item: dict[str, Any]) -> dict[str, Any]:
    """The system and value by which a member of fhirContext names something."""
    found = item.get("identifier", {})
    if not isinstance(found, dict) or set(found) - {"system", "value"}:
        raise InvalidRequest("an identifier in fhirContext has system and value")
    return found


def _is(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


async def find_launch(database: Database, handle: str, client_id: str) -> Launch | None:
    """The launch a handle stands for, as long as it was not used."""
    row = await database.fetchrow(
        "SELECT client_id, username, context FROM launch_context"
        " WHERE id = $1 AND client_id = $2 AND expires > now()",
        digest(handle),
        client_id,
    )
    if row is None:
        return None
    kept = json.loads(row["context"])
    return Launch(row["client_id"], row["username"], kept["patient"], kept["context"])


async def use_up(connection: Connection, handle: str) -> bool:
    """Whether the launch was still unused: it works once."""
    row = await connection.fetchrow(
        "DELETE FROM launch_context WHERE id = $1 AND expires > now() RETURNING id",
        digest(handle),
    )
    return row is not None
