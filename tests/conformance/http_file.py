"""Requests in .http form, as editors run them: parsed, filled in, and held to what they promise.

In front of each request, comments say `# 200` (the status that comes back), `# @name goal` (a name
for its response) and `# expect $.path = text`. Names are filled in later as `{{goal.response…}}`.
https://github.com/Huachao/vscode-restclient#request-variables
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

FENCE = re.compile(r"^```http\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BREAK = re.compile(r"^###.*$", re.MULTILINE)
VARIABLE = re.compile(r"\{\{([^{}]+)\}\}")
STATUS = re.compile(r"(\d{3})\b")
EXPECTATION = re.compile(r"expect (\$\S*) = (.*)")
STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Example:
    """One request as written, and what is expected of its response."""

    status: int
    method: str
    url: str
    headers: Mapping[str, str]
    body: str
    name: str | None = None
    expected: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Filling:
    """The values of variables: given ones, and the named responses so far."""

    given: Mapping[str, str]
    responses: dict[str, httpx.Response] = field(default_factory=dict)

    def fill(self, text: str) -> str:
        return VARIABLE.sub(lambda found: self.value(found[1].strip()), text)

    def value(self, variable: str) -> str:
        if variable in self.given:
            return self.given[variable]
        name, part, path = re.fullmatch(r"(\w+)\.response\.(headers|body)\.(.+)", variable).groups()  # type: ignore[union-attr]
        response = self.responses[name]
        return response.headers[path] if part == "headers" else str(pick(response.json(), path))


def pick(value: Any, path: str) -> Any:
    """The value at a path like `$.entry[0].response.status`."""
    for member, index in STEP.findall(path.removeprefix("$")):
        value = value[member] if member else value[int(index)]
    return value


def in_markdown(text: str) -> Iterator[Example]:
    """The examples in the ```http blocks of a page."""
    for block in FENCE.findall(text):
        yield from in_http(block)


def in_http(text: str) -> Iterator[Example]:
    """The examples in a .http file, separated by lines that begin with ###."""
    for part in BREAK.split(text):
        lines = [line for line in part.strip().splitlines() if not line.startswith("@")]
        if any(line and not line.startswith("#") for line in lines):
            yield _example(lines)


def _example(lines: list[str]) -> Example:
    notes = [line.lstrip("# ") for line in lines if line.startswith("#")]
    rest = "\n".join(line for line in lines if not line.startswith("#")).strip()
    head, _, body = rest.partition("\n\n")
    request, *headers = head.splitlines()
    method, url = request.removesuffix(" HTTP/1.1").split(" ", 1)
    names = [note.removeprefix("@name ") for note in notes if note.startswith("@name ")]
    return Example(
        status=next(int(found[1]) for note in notes if (found := STATUS.match(note))),
        method=method,
        url=url,
        headers=dict(line.split(": ", 1) for line in headers),
        body=body,
        name=names[0] if names else None,
        expected=tuple((f[1], f[2]) for note in notes if (f := EXPECTATION.fullmatch(note))),
    )


async def run(client: httpx.AsyncClient, example: Example, filling: Filling) -> None:
    """Send one example and hold the response to it; AssertionError says what differs."""
    headers = {name: filling.fill(value) for name, value in example.headers.items()}
    headers.setdefault("Authorization", f"Bearer {filling.given['token']}")
    response = await client.request(
        example.method,
        filling.fill(example.url),
        headers=headers,
        content=filling.fill(example.body).encode() or None,
    )
    asked = f"{example.method} {example.url}"
    assert response.status_code == example.status, (
        f"{asked}: {response.status_code} {response.text}"
    )
    for path, text in example.expected:
        assert plain(pick(response.json(), path)) == text, f"{asked}: {path}"
    if example.name:
        filling.responses[example.name] = response


def plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
