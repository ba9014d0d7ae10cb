"""`python -m bench.tokens`: what a token costs, and what it costs to be asked for one.

The token endpoint by private_key_jwt, and one read with a token seen before beside the same read
without authentication (bench/unguarded.py), one worker each, by turns. `cpu_us` is processor time
a request, which a busy machine leaves as it is.
"""

import argparse
import asyncio
import json
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from app.auth import jose
from app.auth.clients import ALGORITHMS
from app.storage.embedded import embedded
from bench import processes, report
from bench.__main__ import load, token
from bench.client import END, Connection, Step, run
from bench.workloads import WORKLOADS, World

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPE = "system/Goal.rs"
CLIENTS = 8
ROUNDS = 10
LIFETIME = 3_600


def assertions(client_id: str, key: jose.Claims, audience: str, many: int) -> list[str]:
    """Signed before they are needed, so that the client's signature is not measured."""
    now = int(time.time())
    names = {"iss": client_id, "sub": client_id, "aud": audience, "exp": now + 295}
    return [jose.sign(names | {"jti": secrets.token_urlsafe(16)}, key) for _ in range(many)]


def token_requests(netloc: str, signed: list[str]) -> Iterator[Step]:
    """POST auth/token, once with each assertion."""
    for each in signed:
        form = {"grant_type": "client_credentials", "scope": SCOPE}
        form |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": each}
        body = urlencode(form).encode()
        head = f"POST /auth/token HTTP/1.1\r\nHost: {netloc}\r\nContent-Length: {len(body)}\r\n"
        head += "Content-Type: application/x-www-form-urlencoded"
        yield _posted(head.encode() + END + body)


def _posted(sent: bytes) -> Step:
    async def step(connection: Connection) -> str | None:
        answer = await connection.ask(sent)
        return None if b'"access_token"' in answer.body else f"status {answer.status}"

    return step


async def cost(
    watched: dict[str, int], world: World, steps: Iterator[Step], seconds: float
) -> dict[str, Any]:
    """Requests a second, and processor microseconds a request of each process."""
    before = {name: processes.processor_seconds(pid) for name, pid in watched.items()}
    sample = await run((world.address.host, world.address.port), steps, CLIENTS, seconds)
    spent = {
        name: round((processes.processor_seconds(pid) - before[name]) * 1e6 / sample.answered)
        for name, pid in watched.items()
    }
    return {"rps": round(sample.figures()["rps"]), "cpu_us": spent, "wrong": sample.errors}


async def tokens(
    data: Path, world: World, watched: dict[str, int], many: int, name: str
) -> dict[str, Any]:
    """The token endpoint with `many` assertions of a new client that signs with this algorithm."""
    key = jose.generate(name)
    path = data / "jwks.json"
    path.write_text(json.dumps({"keys": [jose.public(key)]}))
    asked = ["client", "create", "--name", "tokens", "--scope", SCOPE, "--jwks", str(path)]
    client = json.loads(await processes.command(asked, data))
    signed = assertions(client["client_id"], key, client["token_endpoint"], many)
    await cost(watched, world, token_requests(world.address.netloc, signed[:50]), 60)
    return await cost(watched, world, token_requests(world.address.netloc, signed[50:]), 60)


@asynccontextmanager
async def door(dsn: str, world: World, kind: str) -> AsyncIterator[tuple[World, int]]:
    """One worker that is open or shut, and takes the tokens of the service of `world`."""
    port, address = processes.free_port(), world.address
    command = [sys.executable, "-m", "uvicorn", "bench.unguarded:app", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    environment = {
        "ISP_DATABASE_URL": dsn,
        "ISP_BASE_URL": f"http://{address.netloc}{address.path}",
        "BENCH_DOOR": kind,
    }
    async with processes.running(command, environment, "Uvicorn running") as process:
        yield World(replace(address, port=port), world.token, world.people), process


async def reads(dsn: str, world: World, seconds: float) -> dict[str, Any]:
    """The same read with and without authentication, by turns; the least disturbed of each."""
    turns: dict[str, list[dict[str, Any]]] = {"shut": [], "open": []}
    async with door(dsn, world, "shut") as shut, door(dsn, world, "open") as open_:
        doors = [("shut", shut), ("open", open_)]
        for turn in range(ROUNDS):
            for kind, (there, pid) in doors if turn % 2 else reversed(doors):
                steps = WORKLOADS["read"](there)
                turns[kind].append(await cost({"workers": pid}, there, steps, seconds))
    found: dict[str, Any] = {
        kind: {
            "rps": max(each["rps"] for each in rows),
            "cpu_us": min(each["cpu_us"]["workers"] for each in rows),
            "wrong": [each["wrong"] for each in rows if each["wrong"]],
        }
        for kind, rows in turns.items()
    }
    return found | {"ratio": round(found["shut"]["cpu_us"] / found["open"]["cpu_us"], 3)}


async def whole(options: argparse.Namespace) -> dict[str, Any]:
    """Everything, on a service of our own with one worker."""
    data = Path(tempfile.mkdtemp(prefix="isp-bench-"))
    try:
        with embedded(data) as dsn:
            environment = {"ISP_ACCESS_TOKEN_LIFETIME": str(LIFETIME)}
            async with processes.service(data, 1, environment) as (url, process):
                world = World(processes.address(url), await token(data))
                await load(world, options.patients)
                watched = {"workers": process, "postgres": processes.postmaster(data)}
                found = {
                    f"token {name}": await tokens(data, world, watched, options.tokens, name)
                    for name in ALGORITHMS
                }
                return found | {"read": await reads(dsn, world, options.seconds)}
    finally:
        shutil.rmtree(data, ignore_errors=True)


def main() -> None:
    """Read the command line, measure, print JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.tokens", description=__doc__)
    parser.add_argument("--patients", type=int, default=50)
    parser.add_argument("--tokens", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn")
    found = asyncio.run(whole(parser.parse_args()))
    print(json.dumps(report.circumstances() | found, indent=2))


if __name__ == "__main__":
    main()
