"""_filter: an expression over search parameters becomes the same tree of conditions.

https://hl7.org/fhir/R4/search_filter.html
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from app.fhir import json
from app.fhir.errors import BadRequest
from app.fhir.search.condition import (
    Chain,
    Condition,
    Either,
    Every,
    Has,
    Not,
    along,
    parse_condition,
)
from app.fhir.search.parameters import Criterion
from app.fhir.search.parameters.modifiers import TERMINOLOGICAL, modifiers

TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[()\[\]]|[^\s()\[\]"]+)')
PATH = re.compile(r"[A-Za-z_][\w:-]*(?:\.[A-Za-z_][\w:-]*)*\Z")
MAX_TESTS = 50
ORDERED = ("eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb")

OPERATORS = {
    "string": ("eq", "ne", "co", "sw", "ew", "pr"),
    "token": ("eq", "ne", "co", "sw", "ew", "in", "ss", "sb", "pr"),
    "reference": ("eq", "ne", "re", "pr"),
    "uri": ("eq", "ne", "ss", "sb", "pr"),
    "date": (*ORDERED, "po", "pr"),
    "number": (*ORDERED, "pr"),
    "quantity": (*ORDERED, "pr"),
    "composite": ("eq",),
}
"""The comparisons that work, by parameter type."""

MODIFIERS = {
    ("string", "eq"): "eq",
    ("string", "co"): "contains",
    ("string", "ew"): "ew",
    ("token", "co"): "text-co",
    ("token", "sw"): "text",
    ("token", "ew"): "text-ew",
    ("token", "in"): "in",
    ("token", "ss"): "below",
    ("token", "sb"): "above",
    ("uri", "ss"): "below",
    ("uri", "sb"): "above",
    ("date", "po"): "po",
}
"""How a comparison is said to a predicate. "ss: the value subsumes a concept in the set"."""


def parse_filter(type_: str, text: str) -> Condition:
    """Read an expression over the parameters of a type.

    `and` and `or` are taken from left to right, neither before the other. Raises BadRequest.
    """
    return _Parser(type_, list(_tokens(text))).whole()


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text.rstrip()):
        found = TOKEN.match(text, at)
        if not found:
            raise _malformed(f"at character {at + 1}")
        yield found[1]
        at = found.end()


def _malformed(where: str) -> BadRequest:
    return BadRequest(
        f"_filter cannot be read {where}; it is written: parameter operator value, joined by and,"
        " or, not(…) and parentheses.",
        expression=("_filter",),
    )


class _Parser:
    """Recursive descent; `type` is that of the resource a path starts at."""

    def __init__(self, type_: str, tokens: list[str]) -> None:
        self.type = type_
        self.tokens = tokens
        self.at = 0
        self.tests = 0

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise self.unexpected()

    def unexpected(self) -> BadRequest:
        return _malformed(f"at word {self.at}")

    def whole(self) -> Condition:
        found = self.logical(self.type)
        if self.next:
            self.at += 1
            raise self.unexpected()
        return found

    def logical(self, type_: str) -> Condition:
        found = self.single(type_)
        while self.next in ("and", "or"):
            join = Every if self.take() == "and" else Either
            found = join((found, self.single(type_)))
        return found

    def single(self, type_: str) -> Condition:
        self.tests += 1
        if self.tests > MAX_TESTS:
            raise BadRequest(f"_filter takes {MAX_TESTS} tests at most.", expression=("_filter",))
        if self.next == "(":
            return self.group(type_)
        if self.next == "not" and self.tokens[self.at + 1 : self.at + 2] == ["("]:
            self.take()
            return Not(self.group(type_))
        return self.test(type_)

    def group(self, type_: str) -> Condition:
        self.expect("(")
        found = self.logical(type_)
        self.expect(")")
        return found

    def test(self, type_: str) -> Condition:
        path = self.take()
        if not PATH.match(path):
            raise self.unexpected()
        return self.compared(type_, path)

    def compared(self, type_: str, path: str) -> Condition:
        if self.next == "[":
            return self.filtered(type_, path)
        operator, value = self.take(), self.value()
        return _compared(type_, path, operator, value)

    def filtered(self, type_: str, path: str) -> Condition:
        """`patient[active eq true].birthdate ge 2000`: one target passes both tests."""
        start, end = self.at, self.at

        def both(target: str) -> Condition:
            nonlocal end
            self.at = start
            self.expect("[")
            first = self.logical(target)
            self.expect("]")
            rest = self.take()
            if not rest.startswith(".") or not PATH.match(rest[1:]):
                raise self.unexpected()
            found = Every((first, self.compared(target, rest[1:])))
            end = self.at
            return found

        condition = along(type_, path, both)
        self.at = end
        return condition

    def value(self) -> str:
        token = self.take()
        if not token or token in "()[]":
            raise self.unexpected()
        if not token.startswith('"'):
            return token
        try:
            found = json.parse(token.encode())
        except BadRequest:
            raise self.unexpected() from None
        assert isinstance(found, str)
        return found


def _compared(type_: str, path: str, operator: str, value: str) -> Condition:
    found = parse_condition(type_, path, _escaped(value))
    return _changed(found, lambda criterion: _test(criterion, operator, value))


def _escaped(value: str) -> str:
    """A comma separates nothing here."""
    return value.replace("\\", "\\\\").replace(",", "\\,")


def _changed(condition: Condition, change: Callable[[Criterion], Condition]) -> Condition:
    """The condition with its innermost criterion replaced by what it has to be."""
    match condition:
        case Criterion():
            return change(condition)
        case Either(parts):
            return Either(tuple(_changed(part, change) for part in parts))
        case Chain(inner=inner) | Has(inner=inner):
            return replace(condition, inner=_changed(inner, change))
    return condition


def _test(criterion: Criterion, operator: str, value: str) -> Condition:
    kind = criterion.parameter.type
    valid = [each for each in OPERATORS.get(kind, ()) if _applies(criterion, each)]
    if operator not in valid or criterion.modifier is not None:
        raise BadRequest(
            f"_filter cannot compare '{criterion.parameter.code}' ({kind}) by '{operator}';"
            f" it takes: {', '.join(valid)}, and no modifier.",
            expression=("_filter",),
        )
    if operator == "pr":
        return _present(criterion, value)
    if kind in ("date", "number", "quantity") and operator != "po":
        return replace(criterion, values=(f"{operator}{criterion.values[0]}",))
    if operator == "ne":
        has = replace(criterion, modifier="missing", values=("false",))
        equal = _test(criterion, "eq", value)
        return Every((has, Not(equal)))
    return replace(criterion, modifier=MODIFIERS.get((kind, operator)))


def _applies(criterion: Criterion, operator: str) -> bool:
    """Whether the parameter takes the modifier that the comparison amounts to."""
    needed = MODIFIERS.get((criterion.parameter.type, operator), "").partition("-")[0]
    return needed not in (*TERMINOLOGICAL, "text") or needed in modifiers(criterion.parameter)


def _present(criterion: Criterion, value: str) -> Criterion:
    if value not in ("true", "false"):
        raise BadRequest("'pr' is followed by true or false.", expression=("_filter",))
    is_missing = "false" if value == "true" else "true"
    return replace(criterion, modifier="missing", values=(is_missing,))
