"""What was promised is done once, although the processes that do it are killed."""

import asyncio
import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from app.auth.access_token import Grant, issue
from app.main import create_app
from app.settings import Settings
from tests.build import goal, patient, transaction
from tests.conftest import new_database
from tests.running.installation import Installation

NUMBER = 120
OPERATOR = Grant("operator", "system/*.cruds", "operator")


async def token(dsn: str, base: str) -> str:
    app = create_app(Settings(database_url=dsn, base_url=base))
    async with app.router.lifespan_context(app):
        return (await issue(app.state.authority, OPERATOR)).token


def workers(parent: int) -> list[int]:
    """The processes that a process started and that serve."""
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [
        int(one) for one in listed if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()
    ]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are found in /proc")
def test_a_transaction_is_done_once_although_the_workers_are_killed(
    server: str, tmp_path: Path
) -> None:
    dsn = asyncio.run(new_database(server, f"isp_killed_{os.getpid()}"))
    installation = Installation(tmp_path, {"ISP_DATABASE_URL": dsn})
    with installation.serving("--workers", "2") as (process, lines):
        base = lines[-1].removeprefix("Ready: ")
        headers = {"Authorization": f"Bearer {asyncio.run(token(dsn, base))}"}
        with httpx.Client(base_url=base, headers=headers, timeout=30) as client:
            _check(client, process.pid)


def _check(client: httpx.Client, pid: int) -> None:
    made = transaction(patient(organization=None), *(goal(f"g{at}") for at in range(NUMBER)))
    asked = client.post("", json=made, headers={"Prefer": "respond-async"})
    url = asked.headers["content-location"]
    killed = _killed(client, url, pid)
    answer = _patient(client, url)
    assert killed
    assert answer.status_code == 200, answer.text
    [entry] = answer.json()["entry"]
    answers = entry["resource"]["entry"]
    assert {each["response"]["status"] for each in answers} == {"201 Created"}
    assert client.get("/Goal/g0").headers["etag"] == 'W/"1"'
    assert client.get("/Goal?_summary=count").json()["total"] == NUMBER


def _killed(client: httpx.Client, url: str, pid: int) -> list[int]:
    """Kill all workers as soon as the work is begun."""
    while (told := client.get(url)).status_code == 202:
        if told.headers["x-progress"] == "in progress":
            found = workers(pid)
            for one in found:
                os.kill(one, signal.SIGKILL)
            return found
    return []


def _patient(client: httpx.Client, url: str) -> httpx.Response:
    """The answer, from whichever worker there is again."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            told = client.get(url)
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        if told.status_code != 202:
            return told
        time.sleep(0.1)
    raise TimeoutError
