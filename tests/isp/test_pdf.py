"""Printing: nothing is fetched, nobody waits without end, and no setting of ours is known there."""

import asyncio
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from app.fhir.errors import Timeout, Unavailable
from app.isp.document import pdf as printing
from app.isp.document.pdf import pdf

HEAD = '<html lang="en"><head><title>A plan</title></head><body><h1>A plan</h1>'


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """What was asked of a server that stands by, its address first."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        seen.append(f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.serve_forever, daemon=True).start()
        yield seen
        server.shutdown()


async def test_nothing_is_fetched_for_a_print(asked: list[str], tmp_path: Path) -> None:
    url = asked[0]
    secret = tmp_path / "secret.html"
    secret.write_text("<p>secret</p>")
    page = (
        f'{HEAD}<link rel="stylesheet" href="{url}/style.css"><img src="{url}/a.png" alt="a">'
        f'<a rel="attachment" href="{secret.as_uri()}">file</a>'
        f'<style>@import "{url}/b.css"; h1 {{ background: url({url}/c.png) }}</style></body>'
    )
    made = await pdf(page)
    assert made.startswith(b"%PDF-")
    assert b"EmbeddedFile" not in made
    assert asked == [url]


async def test_a_queue_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "_QUEUE", asyncio.Semaphore(0))
    with pytest.raises(Unavailable) as refused:
        await pdf(HEAD)
    assert refused.value.headers["Retry-After"]


async def test_a_print_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "SECONDS", 0.01)
    with pytest.raises(Timeout):
        await pdf(HEAD)


async def test_a_print_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit(3)")
    monkeypatch.setattr(printing, "PRINTER", broken)
    with pytest.raises(Unavailable):
        await pdf(HEAD)


async def test_the_printer_knows_nothing_of_our_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    telling = tmp_path / "telling.py"
    telling.write_text("import os, sys; sys.stdout.write('%PDF-' + ' '.join(os.environ))")
    monkeypatch.setattr(printing, "PRINTER", telling)
    monkeypatch.setitem(os.environ, "ISP_DATABASE_URL", "postgresql://secret")
    assert b"ISP_" not in await pdf(HEAD)
