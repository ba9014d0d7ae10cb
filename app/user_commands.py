"""The commands for accounts: invite, list, lock, change the password, remove."""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from app.auth.account_state import listed, set_email, set_locked
from app.auth.accounts import Account, InvalidAccount, change_password, find_account
from app.auth.approvals import end_with_account
from app.auth.authority import Authority, Event
from app.auth.external_accounts import bind
from app.auth.invitations import invite
from app.auth.links import Invitation
from app.auth.mail import MailFailed, is_address
from app.auth.notices import notify
from app.auth.pages import LANGUAGES
from app.auth.second_factor import remove_all
from app.fhir.engine import Engine
from app.fhir.ids import new_id
from app.opening import Work, chosen_beside, fail, perform
from app.unknown import warn_of_unknown


def asked_password(*, is_piped: bool) -> str:
    """A password from standard input, or asked for twice."""
    if is_piped:
        return sys.stdin.readline().rstrip("\n")
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked


def password_command(
    username: Annotated[str, typer.Option()],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Give an account another password, and end its sessions and what it approved."""
    password = asked_password(is_piped=password_stdin)

    async def work(engine: Engine, authority: Authority) -> None:
        await change_password(engine.database, username, password)
        await end_with_account(authority, username, is_removed=False)

    _perform(work)


def remove_command(username: Annotated[str, typer.Option()]) -> None:
    """Remove an account, and end its sessions and what it approved."""

    async def work(_: Engine, authority: Authority) -> None:
        await end_with_account(authority, username, is_removed=True)

    _perform(work)


def bind_command(
    username: Annotated[str, typer.Option()],
    issuer: Annotated[str, typer.Option(help="The issuer, as in ISP_EXTERNAL_ISSUERS.")],
    subject: Annotated[str, typer.Option(help="Its sub of the person.")],
) -> None:
    """Let whom another OpenID provider knows as this subject sign in to an account."""

    async def work(engine: Engine, authority: Authority) -> None:
        if authority.providers.issuers.find(issuer) is None:
            raise LookupError("ISP_EXTERNAL_ISSUERS names no such issuer")
        await bind(engine.database, issuer, subject, username)

    _perform(work)


def invite_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    email: Annotated[str, typer.Option(help="Where the link is sent.")],
    fhir_user: Annotated[str, typer.Option(help="Who it is, as Practitioner/ID.")],
    role: Annotated[str, typer.Option(help="Role the person acts in.")],
    username: Annotated[str | None, typer.Option(help="Without: the mail address.")] = None,
    organization: Annotated[str | None, typer.Option(help="Organization/ID they act for.")] = None,
    language: Annotated[str, typer.Option(help="Of the mail: en or es.")] = LANGUAGES[0],
) -> None:
    """Mail somebody a link with which they choose a password; the account is made then."""
    if language not in LANGUAGES:
        fail(f"the language is one of {', '.join(LANGUAGES)}")
    invitation = Invitation(username or email, email, fhir_user, role, organization)

    async def work(engine: Engine, authority: Authority) -> None:
        await invite(authority, invitation, language)
        await warn_of_unknown(engine, fhir_user, organization)
        await _recorded(authority, "invite", fhir_user, role)

    _perform(work, is_owner=False)
    typer.echo(json.dumps({"username": invitation.username, "mailed": email}))


def list_command() -> None:
    """Print every account there is; no passwords."""

    async def work(engine: Engine, _: Authority) -> list[dict[str, Any]]:
        return [asdict(one) for one in await listed(engine.database)]

    typer.echo(json.dumps(perform(chosen_beside(), work), indent=2, default=datetime.isoformat))


def lock_command(username: Annotated[str, typer.Option()]) -> None:
    """Let an account sign in no more, and end its sessions and what it approved."""

    async def work(_: Engine, authority: Authority) -> None:
        account = await _known(authority, username)
        await set_locked(authority.database, account.subject, is_locked=True)
        await end_with_account(authority, username, is_removed=False)
        await _recorded(authority, "account", account.subject, "lock")

    _perform(work, is_owner=False)


def unlock_command(username: Annotated[str, typer.Option()]) -> None:
    """Let a locked account sign in again."""

    async def work(_: Engine, authority: Authority) -> None:
        account = await _known(authority, username)
        await set_locked(authority.database, account.subject, is_locked=False)
        await _recorded(authority, "account", account.subject, "unlock")

    _perform(work, is_owner=False)


def forget_factors_command(username: Annotated[str, typer.Option()]) -> None:
    """Take the authenticator app and the passkeys of an account away, and end its sessions."""

    async def work(_: Engine, authority: Authority) -> None:
        account = await _known(authority, username)
        await remove_all(authority.database, account.subject)
        await end_with_account(authority, username, is_removed=False)
        await notify(authority, account, "forgotten", LANGUAGES[0])
        await _recorded(authority, "account", account.subject, "forget")

    _perform(work, is_owner=False)


def email_command(
    username: Annotated[str, typer.Option()],
    email: Annotated[str, typer.Option(help="Where links for a new password are sent.")],
) -> None:
    """Note the mail address of an account."""
    if not is_address(email):
        fail("the mail address is not one")

    async def work(_: Engine, authority: Authority) -> None:
        account = await _known(authority, username)
        await set_email(authority.database, account.subject, email)
        await _recorded(authority, "account", account.subject, "email")

    _perform(work, is_owner=False)


async def _known(authority: Authority, username: str) -> Account:
    account = await find_account(authority.database, username)
    if account is None:
        raise LookupError("no account has this username")
    return account


async def _recorded(authority: Authority, action: str, about: str, description: str) -> None:
    event = Event(action, new_id(), role="operator", about=about, description=description)
    await authority.audit(event)


def _perform(work: Work[None], *, is_owner: bool = True) -> None:
    try:
        perform(chosen_beside(), work, is_owner=is_owner)
    except (InvalidAccount, LookupError, MailFailed, ValueError) as error:
        fail(str(error.args[0]))
