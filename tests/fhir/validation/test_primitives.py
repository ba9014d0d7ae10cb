from typing import Any

import pytest

from app.fhir.json import Number
from app.fhir.validation.primitives import PRIMITIVES

UUID = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"

VALID: dict[str, list[Any]] = {
    "base64Binary": ["AAAA", "QQ==", "QUFB\nQUFB", "QUFB QUFB"],
    "boolean": [True, False],
    "canonical": ["http://example.org/x|1", "urn:x"],
    "code": ["a", "a b", "a-b"],
    "date": ["2026", "2026-01", "2024-02-29", "0001-01-01"],
    "dateTime": ["2026", "2026-01-31", "2026-01-31T10:00:00Z", "2026-01-31T23:59:60.1+14:00"],
    "decimal": [1, Number("1.50"), Number("-1e5")],
    "id": ["a", "A-1.b", "x" * 64],
    "instant": ["2026-01-31T10:00:00Z", "2026-01-31T10:00:00.123456789-05:00"],
    "integer": [0, -(2**31), 2**31 - 1],
    "markdown": ["# x\n\n- y"],
    "oid": ["urn:oid:1.2.0"],
    "positiveInt": [1],
    "string": ["x", "two\nlines", "tab\t", "\u00a0", "名前", "\U0001f600"],
    "time": ["10:00:00", "23:59:59.5"],
    "unsignedInt": [0],
    "uri": ["urn:x", "a", "http://example.org/%20"],
    "url": ["https://example.org"],
    "uuid": [UUID],
    "xhtml": ['<div xmlns="http://www.w3.org/1999/xhtml">x</div>'],
}

INVALID: dict[str, list[Any]] = {
    "base64Binary": ["", "A", "AAA", "AA!A", "é"],
    "boolean": [0, "true"],
    "canonical": ["", "a b"],
    "code": ["", " a", "a ", "a  b", "a\tb"],
    "date": [
        "",
        "26",
        "2026-1",
        "2026-13",
        "2026-02-29",
        "0000",
        "20260101",
        "2026-W01-1",
        "2026-01-01 ",
    ],
    "dateTime": [
        "2026-01-31T10:00:00",
        "2026-01-31T10:00Z",
        "2026-02-30T10:00:00Z",
        "2026-01-31T25:00:00Z",
    ],
    "decimal": [True, "1", 1.5],
    "id": ["", "a_b", "x" * 65, "a/b", "a\n"],
    "instant": ["2026", "2026-01-31", "2026-01-31T10:00:00"],
    "integer": [2**31, -(2**31) - 1, True, Number("1.0"), "1"],
    "markdown": [""],
    "oid": ["1.2.0", "urn:oid:3.1", "urn:oid:1.02"],
    "positiveInt": [0, -1],
    "string": ["", "bell \x07", "\x00", "\x7f", "x" * (1024 * 1024 + 1)],
    "time": ["10:00", "24:00:00", "10:00:00Z"],
    "unsignedInt": [-1],
    "uri": ["", "a b", "a\nb"],
    "url": [""],
    "uuid": [UUID.upper(), "0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"],
    "xhtml": ["", "x", "<p>x</p>"],
}


def test_every_primitive_type_is_in_the_tables() -> None:
    assert set(VALID) == set(INVALID) == set(PRIMITIVES)


@pytest.mark.parametrize("type_", PRIMITIVES)
def test_what_the_type_allows_passes(type_: str) -> None:
    for value in VALID[type_]:
        assert not PRIMITIVES[type_](value), value


@pytest.mark.parametrize("type_", PRIMITIVES)
def test_what_the_type_forbids_is_found(type_: str) -> None:
    for value in [*INVALID[type_], None, [], {}]:
        assert PRIMITIVES[type_](value), value
