"""Other authorization servers: this one a second time as its own process, and one that lies."""

import asyncio
import base64
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from app.auth import jose
from app.storage.database import Database
from tests.conftest import free_port, new_database

READY = 60


@dataclass
class Second:
    """Another server like this one, with its own people; `database` is its."""

    issuer: str
    database: Database


@asynccontextmanager
async def second(server: str) -> AsyncIterator[Second]:
    """It runs as its own process, reached over HTTP at localhost."""
    port = free_port()
    dsn = await new_database(server, f"second_{os.getpid()}_{port}")
    base = f"http://localhost:{port}/fhir"
    chosen = {"ISP_DATABASE_URL": dsn, "ISP_BASE_URL": base, "ISP_PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "serve"),
        env={**os.environ, **chosen, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.DEVNULL,
    )
    database = await Database.open(dsn)
    try:
        await _ready(base)
        yield Second(base.removesuffix("/fhir"), database)
    finally:
        await database.close()
        process.terminate()
        await process.wait()


async def _ready(base: str) -> None:
    async with httpx.AsyncClient() as http, asyncio.timeout(READY):
        while True:
            try:
                if (await http.get(f"{base}/metadata")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)


@dataclass
class Liar:
    """A provider that says whatever a test wants: `claims` and `answer` change what is true."""

    issuer: str
    key: jose.Claims = field(default_factory=lambda: jose.generate("ES256"))
    claims: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    typ: str = "JWT"
    forger: jose.Claims | None = None
    asked: dict[str, str] = field(default_factory=dict)
    redeemed: list[dict[str, str]] = field(default_factory=list)

    def sign(self, typ: str = "at+jwt", key: jose.Claims | None = None, **claims: Any) -> str:
        """A token of this provider; a claim that is None is left out."""
        now = int(time.time())
        said = {"iss": self.issuer, "sub": "s-1", "iat": now, "exp": now + 60} | claims
        kept = {name: value for name, value in said.items() if value is not None}
        return jose.sign(kept, key or self.key, typ)

    def application(self) -> FastAPI:
        app = FastAPI(openapi_url=None)

        @app.get("/.well-known/openid-configuration")
        async def configuration() -> Response:
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            paths = ("authorize", "token", "jwks")
            said = {n: f"{self.issuer}/{p}" for n, p in zip(names, paths, strict=True)}
            return JSONResponse({"issuer": self.issuer} | said | self.metadata)

        @app.get("/jwks")
        async def jwks() -> Response:
            return JSONResponse({"keys": [jose.public(self.key)]})

        @app.get("/authorize")
        async def authorize(request: Request) -> Response:
            self.asked = dict(request.query_params)
            said = {"code": "c-1", "state": self.asked["state"], "iss": self.issuer} | self.answer
            kept = {name: value for name, value in said.items() if value is not None}
            return RedirectResponse(f"{self.asked['redirect_uri']}?{urlencode(kept)}", 303)

        @app.post("/token")
        async def token(request: Request) -> Response:
            form = {n: v[0] for n, v in parse_qs((await request.body()).decode()).items()}
            self.redeemed.append(form | {"by": request.headers.get("authorization", "")})
            challenge = hashlib.sha256(form["code_verifier"].encode()).digest()
            expected = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
            assert self.asked["code_challenge"] == expected
            told = {"aud": self.asked["client_id"], "nonce": self.asked["nonce"]}
            return JSONResponse(
                {"id_token": self.sign(self.typ, self.forger, **(told | self.claims))}
            )

        return app


@asynccontextmanager
async def liar() -> AsyncIterator[Liar]:
    """It listens on this machine as long as it is needed."""
    port = free_port()
    provider = Liar(f"http://localhost:{port}")
    listening = uvicorn.Server(
        uvicorn.Config(provider.application(), port=port, log_level="error", lifespan="off")
    )
    task = asyncio.create_task(listening.serve())
    while not listening.started:
        await asyncio.sleep(0.01)
    try:
        yield provider
    finally:
        listening.should_exit = True
        await task


def named(folder: Path, *issuers: dict[str, Any], only: bool = False) -> str:
    """The file that ISP_EXTERNAL_ISSUERS names."""
    path = folder / "issuers.json"
    path.write_text(json.dumps({"issuers": issuers, "only": only}))
    return str(path)
