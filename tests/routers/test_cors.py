"""app/routers/cors.py: what browsers are told, and what everybody else is."""

import httpx
import pytest
from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.routers.cors import CrossOrigin

Lines = list[tuple[bytes, bytes]]


def answering(lines: Lines) -> ASGIApp:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": lines})
        await send({"type": "http.response.body", "body": b"said"})

    return app


async def answer(app: ASGIApp, path: str, headers: dict[str, str]) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://isp") as http:
        return await http.get(path, headers=headers)


def sorted_lines(response: httpx.Response) -> Lines:
    return sorted(response.headers.raw)


@pytest.mark.parametrize("origin", [{}, {"Origin": "https://app.example.org"}])
@pytest.mark.parametrize(
    "varied",
    [[], [b"Authorization, Accept"], [b"Authorization", b"Accept"]],
)
async def test_whoever_is_no_browser_is_told_what_the_middleware_would_tell(
    varied: list[bytes], origin: dict[str, str]
) -> None:
    lines = [(b"etag", b'W/"1"'), *((b"vary", value) for value in varied)]
    app = answering(lines)
    ours = await answer(CrossOrigin(app, "", "https://app.example.org"), "/fhir", origin)
    shared = CORSMiddleware(answering([*lines]), ["https://app.example.org"])
    theirs = await answer(shared, "/fhir", origin)
    assert "Origin" in ours.headers["vary"]
    assert ours.headers["vary"] == theirs.headers["vary"]
    ours.headers.pop("access-control-expose-headers", None)
    assert sorted_lines(ours) == sorted_lines(theirs)
    assert ours.content == b"said"


async def test_a_page_says_nothing_of_origins() -> None:
    app = CrossOrigin(answering([(b"etag", b'W/"1"')]), "", "*")
    for path in ("/auth/login", "/app", "/app/plans"):
        told = await answer(app, path, {"Origin": "https://app.example.org"})
        assert sorted_lines(told) == [(b"etag", b'W/"1"')]
