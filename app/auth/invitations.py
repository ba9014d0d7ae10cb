"""Accounts by mail: who is invited chooses a password, and so does who forgot theirs."""

import logging
from dataclasses import replace

from app.auth.account_state import reachable, set_email, set_password
from app.auth.accounts import (
    Account,
    InvalidAccount,
    Taken,
    account_of,
    check_account,
    check_organization,
    find_account,
    hashed,
    insert_account,
)
from app.auth.approvals import end_with_account
from app.auth.authority import Authority, Event
from app.auth.links import Invitation, Link, find_link, issue_link, use_up, withdraw
from app.auth.mail import MailFailed, Message, is_address
from app.auth.pages import say
from app.storage.database import Connection

log = logging.getLogger(__name__)


class LinkGone(LookupError):
    """The link is unknown, was used, or has expired."""


async def invite(authority: Authority, invitation: Invitation, language: str) -> None:
    """Mail somebody a link to an account of their own. Raises InvalidAccount, MailFailed."""
    check_account(invitation.username, invitation.fhir_user, invitation.role)
    check_organization(invitation.organization)
    if not is_address(invitation.email):
        raise InvalidAccount("the mail address is not one")
    if await find_account(authority.database, invitation.username):
        raise Taken("an account with this username exists")
    url = await issue_link(authority, Link(invitation=invitation))
    words = {"url": url, "username": invitation.username}
    await authority.mail.send(_mail("invitation", language, invitation.email, words))


async def offer_reset(authority: Authority, event: Event, named: str, language: str) -> None:
    """Mail a link to whoever is meant, if anybody: nobody is told which, so nothing is raised."""
    for username, subject, email in await reachable(authority.database, named):
        url = await issue_link(authority, Link(subject=subject))
        words = {"url": url, "username": username}
        error = None
        try:
            await authority.mail.send(_mail("reset", language, email, words))
        except MailFailed as failed:
            log.error("a mail for a new password was not sent: %s", failed)
            error = "server_error"
        await authority.audit(replace(event, about=subject, error=error))


def _mail(kind: str, language: str, to: str, words: dict[str, str]) -> Message:
    subject, text = say(language, f"mail.{kind}.subject"), say(language, f"mail.{kind}", **words)
    return Message(to, subject, text)


async def _insert(connection: Connection, invitation: Invitation, hash_: str) -> Account:
    try:
        account = await insert_account(connection, invitation, hash_)
    except Taken as error:
        raise LinkGone("somebody took the username meanwhile") from error
    await set_email(connection, account.subject, invitation.email)
    return account


async def redeem(authority: Authority, token: str, password: str) -> Account:
    """Do what a link is for, with this password: one of any number of attempts succeeds.

    With a new password all sessions, approvals and other links end. Raises LinkGone;
    InvalidAccount for a password that cannot be, which costs nothing.
    """
    link = await find_link(authority.database, token)
    if link is None:
        raise LinkGone("the link is unknown, was used, or has expired")
    hash_ = await hashed(password, link.invitation.username if link.invitation else "")
    async with authority.database.transaction() as connection:
        if await use_up(connection, token) is None:
            raise LinkGone("the link was used")
        if link.invitation:
            return await _insert(connection, link.invitation, hash_)
        subject = str(link.subject)
        await set_password(connection, subject, hash_)
        await withdraw(connection, subject)
    account = await account_of(authority.database, subject)
    await end_with_account(authority, account.username, is_removed=False)
    return account
