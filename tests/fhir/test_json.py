import copy
import json
import pickle
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fhir.errors import BadRequest
from app.fhir.json import MAX_DEPTH, Number, dump, parse


@pytest.mark.parametrize(
    "spelling", ["1.50", "1E2", "1e-7", "-0", "-0.0", "123456789012345678.123", "9" * 40, "0.10e+5"]
)
def test_a_number_keeps_its_spelling(spelling: str) -> None:
    value = parse(f'{{"a": {spelling}}}'.encode())
    assert isinstance(value["a"], Number)
    assert value["a"] == Decimal(spelling)
    assert dump(value) == f'{{"a":{spelling}}}'.encode()


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
def test_a_number_keeps_its_spelling_when_copied(again: Callable[[Number], Number]) -> None:
    assert dump(again(Number("1E2"))) == b"1E2"


def test_an_integer_is_an_int() -> None:
    assert type(parse(b"12")) is int


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{} {}",
        b"{'a': 1}",
        b'{"a": 01}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"b": [{"a": 1, "a": 1}]}',
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": "\x00"}',
        rb'{"a": "\u0000"}',
        rb'{"\u0000": "a"}',
        rb'{"a": "\ud800"}',
        rb'{"a": "\udc00\ud800"}',
        b'{"a": "line\nbreak"}',
        b'{"a": 1e999}',
        b'{"a": 1e9999999999999999999999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_what_is_not_strict_json_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(body)
    assert refused.value.status == 400
    assert refused.value.issues[0].diagnostics


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'"\\u0000"', "\\u0000"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (b"3", 3),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
        (b'["' + b"[" * 100 + b'"]', ["[" * 100]),
    ],
)
def test_what_only_looks_bad_is_taken(body: bytes, value: object) -> None:
    assert parse(body) == (value if value is not None else json.loads(body))


def test_depth_is_counted_outside_strings() -> None:
    deep = b'["]",' * MAX_DEPTH + b"[]" + b',"["]' * MAX_DEPTH
    with pytest.raises(BadRequest, match="deeper"):
        parse(deep)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)


@given(VALUES)
def test_parse_and_dump_are_inverse(value: object) -> None:
    text = json.dumps(value)
    if "\\u0000" not in text:
        assert parse(dump(parse(text.encode()))) == value


@given(st.binary() | st.text().map(lambda text: text.encode(errors="surrogatepass")))
def test_parse_never_fails_with_anything_but_bad_request(body: bytes) -> None:
    with suppress(BadRequest):
        dump(parse(body))
