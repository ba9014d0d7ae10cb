"""Whose account somebody is whom another provider vouches for: by (issuer, subject) and no other.

Never by an e-mail address or a name, which a provider may give to somebody else later.
https://openid.net/specs/openid-connect-core-1_0.html#ClaimStability
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from app.auth.accounts import Account, InvalidAccount, create_account, find_account
from app.auth.authority import Authority
from app.auth.external_token import Untrusted, fhir_user, role
from app.auth.handles import new_handle
from app.auth.issuers import Issuer
from app.storage.database import Database


async def bind(database: Database, issuer: str, subject: str, username: str) -> None:
    """Let whom an issuer knows as this subject sign in to an account.

    Raises LookupError for an unknown account; ValueError where the subject has another one.
    """
    if await find_account(database, username) is None:
        raise LookupError("no account has this username")
    bound = await database.fetchval(
        "INSERT INTO external_identity (issuer, subject, username) VALUES ($1, $2, $3)"
        " ON CONFLICT (issuer, subject) DO UPDATE SET subject = excluded.subject"
        " RETURNING username",
        issuer,
        subject,
        username,
    )
    if bound != username:
        raise ValueError("this subject is bound to another account")


async def account_of(authority: Authority, issuer: Issuer, claims: Mapping[str, Any]) -> Account:
    """The account of who signed in there. Raises Untrusted when there is none."""
    database, subject = authority.database, claims["sub"]
    found = await _bound(database, issuer.issuer, subject)
    if issuer.sign_in is None or not issuer.sign_in.makes_accounts:
        if found is None:
            raise Untrusted("nobody here is known by this subject; see `isp user bind`")
        return found
    person = fhir_user(issuer, claims, authority.audience)
    if person is None:
        raise Untrusted("the id token does not say who it is (fhirUser)")
    acts_as = role(issuer, claims)
    made = found or await _make(database, issuer, claims, person, acts_as)
    # An account is one person in one role: what the provider says now must still be that.
    if (made.fhir_user, made.role) != (person, acts_as):
        raise Untrusted("the account is of another person or role than the id token says")
    return made


async def _bound(database: Database, issuer: str, subject: str) -> Account | None:
    username = await database.fetchval(
        "SELECT username FROM external_identity WHERE issuer = $1 AND subject = $2",
        issuer,
        subject,
    )
    return await find_account(database, username) if username else None


async def _make(
    database: Database, issuer: Issuer, claims: Mapping[str, Any], person: str, acts_as: str
) -> Account:
    """A new account with a password that nobody knows."""
    name = claims.get("preferred_username", claims["sub"])
    username = f"{name}@{urlsplit(issuer.issuer).netloc}"
    try:
        made = await create_account(database, username, new_handle(), person, acts_as)
        await bind(database, issuer.issuer, claims["sub"], username)
    except (InvalidAccount, ValueError, asyncpg.PostgresError) as error:
        raise Untrusted("no account could be made of what the id token says") from error
    return made
