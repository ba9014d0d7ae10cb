"""People who can sign in, and tokens that an operator issues for them or for a client."""

import re
from dataclasses import dataclass, replace

import asyncpg

from app.auth.access_token import AccessToken, Grant, issue
from app.auth.authority import Authority, Event
from app.auth.clients import find_client
from app.auth.passwords import hash_password
from app.auth.roles import check_role
from app.auth.token import grantable
from app.fhir.ids import new_id
from app.storage.database import Database

MIN_PASSWORD, MAX_PASSWORD = 8, 1_024
OPERATOR_LIFETIME = 3_600
"""Seconds of a token printed for an operator; SMART: an access token lives an hour at most."""

_FHIR_USER = re.compile(
    r"(Patient|Practitioner|PractitionerRole|RelatedPerson|Person)/[A-Za-z0-9.-]{1,64}"
)
_USERNAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,128}")
_PATIENT = re.compile(r"(?:Patient/)?([A-Za-z0-9.-]{1,64})")


class InvalidAccount(ValueError):
    """The account cannot be made like this; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account: bound to one FHIR identity and one role."""

    username: str
    fhir_user: str
    role: str
    organization: str | None = None


async def create_account(
    database: Database, username: str, password: str, fhir_user: str, role: str
) -> Account:
    """Make an account; `fhir_user` is the reference of who the person is. Raises InvalidAccount."""
    try:
        check_role(role)
    except ValueError as error:
        raise InvalidAccount(str(error)) from error
    if not _USERNAME.fullmatch(username):
        raise InvalidAccount("a username has 1 to 128 characters and no blanks")
    if not _FHIR_USER.fullmatch(fhir_user):
        raise InvalidAccount("the FHIR user is a reference to a person, as Practitioner/<id>")
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidAccount(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    try:
        await database.execute(
            "INSERT INTO account (username, password_hash, fhir_user, role)"
            " VALUES ($1, $2, $3, $4)",
            username,
            await hash_password(password),
            fhir_user,
            role,
        )
    except asyncpg.UniqueViolationError as error:
        raise InvalidAccount("an account with this username exists") from error
    return Account(username, fhir_user, role)


async def find_account(database: Database, username: str) -> Account | None:
    """The account of a username as it is now."""
    row = await database.fetchrow(
        "SELECT username, fhir_user, role, organization FROM account WHERE username = $1",
        username,
    )
    return Account(**dict(row)) if row else None


async def issue_for(
    authority: Authority,
    client_id: str,
    *,
    scope: str | None = None,
    user: str | None = None,
    patient: str | None = None,
) -> AccessToken:
    """A token for operators and tests: for a client, or for a user of it, within the registration.

    Without `scope` the whole registration. The user's role takes the place of the client's.
    Raises LookupError for an unknown client or user, ValueError for a patient that is no id,
    InvalidScope for more than the client is registered for.
    """
    client = await find_client(authority.database, client_id)
    account = await find_account(authority.database, user) if user else None
    if client is None or (user and account is None):
        raise LookupError(f"no {'client' if client is None else 'account'} has this name")
    match = _PATIENT.fullmatch(patient) if patient else None
    if patient and match is None:
        raise ValueError("a patient is a logical id")
    actor = account or client
    grant = Grant(
        client_id=client.id,
        scope=grantable(client, scope or client.scope, ("system", "user", "patient")),
        role=actor.role,
        organization=actor.organization,
        purpose=client.purpose,
        user=user,
        fhir_user=account.fhir_user if account else None,
        patient=match[1] if match else None,
    )
    issued = await issue(authority, grant, OPERATOR_LIFETIME)
    event = Event("token", new_id(), client_id=client.id, scope=issued.scope)
    await authority.audit(replace(event, token_id=issued.id, user=user))
    return issued
