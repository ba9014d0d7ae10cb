"""What every command needs: settings, a database that runs and is migrated, the engine."""

import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import asyncpg
import uvloop
from pydantic import ValidationError

from app import logs
from app.auth.authority import Authority
from app.auth.issuers import InvalidIssuers, read_issuers
from app.fhir.engine import Engine
from app.main import create_app
from app.serving import recorded_base_url
from app.settings import Settings
from app.storage.database import DatabaseAway
from app.storage.embedded import embedded
from app.storage.migrate import MigrationFailed, migrate
from app.storage.postmaster import EmbeddedError, login
from app.storage.roles import NotOwner

T = TypeVar("T")
Work = Callable[[Engine, Authority], Awaitable[T]]

ADDRESS = ("ISP_BASE_URL", "ISP_HOST", "ISP_PORT")


def fail(message: str) -> NoReturn:
    """Tell the operator what is wrong and end with status 2."""
    sys.stderr.write(f"isp: {message}\n")
    raise SystemExit(2)


def chosen(**flags: Any) -> Settings:
    """The settings of the environment, each flag that was given going first."""
    try:
        settings = Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        fail("; ".join(_told(each["loc"], each["msg"]) for each in error.errors()))
    try:
        read_issuers(settings.external_issuers, settings.issuer)
    except InvalidIssuers as error:
        fail(str(error))
    logs.configure(settings)
    return settings


def _told(location: tuple[int | str, ...], message: str) -> str:
    named = f"ISP_{str(location[0]).upper()}: " if location else ""
    return named + message.removeprefix("Value error, ")


def chosen_beside(**flags: Any) -> Settings:
    """The settings for a command beside a running server: the base URL is that server's."""
    settings = chosen(**flags)
    running = recorded_base_url(settings.data_dir)
    if running is None or any(name in os.environ for name in ADDRESS):
        return settings
    return chosen(base_url=running, allow_http=True, **flags)


@contextmanager
def database(settings: Settings, *, is_owner: bool = False) -> Iterator[Settings]:
    """The same settings with a `database_url` that leads to a running, migrated database.

    There the server's role works, or the owner of the tables.
    """
    try:
        migrated, role = settings.database_role, "" if is_owner else settings.database_role
        if settings.database_url:
            uvloop.run(migrate(settings.database_url, role=migrated))
            yield settings.model_copy(update={"database_role": role})
            return
        with embedded(settings.data_dir) as dsn:
            uvloop.run(migrate(dsn, role=migrated))
            found = {"database_url": login(dsn, role), "database_role": role}
            yield settings.model_copy(update=found)
    except (EmbeddedError, MigrationFailed, NotOwner) as error:
        fail(str(error))
    except (DatabaseAway, ConnectionError, asyncpg.PostgresError) as error:
        fail(f"the database cannot be used: {error or type(error).__name__}")


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Engine, Authority]]:
    """The engine and the authority exactly as the server has them."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app.state.engine, app.state.authority


def perform(settings: Settings, work: Work[T], *, is_owner: bool = False) -> T:
    """Do one piece of work on the database of these settings: as the server, or as its owner."""

    async def run(with_database: Settings) -> T:
        async with opened(with_database) as (engine, authority):
            return await work(engine, authority)

    with database(settings, is_owner=is_owner) as with_database:
        return uvloop.run(run(with_database))


def json_file(path: Path) -> Any:
    """The content of a JSON file; ends the command where it is none."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        fail(f"{path} cannot be read as JSON: {error}")
