"""Requests made of what openapi/openapi.json describes: none ends in a fault of the server."""

import random
import time
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import given, seed

from app.fhir import json
from tests.fuzz.conftest import ONCE, SECONDS, SEED, Target

FILE = Path(__file__).parents[2] / "openapi" / "openapi.json"
OWN = ("headers", "params", "data", "json", "content")


@pytest.fixture(scope="module")
def schema() -> Any:
    return schemathesis.openapi.from_dict(json.parse(FILE.read_bytes()))


def test_nothing_that_is_described_ends_in_a_fault(target: Target, schema: Any) -> None:
    chosen, until, sent = random.Random(SEED), time.monotonic() + SECONDS, 0
    operations = [(path, way) for path, ways in schema.raw_schema["paths"].items() for way in ways]
    while time.monotonic() < until:
        path, way = chosen.choice(operations)
        sent += _tried(target, schema[path][way.upper()], chosen.randrange(2**32), until)
    target.check()
    assert sent > SECONDS


def _tried(target: Target, operation: Any, number: int, until: float) -> int:
    sent = 0

    @seed(number)
    @ONCE
    @given(operation.as_strategy())
    def send(case: Any) -> None:
        nonlocal sent
        if time.monotonic() > until:
            return
        asked = case.as_transport_kwargs(base_url=target.base)
        url, method = asked.pop("url"), asked.pop("method")
        target.send(number + sent, method, url, **_sendable(asked))
        sent += 1

    send()
    return sent


def _sendable(asked: dict[str, Any]) -> dict[str, Any]:
    """What a client can put on the wire; the token stays its own."""
    kept = {name: asked[name] for name in OWN if asked.get(name) is not None}
    headers = {
        name: value.encode("utf-8", "replace")
        for name, value in kept.pop("headers", {}).items()
        if name.lower() != "authorization" and value.isprintable() and value.strip() == value
    }
    if isinstance(kept.get("data"), bytes | str):
        data = kept.pop("data")
        kept["content"] = data if isinstance(data, bytes) else data.encode("utf-8", "replace")
    return {**kept, "headers": headers}
