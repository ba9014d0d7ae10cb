"""JSON in and out, to the letter: what the parser takes is exactly what the writer gives back.

https://hl7.org/fhir/R4/json.html, https://www.rfc-editor.org/rfc/rfc8259
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Self

import orjson

from app.fhir.errors import BadRequest

MAX_DEPTH = 64
"""How deep objects and arrays may nest; no sensible resource comes near."""

MAX_EXPONENT = 308
"""Beyond a double's range a number is no measurement, only a way to exhaust memory."""

MAX_DIGITS = 18
"""An integer up to here fits into 64 bits; a longer one is a Number."""

ESCAPED = re.compile(rb"(?<!\\)(?:\\\\)*\\u(?:0000|[dD][89a-fA-F])")
"""An escape that needs a second look: NUL, or half of a surrogate pair."""


class Number(Decimal):
    """A JSON number that keeps its spelling: 1.50 stays 1.50 and 1E2 stays 1E2.

    FHIR decimals carry their precision. https://hl7.org/fhir/R4/datatypes.html#decimal
    """

    spelling: str

    def __new__(cls, spelling: "str | Decimal") -> Self:
        self = super().__new__(cls, spelling)
        self.spelling = str(spelling)
        return self

    def __str__(self) -> str:
        return self.spelling

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self.spelling,)


def objects(value: Any) -> list[dict[str, Any]]:
    """Every object within a value, itself included, depth first."""
    found: list[dict[str, Any]] = []
    _gather(value, found)
    return found


def _gather(value: Any, found: list[dict[str, Any]]) -> None:
    # A list rather than a generator: this runs several times over all that is written.
    if type(value) is dict:
        found.append(value)
        value = value.values()
    elif type(value) is not list:
        return
    for member in value:
        if type(member) is dict or type(member) is list:
            _gather(member, found)


def parse(data: bytes) -> Any:
    """The value of a JSON text: int for integers, `Number` for every other number.

    Raises BadRequest for what is not UTF-8, not JSON, ambiguous (a name twice in one object, NaN),
    not storable (NUL, half a surrogate pair), or excessive (depth, exponent).
    """
    try:
        value = _DECODER.decode(data.decode())
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8", code="structure") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(
            f"The body is not JSON: {error.msg} at {place}", code="structure"
        ) from None
    except RecursionError:
        raise _too_deep() from None
    # What has fewer objects and arrays than levels are allowed cannot nest too deep.
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        check_depth(value)
    if b"\\u" in data and ESCAPED.search(data):
        _check_text(value)
    return value


def dump(value: object) -> bytes:
    """The JSON text of a value, UTF-8, compact; a Number as it was spelled."""
    return orjson.dumps(value, _fragment)


def reread(text: str) -> Any:
    """The value of our own text, of which nothing is refused."""
    return json.loads(text, parse_float=Number, parse_int=_integer)


def indent(data: bytes) -> bytes:
    """The same JSON for reading, every number to the letter; of our own text nothing is refused."""
    value = json.loads(data, parse_float=Number, parse_int=Number)
    return orjson.dumps(value, _fragment, orjson.OPT_INDENT_2)


def _fragment(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadRequest(f"The name {twice[:64]!a} occurs twice in one object", code="structure")
    return found


def _integer(spelling: str) -> int | Number:
    return int(spelling) if len(spelling) <= MAX_DIGITS and spelling != "-0" else _number(spelling)


def _number(spelling: str) -> Number:
    try:
        number = Number(spelling)
    except InvalidOperation:
        raise BadRequest("A number is out of range", code="value") from None
    if abs(number.adjusted()) > MAX_EXPONENT or len(spelling) > MAX_EXPONENT:
        raise BadRequest("A number is out of range", code="value")
    return number


def _constant(name: str) -> None:
    raise BadRequest(f"{name} is not JSON", code="structure")


def check_depth(value: Any, above: int = 0) -> None:
    """BadRequest where a value, `above` levels down, nests deeper than is allowed."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH - above):
        if not level:
            return
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]
    if level:
        raise _too_deep()


def _too_deep() -> BadRequest:
    return BadRequest(f"The body nests deeper than {MAX_DEPTH} levels", code="structure")


def _check_text(value: Any) -> None:
    try:
        text = json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise BadRequest("A string holds half of a surrogate pair", code="structure") from None
    if ESCAPED.search(text):
        raise BadRequest("A string holds the character NUL", code="structure")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=_number,
    parse_int=_integer,
    parse_constant=_constant,
)
