"""The command line: `isp`, also `python -m app`."""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from socket import socket as Socket
from typing import Annotated, Any

import typer
import uvloop

from app import client_commands, user_commands
from app.audit_commands import audit
from app.auth.accounts import InvalidAccount, check_account, create_account
from app.auth.authority import Authority
from app.auth.errors import OAuthError
from app.auth.operator_tokens import issue_for
from app.fhir.dispatch import ROUTES
from app.fhir.engine import Engine
from app.fhir.errors import FHIRError
from app.fhir.indexing import index
from app.fhir.openapi import openapi_json
from app.fhir.reindex import reindex
from app.isp.report import report
from app.jobs.clock import tick
from app.loading import Report, load
from app.main import OPERATIONS
from app.opening import chosen, chosen_beside, database, fail, json_file, opened, perform
from app.publishing import publish
from app.reading import find, read
from app.serving import configuration, ignore_signals, serve, stop_on_sigterm
from app.settings import Settings, documentation
from app.storage.migrate import is_empty
from app.unknown import warn_of_unknown
from app.user_commands import asked_password, bind_command, password_command, remove_command
from app.welcome import demonstrate, introduction, welcome

main = typer.Typer(
    help="A FHIR R4 server for one shared Individualized Service Plan. Settings: ISP_* variables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
client = typer.Typer(help="Applications that may ask for tokens.", no_args_is_help=True)
user = typer.Typer(help="People who can sign in.", no_args_is_help=True)
main.add_typer(client, name="client")
main.add_typer(user, name="user")
main.add_typer(audit, name="audit")
main.add_typer(client_commands.keys, name="keys")
user.command("password")(password_command)
user.command("remove")(remove_command)
user.command("bind")(bind_command)
user.command("invite")(user_commands.invite_command)
user.command("list")(user_commands.list_command)
user.command("lock")(user_commands.lock_command)
user.command("unlock")(user_commands.unlock_command)
user.command("email")(user_commands.email_command)
user.command("forget-factors")(user_commands.forget_factors_command)
client.command("create")(client_commands.create_command)
client.command("pending")(client_commands.pending_command)
client.command("approve")(client_commands.approve_command)
client.command("list")(client_commands.list_command)
client.command("remove")(client_commands.remove_command)
client.command("rotate-secret")(client_commands.rotate_secret_command)
client.command("limit")(client_commands.limit_command)


@main.command("serve")
def serve_command(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    demo: Annotated[bool, typer.Option(help="Load a demonstration if there is no data.")] = False,
) -> None:
    """Serve until Ctrl-C or SIGTERM; prints `Ready: <FHIR base URL>` when requests succeed."""
    settings = chosen(host=host, port=port, workers=workers)
    stop_on_sigterm()
    is_started = True
    try:
        socket = _bound(settings)
        with database(settings) as running:
            text = uvloop.run(_greeting(running, is_demo=demo))
            is_started = serve(running, socket, text)
            ignore_signals()
    except KeyboardInterrupt:
        pass
    raise SystemExit(0 if is_started else 3)


def _bound(settings: Settings) -> Socket:
    """The socket to serve on; ends the command where there is none to be had."""
    try:
        return configuration(settings).bind_socket()
    except SystemExit:
        # uvicorn has logged why, and would leave it at that.
        fail(
            f"cannot listen on {settings.host}:{settings.port};"
            " --port or ISP_PORT names another port"
        )


async def _greeting(settings: Settings, *, is_demo: bool) -> str:
    """What to print when ready, after the demonstration was loaded where it is wanted."""
    async with opened(settings) as (engine, authority):
        if is_demo and await is_empty(settings.database_url):
            _complete(await demonstrate(engine), "the demonstration was")
        _complete(await publish(engine), "a definition was")
        return await welcome(settings, authority) if is_demo else introduction(settings)


def _complete(report: Report, what: str) -> None:
    if report.refused:
        fail(f"{what} refused: {json.dumps(report.refused[0])}")


@main.command("migrate")
def migrate_command() -> None:
    """Bring the database to this version's tables, and what is published in it up to date."""

    async def work(engine: Engine, _: Authority) -> None:
        _complete(await publish(engine), "a definition was")

    perform(chosen_beside(), work)


@main.command("load")
def load_command(
    paths: list[Path],
    as_recorded: Annotated[
        bool,
        typer.Option(
            "--as-recorded",
            help="Take plans in force as another system had them, signed here or not.",
        ),
    ] = False,
) -> None:
    """Store resources from files and folders: JSON, Bundles, NDJSON, also gzipped; FHIR packages.

    Prints a JSON summary that names every refused resource; exit status 1 if there is any.
    """
    try:
        files = find(paths)
    except FileNotFoundError as error:
        fail(str(error))

    async def work(engine: Engine, _: Authority) -> Report:
        total = sum(file.stat().st_size for file in files)
        with typer.progressbar(
            length=total, label="Loading", file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as bar:
            items = read(files, engine.base_url, bar.update)
            return await load(engine, items, is_as_recorded=as_recorded)

    report = perform(chosen_beside(), work)
    _print(report.to_json())
    raise SystemExit(1 if report.refused else 0)


@user.command("create")
def create_user_command(
    username: Annotated[str, typer.Option()],
    fhir_user: Annotated[str, typer.Option(help="Who it is, as Practitioner/ID.")],
    role: Annotated[str, typer.Option(help="Role the person acts in.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Make an account; asks for the password unless it comes by standard input."""

    async def work(engine: Engine, _: Authority) -> dict[str, Any]:
        made = await create_account(engine.database, username, password, fhir_user, role)
        await warn_of_unknown(engine, made.fhir_user)
        return {"username": made.username, "fhirUser": made.fhir_user, "role": made.role}

    try:
        check_account(username, fhir_user, role)
        password = asked_password(is_piped=password_stdin)
        _print(perform(chosen_beside(), work))
    except InvalidAccount as error:
        fail(str(error))


@main.command("token")
def token_command(
    client: Annotated[str, typer.Option(help="A client_id.")],
    scope: Annotated[str | None, typer.Option(help="Without: all the client may have.")] = None,
    user: Annotated[str | None, typer.Option(help="A username.")] = None,
    patient: Annotated[str | None, typer.Option(help="The id of the patient in context.")] = None,
) -> None:
    """Print an access token for a client, or for a user of it; for operators and tests."""

    async def work(_: Engine, authority: Authority) -> str:
        issued = await issue_for(authority, client, scope=scope, user=user, patient=patient)
        return issued.token

    try:
        typer.echo(perform(chosen_beside(), work))
    except OAuthError as error:
        fail(error.description)
    except (LookupError, ValueError) as error:
        fail(str(error.args[0]))


@main.command("reindex")
def reindex_command() -> None:
    """Derive what search and access rules read anew from every resource, and index what operators
    registered; prints how many."""

    async def work(engine: Engine, _: Authority) -> dict[str, int]:
        return {"reindexed": await reindex(engine), "registered": await index(engine)}

    _print(perform(chosen_beside(), work, is_owner=True))


@main.command("clock")
def clock_command() -> None:
    """Schedule missing reviews and renewals, mark what is overdue; the server does so by itself."""

    async def work(engine: Engine, _: Authority) -> dict[str, int]:
        return asdict(await tick(engine))

    _print(perform(chosen_beside(), work))


@main.command("openapi")
def openapi_command() -> None:
    """Print openapi/openapi.json."""
    typer.echo(openapi_json(ROUTES, OPERATIONS), nl=False)


@main.command("check")
def check_command(
    file: Annotated[Path, typer.Argument(help="A Bundle with a plan.")],
    rules: Annotated[str, typer.Option(help="A rule profile, overlays after a comma.")] = "core",
    on: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"])] = None,
) -> None:
    """Say what a drafted plan lacks, in plain words; needs no server. Exit status 1: errors."""
    try:
        text, is_free_of_errors = report(json_file(file), rules, (on or datetime.now()).date())
    except FHIRError as error:
        fail("; ".join(f"{', '.join(i.expression)}: {i.diagnostics}" for i in error.issues))
    except LookupError as error:
        fail(str(error.args[0]))
    typer.echo(text)
    raise SystemExit(0 if is_free_of_errors else 1)


@main.command("settings")
def settings_command() -> None:
    """Print docs/settings.md."""
    typer.echo(documentation(), nl=False)


def _print(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
