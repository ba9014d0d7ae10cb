"""The commands for clients, however they were registered, and for the keys that sign."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from app.auth.authority import Authority, Event
from app.auth.client_terms import OVERLAP, expiring, limit_rate, rotate_secret
from app.auth.clients import (
    Client,
    InvalidRegistration,
    Registration,
    create_client,
    list_clients,
)
from app.auth.jose import InvalidKey
from app.auth.keys import rotate
from app.auth.registrations import approve_client, pending, remove_client
from app.fhir.engine import Engine
from app.fhir.ids import new_id
from app.opening import chosen_beside, fail, json_file, perform
from app.unknown import warn_of_unknown

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


def create_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    name: Annotated[str, typer.Option()],
    scope: Annotated[str, typer.Option(help="The most it may ever ask for.")],
    jwks: Annotated[Path | None, typer.Option(help="File with its public keys.")] = None,
    jwks_url: Annotated[str | None, typer.Option(help="Where its public keys are.")] = None,
    secret: Annotated[bool, typer.Option("--secret", help="Give it a secret.")] = False,
    expires_days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Days that the secret counts.")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="It cannot keep a secret.")] = False,
    redirect_uri: Annotated[list[str] | None, typer.Option()] = None,
    organization: Annotated[str | None, typer.Option(help="Organization/ID it acts for.")] = None,
    role: Annotated[str, typer.Option(help="Role it acts in.")] = "partner-system",
    purpose: Annotated[str | None, typer.Option(help="v3-ActReason code.")] = None,
    client_id: Annotated[str | None, typer.Option("--id", help="Its client_id.")] = None,
    require_par: Annotated[
        bool, typer.Option("--require-par", help="It has to push its authorization requests.")
    ] = False,
    dpop_bound: Annotated[
        bool, typer.Option("--dpop-bound", help="Its tokens work with its DPoP key only.")
    ] = False,
) -> None:
    """Register an application; prints its registration, with the secret this one time."""
    asked = Registration(
        name=name,
        scope=scope,
        role=role,
        auth_method=_method(jwks or jwks_url, secret=secret, public=public),
        organization=organization,
        purpose=purpose,
        jwks=json_file(jwks) if jwks else None,
        jwks_url=jwks_url,
        redirect_uris=tuple(redirect_uri or ()),
        client_id=client_id,
        require_pushed_authorization_requests=require_par,
        dpop_bound_access_tokens=dpop_bound,
        secret_days=expires_days,
    )

    async def work(engine: Engine, authority: Authority) -> dict[str, Any]:
        made, new_secret = await create_client(engine.database, asked)
        await warn_of_unknown(engine, made.organization)
        _warn_of_nobody(made)
        return _registered(authority, made, new_secret)

    try:
        _print(perform(chosen_beside(), work))
    except (InvalidRegistration, InvalidKey) as error:
        fail(str(error))


def _method(keys: object, *, secret: bool, public: bool) -> str:
    """How the client authenticates, a code of RFC 7591."""
    methods = {"private_key_jwt": bool(keys), "client_secret_basic": secret, "none": public}
    asked = [method for method, is_asked in methods.items() if is_asked]
    if len(asked) != 1:
        fail("give one of --jwks, --jwks-url, --secret, --public")
    return asked[0]


def _warn_of_nobody(made: Client) -> None:
    """An operator finds out here, not by the first 403, that a client acts for nobody."""
    if made.organization is None and made.role != "operator" and "system/" in made.scope:
        sys.stderr.write(
            "isp: warning: without --organization it opens nothing when it acts by itself\n"
        )


def _registered(authority: Authority, made: Client, secret: str | None) -> dict[str, Any]:
    found = {
        "client_id": made.id,
        "client_secret": secret,
        "client_name": made.name,
        "scope": made.scope,
        "role": made.role,
        "organization": made.organization,
        "token_endpoint_auth_method": made.auth_method,
        "redirect_uris": list(made.redirect_uris),
        "require_pushed_authorization_requests": made.require_pushed_authorization_requests or None,
        "dpop_bound_access_tokens": made.dpop_bound_access_tokens or None,
        "token_endpoint": authority.token_endpoint,
    }
    return {name: value for name, value in found.items() if value not in (None, [])}


def pending_command() -> None:
    """Print what asked to be registered and waits for approval."""

    async def work(engine: Engine, _: Authority) -> list[dict[str, Any]]:
        waiting = await pending(engine.database)
        return [
            {"client_id": each.client_id, "digest": each.digest}
            | {"requested": each.requested.isoformat()}
            | each.metadata
            for each in waiting
        ]

    _print(perform(chosen_beside(), work))


def approve_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    client_id: Annotated[str, typer.Argument(help="The client_id of a registration.")],
    shown: Annotated[str, typer.Argument(help="Its digest, as `isp client pending` showed it.")],
    scope: Annotated[str | None, typer.Option(help="The most it may ever ask for.")] = None,
    role: Annotated[str | None, typer.Option(help="Role it acts in by itself.")] = None,
    organization: Annotated[str | None, typer.Option(help="Organization/ID it acts for.")] = None,
    purpose: Annotated[str | None, typer.Option(help="v3-ActReason code.")] = None,
) -> None:
    """Make a client of what asked to be registered, as it asked unless options say otherwise."""
    changed = {"scope": scope, "role": role, "organization": organization, "purpose": purpose}

    async def work(engine: Engine, _: Authority) -> dict[str, Any]:
        made = await approve_client(engine.database, client_id, shown, **changed)
        await warn_of_unknown(engine, made.organization)
        return {"client_id": made.id, "client_name": made.name, "scope": made.scope}

    try:
        _print(perform(chosen_beside(), work))
    except (InvalidRegistration, LookupError) as error:
        fail(str(error.args[0]))


def list_command() -> None:
    """Print every client there is, with a warning where a secret ends; no secrets, no keys."""

    async def work(engine: Engine, _: Authority) -> list[dict[str, Any]]:
        found, now = await list_clients(engine.database), datetime.now(UTC)
        told = {one.client_id: one.told(now) for one in await expiring(engine.database)}
        return [_present(each | {"warning": told.get(each["client_id"])}) for each in found]

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


def rotate_secret_command(
    client_id: Annotated[str, typer.Argument(help="The client_id of a client with a secret.")],
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=2160, help="Hours that the secret before still counts.")
    ] = OVERLAP,
    expires_days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Days that the new one counts.")
    ] = None,
) -> None:
    """Give a client another secret; prints it this one time."""

    async def work(engine: Engine, authority: Authority) -> dict[str, Any]:
        secret = await rotate_secret(engine.database, client_id, overlap_hours, expires_days)
        await _recorded(authority, client_id, "secret rotated")
        found = {one["client_id"]: one for one in await list_clients(engine.database)}[client_id]
        return {"client_secret": secret} | _present(found)

    try:
        _print(perform(chosen_beside(), work, is_owner=True))
    except LookupError as error:
        fail(str(error.args[0]))


def limit_command(
    client_id: Annotated[str, typer.Argument(help="A client_id; elsewhere: issuer#client_id.")],
    per_minute: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Without: any number.")
    ] = None,
) -> None:
    """Say how many requests a client may make in a minute, on all workers together."""

    async def work(engine: Engine, authority: Authority) -> None:
        issuers = authority.providers.issuers
        await limit_rate(engine.database, client_id, per_minute, issuers)
        await _recorded(authority, client_id, "rate limited")

    try:
        perform(chosen_beside(), work)
    except LookupError as error:
        fail(str(error.args[0]))


async def _recorded(authority: Authority, client_id: str, description: str) -> None:
    event = Event("register", new_id(), role="operator", about=client_id, description=description)
    await authority.audit(event)


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, [])}


def _print(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=datetime.isoformat))
