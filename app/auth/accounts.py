"""Accounts of people who can sign in: a name, a password, one FHIR identity, one role."""

import re
from dataclasses import dataclass

import asyncpg

from app.auth.account_state import NOT_LOCKED, set_password
from app.auth.links import Invitation
from app.auth.passwords import hash_password, is_guessable, is_password
from app.auth.roles import check_role
from app.storage.database import Connection, Database

MIN_PASSWORD, MAX_PASSWORD = 8, 1_024

_FHIR_USER = re.compile(
    r"(Patient|Practitioner|PractitionerRole|RelatedPerson|Person)/[A-Za-z0-9.-]{1,64}"
)
_ORGANIZATION = re.compile(r"Organization/[A-Za-z0-9.-]{1,64}")
_USERNAME = re.compile(r"[^\s\x00-\x1f\x7f\ud800-\udfff]{1,128}")


class InvalidAccount(ValueError):
    """The account cannot be made like this; the message says what to change."""


class Taken(InvalidAccount):
    """Somebody has this username already."""


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
    check_account(username, fhir_user, role)
    hash_ = await hashed(password, username)
    return await insert_account(database, Invitation(username, "", fhir_user, role), hash_)


def check_account(username: str, fhir_user: str, role: str) -> None:
    """Refuse an account that could not work. Raises InvalidAccount."""
    try:
        check_role(role)
    except ValueError as error:
        raise InvalidAccount(str(error)) from error
    if not _USERNAME.fullmatch(username):
        raise InvalidAccount("a username has 1 to 128 characters and no blanks")
    if not _FHIR_USER.fullmatch(fhir_user):
        raise InvalidAccount("the FHIR user is a reference to a person, as Practitioner/<id>")


def check_organization(organization: str | None) -> None:
    """Refuse what is no reference to an organization. Raises InvalidAccount."""
    if organization is not None and not _ORGANIZATION.fullmatch(organization):
        raise InvalidAccount("the organization is a reference: Organization/<id>")


async def insert_account(store: Connection | Database, asked: Invitation, hash_: str) -> Account:
    """Write an account down, with the hash of its first password. Raises InvalidAccount."""
    try:
        subject = await store.fetchval(
            "INSERT INTO account (username, password_hash, fhir_user, role, organization)"
            " VALUES ($1, $2, $3, $4, $5) RETURNING subject",
            asked.username,
            hash_,
            asked.fhir_user,
            asked.role,
            asked.organization,
        )
    except asyncpg.UniqueViolationError as error:
        raise Taken("an account with this username exists") from error
    return Account(asked.username, asked.fhir_user, asked.role, subject, asked.organization)


async def change_password(database: Database, username: str, password: str) -> None:
    """Give an account another password. Raises InvalidAccount, LookupError."""
    hash_ = await hashed(password, username)
    account = await find_account(database, username)
    if account is None:
        raise LookupError("no account has this username")
    await set_password(database, account.subject, hash_)


async def hashed(password: str, username: str) -> str:
    """The hash of a password that somebody chose. Raises InvalidAccount for a poor one."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidAccount(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    if await is_guessable(password, username):
        raise InvalidAccount("the password is among the first that somebody would try")
    return await hash_password(password)


_HASH = (
    "SELECT coalesce(s.password_hash, a.password_hash) FROM account AS a"
    f" LEFT JOIN account_state AS s ON s.subject = a.subject WHERE username = $1 AND {NOT_LOCKED}"
)


async def proven_account(database: Database, username: str, password: str) -> Account | None:
    """The account these belong to; None when there is none, after the same time."""
    hash_ = None
    if is_plausible := bool(_USERNAME.fullmatch(username)) and len(password) <= MAX_PASSWORD:
        hash_ = await database.fetchval(_HASH, username)
    is_right = await is_password(password[:MAX_PASSWORD], hash_)
    return await find_account(database, username) if is_plausible and is_right else None


async def find_account(database: Database, username: str) -> Account | None:
    """The account of a username as it is now."""
    row = await database.fetchrow(f"{_ACCOUNT} WHERE username = $1", username)
    return Account(**dict(row)) if row else None


async def account_of(database: Database, subject: str) -> Account:
    """The account of a subject. Raises LookupError when it is gone."""
    row = await database.fetchrow(f"{_ACCOUNT} WHERE subject = $1", subject)
    if row is None:
        raise LookupError("no account has this subject")
    return Account(**dict(row))


_ACCOUNT = "SELECT username, fhir_user, role, subject, organization FROM account"
