"""FHIRPath, as much as search parameters use of it, compiled once into plain functions.

Paths, choice types, `as` and `is`, unions, indexers, `=`, `!=`, `and`, and the FUNCTIONS. Types
come from the structure definitions, so that every element found says what it is.
https://hl7.org/fhirpath/N1/, https://hl7.org/fhir/R4/fhirpath.html
"""

import re
from collections.abc import Callable, Iterator

from app.fhir import fhirpath_steps as steps
from app.fhir.context import Resource
from app.fhir.fhirpath_steps import Element, Elements, Evaluate

__all__ = ["Element", "Elements", "compile", "compile_relative"]

PLAIN = re.compile(r"[A-Z]\w*(?:\.[a-z]\w*)+")
TOKEN = re.compile(r"\s*('(?:[^'\\]|\\.)*'|[A-Za-z_]\w*|\d+|!=|[.()\[\]|=,])")


def compile(expression: str) -> Callable[[Resource], Elements]:
    """An evaluator of this expression on a whole resource.

    Elements come in document order; a primitive that has only extensions is left out. `resolve()`
    fetches nothing: it knows the type of the target, and its content if it is contained. Raises
    ValueError for an expression outside the subset.
    """
    if PLAIN.fullmatch(expression):
        root, *names = expression.split(".")
        along = steps.path(root, names)
        return lambda resource: along([], resource)
    evaluate = _Parser(expression).whole()
    return lambda resource: evaluate([(resource["resourceType"], resource)], resource)


def compile_relative(expression: str) -> Callable[[Element, Resource], Elements]:
    """An evaluator on one element of a resource, for the components of composite parameters."""
    evaluate = _Parser(expression).whole()
    return lambda element, resource: evaluate([element], resource)


class _Parser:
    """Recursive descent over the tokens, loosest operator first."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = list(_tokens(expression))
        self.at = 0

    def whole(self) -> Evaluate:
        found = self.conjunction()
        if self.next:
            raise self.unexpected()
        return found

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def accept(self, *tokens: str) -> str:
        return self.take() if self.next in tokens else ""

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise self.unexpected()

    def unexpected(self) -> ValueError:
        return ValueError(f"not in the FHIRPath subset: {self.expression}")

    def conjunction(self) -> Evaluate:
        found = self.equality()
        while self.accept("and"):
            found = steps.both(found, self.equality())
        return found

    def equality(self) -> Evaluate:
        found = self.union()
        while operator := self.accept("=", "!="):
            found = steps.equal(found, self.union(), operator == "=")
        return found

    def union(self) -> Evaluate:
        found = self.typed()
        while self.accept("|"):
            found = steps.union(found, self.typed())
        return found

    def typed(self) -> Evaluate:
        found = self.path()
        while operator := self.accept("as", "is"):
            found = steps.then(
                found, (steps.of_type if operator == "as" else steps.is_type)(self.take())
            )
        return found

    def path(self) -> Evaluate:
        found = self.start()
        while separator := self.accept(".", "["):
            found = steps.then(found, self.invocation() if separator == "." else self.index())
        return found

    def index(self) -> Evaluate:
        position = int(self.take())
        self.expect("]")
        return lambda focus, _: focus[position : position + 1]

    def start(self) -> Evaluate:
        token = self.next
        if self.accept("("):
            found = self.conjunction()
            self.expect(")")
            return found
        if token[:1] == "'" or token.isdigit() or token in ("true", "false"):
            return steps.literal(self.take())
        if token[:1].isupper():
            return steps.root(self.take())
        return self.invocation()

    def invocation(self) -> Evaluate:
        name = self.take()
        if not name.isidentifier():
            raise self.unexpected()
        if not self.accept("("):
            return steps.member(name)
        function = self.function(name)
        self.expect(")")
        return function

    def function(self, name: str) -> Evaluate:
        if name == "where":
            return steps.where(self.conjunction())
        if name in ("as", "ofType"):
            return steps.of_type(self.take())
        if name == "extension":
            return steps.extension(self.take()[1:-1])
        if name not in steps.FUNCTIONS:
            raise self.unexpected()
        return steps.FUNCTIONS[name]


def _tokens(expression: str) -> Iterator[str]:
    at = 0
    while at < len(expression.rstrip()):
        found = TOKEN.match(expression, at)
        if not found:
            raise ValueError(f"not FHIRPath at character {at}: {expression}")
        yield found[1]
        at = found.end()
