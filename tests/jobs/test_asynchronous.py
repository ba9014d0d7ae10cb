"""Servers do what was asked with Prefer: respond-async by themselves."""

import asyncio
from dataclasses import replace

import httpx

from app.auth.caller import Caller
from app.auth.saved_caller import kept, restored
from app.auth.scopes import parse
from app.fhir import json
from app.jobs import asynchronous
from app.main import create_app
from app.settings import Settings
from app.storage.asynchronous import sweep
from app.storage.database import Database
from tests.http.conftest import Service

CALLER = Caller(
    client_id="c",
    role="case-manager",
    organization="Organization/o",
    user="u",
    fhir_user="Practitioner/p",
    patient="ada",
    scopes=parse("patient/*.read user/Observation.rs?category=laboratory&status=final"),
    extra_scopes=frozenset({"__introspection", "__launch"}),
    purpose="TREAT",
    token_id="t",
    expires=1,
    approval="a",
)


def test_a_caller_is_the_same_after_it_was_kept() -> None:
    for caller in (CALLER, replace(CALLER, scopes=(), approval=None)):
        assert restored(json.reread(json.dump(kept(caller)).decode())) == caller


async def test_a_server_does_by_itself_what_it_promised(dsn: str, database: Database) -> None:
    settings = Settings(database_url=dsn)
    app = create_app(settings, jobs=(asynchronous.keep,))
    async with app.router.lifespan_context(app):
        client: httpx.AsyncClient = await Service(app, settings).as_("operator")
        asked = await client.get("/Patient", headers={"Prefer": "respond-async"})
        url = asked.headers["content-location"]
        async with asyncio.timeout(20):
            while (await client.get(url)).status_code == 202:
                await asyncio.sleep(0.05)
        assert (await client.get(url)).status_code == 200


async def test_what_expired_is_swept_away(database: Database) -> None:
    await database.execute(
        "INSERT INTO asynchronous_request (id, client, interaction, steps, expires)"
        " VALUES ('old', 'c', 'batch', 1, now() - interval '1 s'),"
        "        ('new', 'c', 'batch', 1, now() + interval '1 h')"
    )
    await sweep(database)
    assert await database.fetchval("SELECT array_agg(id::text) FROM asynchronous_request") == [
        "new"
    ]
