"""The commands for accounts there are: another password, none any more."""

import sys
from typing import Annotated

import typer

from app.auth.accounts import InvalidAccount, change_password
from app.auth.approvals import end_with_account
from app.auth.authority import Authority
from app.auth.external_accounts import bind
from app.fhir.engine import Engine
from app.opening import Work, chosen_beside, fail, perform


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


def _perform(work: Work[None]) -> None:
    try:
        perform(chosen_beside(), work, is_owner=True)
    except (InvalidAccount, LookupError, ValueError) as error:
        fail(str(error.args[0]))
