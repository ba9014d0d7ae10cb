"""The commands for what registers itself, and for the keys that sign."""

import json
from typing import Annotated, Any

import typer

from app.auth.authority import Authority
from app.auth.clients import InvalidRegistration, list_clients
from app.auth.keys import rotate
from app.auth.registrations import approve_client, pending, remove_client
from app.fhir.engine import Engine
from app.opening import chosen_beside, fail, perform

keys = typer.Typer(help="Keys that sign tokens.", no_args_is_help=True)


@keys.command("rotate")
def rotate_command(
    compromised: Annotated[
        bool, typer.Option("--compromised", help="End every token signed so far, now.")
    ] = False,
) -> None:
    """Sign with new keys from now on; the old ones verify for another hour."""

    async def work(engine: Engine, _: Authority) -> str:
        return await rotate(engine.database, compromised=compromised)

    _print({"kid": perform(chosen_beside(), work)})


def pending_command() -> None:
    """Print what asked to be registered and waits for approval."""

    async def work(engine: Engine, _: Authority) -> list[dict[str, Any]]:
        waiting = await pending(engine.database)
        return [
            {"client_id": each.client_id, "requested": each.requested.isoformat()} | each.metadata
            for each in waiting
        ]

    _print(perform(chosen_beside(), work))


def approve_command(
    client_id: Annotated[str, typer.Argument(help="The client_id of a registration.")],
    scope: Annotated[str | None, typer.Option(help="The most it may ever ask for.")] = None,
    role: Annotated[str | None, typer.Option(help="Role it acts in by itself.")] = None,
    organization: Annotated[str | None, typer.Option(help="Organization/ID it acts for.")] = None,
    purpose: Annotated[str | None, typer.Option(help="v3-ActReason code.")] = None,
) -> None:
    """Make a client of what asked to be registered, as it asked unless options say otherwise."""
    changed = {"scope": scope, "role": role, "organization": organization, "purpose": purpose}

    async def work(engine: Engine, _: Authority) -> dict[str, Any]:
        made = await approve_client(engine.database, client_id, **changed)
        return {"client_id": made.id, "client_name": made.name, "scope": made.scope}

    try:
        _print(perform(chosen_beside(), work))
    except (InvalidRegistration, LookupError) as error:
        fail(str(error.args[0]))


def list_command() -> None:
    """Print every client there is; no secrets, no keys."""

    async def work(engine: Engine, _: Authority) -> list[dict[str, Any]]:
        found = await list_clients(engine.database)
        return [{k: v for k, v in each.items() if v not in (None, [])} for each in found]

    _print(perform(chosen_beside(), work))


def remove_command(
    client_id: Annotated[str, typer.Argument(help="The client_id of a client.")],
) -> None:
    """Remove a client: it gets no token any more, and what people approved for it ends."""

    async def work(_: Engine, authority: Authority) -> None:
        await remove_client(authority, client_id)

    try:
        perform(chosen_beside(), work, is_owner=True)
    except LookupError as error:
        fail(str(error.args[0]))


def _print(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
