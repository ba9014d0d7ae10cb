"""Accounts of people who can sign in: a name, a password, one FHIR identity, one role."""

import re
from dataclasses import dataclass

import asyncpg

from app.auth.passwords import hash_password, is_password
from app.auth.roles import check_role
from app.storage.database import Database

MIN_PASSWORD, MAX_PASSWORD = 8, 1_024

_FHIR_USER = re.compile(
    r"(Patient|Practitioner|PractitionerRole|RelatedPerson|Person)/[A-Za-z0-9.-]{1,64}"
)
_USERNAME = re.compile(r"[^\s\x00-\x1f\x7f\ud800-\udfff]{1,128}")


class InvalidAccount(ValueError):
    """The account cannot be made like this; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account: bound to one FHIR identity and one role.

    `subject` is what apps know the person by: never the name they sign in with.
    """

    username: str
    fhir_user: str
    role: str
    subject: str
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
    hash_ = await _hash(password)
    try:
        subject = await database.fetchval(
            "INSERT INTO account (username, password_hash, fhir_user, role)"
            " VALUES ($1, $2, $3, $4) RETURNING subject",
            username,
            hash_,
            fhir_user,
            role,
        )
    except asyncpg.UniqueViolationError as error:
        raise InvalidAccount("an account with this username exists") from error
    return Account(username, fhir_user, role, subject)


async def change_password(database: Database, username: str, password: str) -> None:
    """Give an account another password. Raises InvalidAccount, LookupError."""
    hash_ = await _hash(password)
    sql = "UPDATE account SET password_hash = $2 WHERE username = $1 RETURNING username"
    if await database.fetchval(sql, username, hash_) is None:
        raise LookupError("no account has this username")


async def _hash(password: str) -> str:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidAccount(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    return await hash_password(password)


async def proven_account(database: Database, username: str, password: str) -> Account | None:
    """The account these belong to; None when there is none, after the same time."""
    hash_ = None
    if is_plausible := bool(_USERNAME.fullmatch(username)) and len(password) <= MAX_PASSWORD:
        sql = "SELECT password_hash FROM account WHERE username = $1"
        hash_ = await database.fetchval(sql, username)
    is_right = await is_password(password[:MAX_PASSWORD], hash_)
    return await find_account(database, username) if is_plausible and is_right else None


async def find_account(database: Database, username: str) -> Account | None:
    """The account of a username as it is now."""
    row = await database.fetchrow(
        "SELECT username, fhir_user, role, subject, organization FROM account WHERE username = $1",
        username,
    )
    return Account(**dict(row)) if row else None
