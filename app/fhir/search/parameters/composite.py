"""Composite search: several values of one and the same element, as `code$value`.

One index row stands for one element: whatever its components are looked up by, side by side, so
that a code of one element and a value of another never make a match.
https://hl7.org/fhir/R4/search.html#combining
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any

from app.fhir import fhirpath
from app.fhir.errors import BadRequest
from app.fhir.registry import Component, SearchParameter, parameters
from app.fhir.search.parameters import date, number, quantity, reference, string, token, uri
from app.fhir.search.parameters.criterion import Criterion, Over, split
from app.fhir.search.parameters.keys import key, param

Elements = list[tuple[str, Any]]
Row = tuple[Any, ...]

HASHED = ("token", "reference", "uri")

MISTAKEN = frozenset({"DocumentReference.relationship"})
"""R4 gives its two components each other's expression; R5 put that right."""


@dataclass(frozen=True, slots=True)
class Values:
    """The columns of index_composite that hold the one component that is no hash."""

    lo: Any = None
    hi: Any = None
    units: list[int] | None = None
    starts: Any = None
    ends: Any = None
    folded: str | None = None
    exact: str | None = None


NO_VALUES = Values()


def components(parameter: SearchParameter) -> tuple[Component, ...]:
    """The components, each with the expression that fits it."""
    parts = parameter.components
    if f"{parameter.base}.{parameter.code}" not in MISTAKEN:
        return parts
    expressions = [part.expression for part in reversed(parts)]
    return tuple(replace(one, expression=two) for one, two in zip(parts, expressions, strict=True))


@cache
def _parts(parameter: SearchParameter) -> tuple[tuple[Component, Callable[..., Elements]], ...]:
    return tuple(
        (part, fhirpath.compile_relative(part.expression)) for part in components(parameter)
    )


def extract(parameter: SearchParameter, elements: Elements, base_url: str) -> Iterator[Row]:
    """(tokens, lo, hi, units, starts, ends, folded, exact) of each element that has all parts."""
    for element in elements:
        # Components are paths below the element; none looks at the whole resource.
        found = [(part, evaluate(element, {})) for part, evaluate in _parts(parameter)]
        if all(values for _, values in found):
            yield from _rows(parameter, found, base_url)


def _rows(
    parameter: SearchParameter, found: Iterable[tuple[Component, Elements]], base_url: str
) -> Iterator[Row]:
    tokens: set[int] = set()
    ranges: list[list[Values]] = []
    for part, values in found:
        if part.type in HASHED:
            tokens.update(_hashes(_name(parameter, part), part.type, values, base_url))
        else:
            ranges.append(list(RANGES[part.type](values)))
    for chosen in product(*ranges):
        one = chosen[0] if chosen else NO_VALUES
        yield (
            sorted(tokens),
            *(one.lo, one.hi, one.units, one.starts, one.ends, one.folded, one.exact),
        )


def _name(parameter: SearchParameter, part: Component) -> str:
    return f"{parameter.base}.{parameter.code}.{part.code}"


def _hashes(name: str, type_: str, values: Elements, base_url: str) -> Iterator[int]:
    if type_ == "token":
        yield from token.extract(name, values)
    elif type_ == "uri":
        yield from uri.extract(name, values)
    else:
        for target in reference.extract(values, base_url):
            yield key(name, "to", target)


def _amounts(values: Elements) -> Iterator[Values]:
    for (lo, hi), units in quantity.extract(values):
        yield Values(lo=lo, hi=hi, units=units)


def _numbers(values: Elements) -> Iterator[Values]:
    for (lo, hi), units in number.extract(values):
        yield Values(lo=lo, hi=hi, units=units)


def _dates(values: Elements) -> Iterator[Values]:
    for starts, ends in date.extract(values):
        yield Values(starts=starts, ends=ends)


def _strings(values: Elements) -> Iterator[Values]:
    for folded, exact in string.extract(values):
        yield Values(folded=folded, exact=exact)


RANGES: dict[str, Callable[[Elements], Iterator[Values]]] = {
    "quantity": _amounts,
    "number": _numbers,
    "date": _dates,
    "string": _strings,
}


def predicate(criterion: Criterion, over: Over) -> str:
    """SQL: one element of the row has all the parts of one of the values."""
    return "(" + " OR ".join(_test(criterion, value, over) for value in criterion.values) + ")"


def _test(criterion: Criterion, value: str, over: Over) -> str:
    parts = components(criterion.parameter)
    values = split(value, "$")
    if len(values) != len(parts) or not all(values):
        form = "$".join(part.code for part in parts)
        raise BadRequest(
            f"'{criterion.parameter.code}' is written {form}.",
            expression=(criterion.parameter.code,),
        )
    narrow: list[str] = []
    tests = [
        f"n.rid = {over.alias}.rid",
        f"n.param = {param(criterion.type, criterion.parameter.code)}",
    ]
    for part, text in zip(parts, values, strict=True):
        if part.type in HASHED:
            wanted = _wanted(criterion, part, text, over)
            tests.append(f"n.tokens && {over.args.add(wanted, 'bigint[]')}")
            narrow += _narrowed(criterion, part, text, over)
        else:
            tests.append(TESTS[part.type](criterion, part, text, over))
    row = (
        "EXISTS (SELECT FROM index_composite AS n"
        " CROSS JOIN LATERAL (SELECT n.starts AS lo, n.ends AS hi) AS d"
        f" WHERE {' AND '.join(tests)})"
    )
    return f"({' AND '.join([*narrow, row])})"


def _wanted(criterion: Criterion, part: Component, text: str, over: Over) -> list[int]:
    name = _name(criterion.parameter, part)
    if part.type == "token":
        return [token.asked(name, text)]
    if part.type == "uri":
        return [uri.asked(name, text)]
    return [
        key(name, "to", target)
        for target in reference.asked(_own(criterion, part), text, over.base_url)
    ]


def _own(criterion: Criterion, part: Component) -> Criterion:
    """A criterion on the component alone, as far as the type has a parameter for it."""
    own = parameters(criterion.type).get(part.code)
    parameter = own or replace(
        criterion.parameter, code=part.code, type=part.type, components=(), target=()
    )
    return Criterion(criterion.type, parameter, None, ())


def _narrowed(criterion: Criterion, part: Component, text: str, over: Over) -> list[str]:
    """The same asked of the whole resource, which an index leads to."""
    own = parameters(criterion.type).get(part.code)
    if own is None or own.type != "token" or part.type != "token":
        return []
    keys = [token.asked(f"{criterion.type}.{part.code}", text)]
    return [f"{over.alias}.keys && {over.args.add(keys, 'bigint[]')}"]


def _amount(_: Criterion, __: Component, text: str, over: Over) -> str:
    return quantity.test(text, over)


def _number(_: Criterion, __: Component, text: str, over: Over) -> str:
    return number.test(text, over)


def _date(criterion: Criterion, part: Component, text: str, over: Over) -> str:
    own = _own(criterion, part)
    return date.comparison(replace(own, values=(text,)), "d", over)


def _string(_: Criterion, __: Component, text: str, over: Over) -> str:
    return string.starts_with(text, "n", over)


TESTS: dict[str, Callable[[Criterion, Component, str, Over], str]] = {
    "quantity": _amount,
    "number": _number,
    "date": _date,
    "string": _string,
}
"""SQL of one component over index row `n`, its dates also as `d`."""
