"""The FHIRPath expression of a search parameter, made to run.

Those of R4, and plain paths of others, are compiled into functions. Every other expression that an
operator registers is evaluated by fhirpathpy, within bounds that count steps instead of seconds:
what is found in a resource must not depend on how busy the machine was.
https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression
"""

import re
import sys
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from importlib import import_module
from types import FrameType
from typing import Any

from app.fhir import fhirpath
from app.fhir.context import Resource
from app.fhir.fhirpath import Elements
from app.fhir.registry import SearchParameter, structure
from app.fhir.search.parameters.elements import PATH, elements

MAX_LENGTH = 2000
MAX_STEPS = 200_000
"""Calls of functions within one evaluation: some 0.3 s."""

CHOOSING = ("where", "select", "ofType", "as", "is", "extension", "iif", "resolve", "distinct")
COMBINING = ("first", "last", "tail", "skip", "take", "single", "union", "combine", "intersect")
ASKING = ("exists", "empty", "not", "all", "allTrue", "anyTrue", "count", "hasValue", "exclude")
READING = ("startsWith", "endsWith", "contains", "indexOf", "substring", "lower", "upper", "length")
MAKING = ("toString", "toInteger", "toDecimal", "toDate", "toDateTime", "toBoolean")
FUNCTIONS = frozenset(CHOOSING + COMBINING + ASKING + READING + MAKING)
"""Of https://hl7.org/fhirpath/N1/, but no clock, no recursion, no regular expressions."""

QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'")
CALLED = re.compile(r"([A-Za-z_]\w*)\s*\(")
OPERATORS = frozenset(("and", "or", "xor", "implies", "in", "is", "as", "div", "mod", "contains"))
TARGET_TYPE = re.compile(r"\.where\(\s*resolve\(\)\s+is\s+[A-Za-z]+\s*\)")
SELECTED = re.compile(r"\.where\([^()]*(?:\(\)[^()]*)*\)")
ENTRY = re.compile(r"[\s(]*[A-Z]\w*\.([a-z]\w*)")
ANSWERING = re.compile(r"\b(?:exists|empty|and|is)\b|[='\[]")
"""What answers about an element that is not there, or is no path."""
POINTERS = frozenset(("Reference", "Attachment", "Extension", "canonical", "Resource"))
TYPES = {bool: "boolean", int: "integer", str: "string", Decimal: "decimal"}
TEXTS = frozenset(("string", "code", "id", "markdown", "uri", "url", "canonical", "oid", "uuid"))
NUMBERS = frozenset(("integer", "decimal", "positiveInt", "unsignedInt", "Range"))
READABLE = {
    "token": TEXTS | {"CodeableConcept", "Coding", "Identifier", "ContactPoint", "boolean"},
    "string": TEXTS | {"HumanName", "Address"},
    "reference": frozenset(("Reference", "canonical", "uri", "url")),
    "date": frozenset(("date", "dateTime", "instant", "Period", "Timing", "string")),
    "number": NUMBERS,
    "quantity": frozenset(("Quantity", "Age", "Count", "Distance", "Duration", "Range")),
    "uri": TEXTS,
}
"""The elements that a parameter of a type can be about, as far as they are indexed."""

Evaluate = Callable[[Resource], Elements]


class Unevaluated(Exception):
    """An expression that cannot be read or, on a resource, not be evaluated; the text says why."""


def compiled(parameter: SearchParameter) -> Evaluate:
    """The elements, each with its type, that a parameter finds in a resource of its base.

    Raises Unevaluated for an expression that cannot be run; the function it gives raises it too.
    """
    if not parameter.state:
        return fhirpath.compile(parameter.expression)
    find, kinds = _run(parameter), READABLE[parameter.type]
    return lambda resource: [each for each in find(resource) if each[0] in kinds]


def _run(parameter: SearchParameter) -> Evaluate:
    _refuse(parameter.expression)
    if is_plain(parameter) or "resolve" in parameter.expression:
        try:
            return fhirpath.compile(parameter.expression)
        except ValueError:
            raise Unevaluated("resolve() is understood in .where(resolve() is Type) only") from None
    return _evaluated(parameter.expression)


def is_plain(parameter: SearchParameter) -> bool:
    """Whether the expression is paths of elements only, perhaps by the type of a target."""
    text = TARGET_TYPE.sub("", parameter.expression)
    return ".where(" not in text and bool(elements(parameter))


def is_told(parameter: SearchParameter) -> bool:
    """Whether it can be told which elements the parameter reads, and that none is a pointer.

    But for the references that a reference parameter finds, which are judged one by one.
    """
    if not is_plain(parameter):
        return False
    paths = re.findall(r"[A-Z]\w*(?:\.[a-z]\w*)+", TARGET_TYPE.sub("", parameter.expression))
    return not any(_points(path, parameter.type == "reference") for path in paths)


def members(parameter: SearchParameter) -> frozenset[str] | None:
    """The JSON names of a resource without all of which the parameter finds nothing in it.

    None where its expression does not say: one that is not made of paths, or registered.
    """
    text = SELECTED.sub("", parameter.expression)
    if parameter.state or ANSWERING.search(text):
        return None
    paths = [ENTRY.match(part) for part in text.split("|")]
    if not all(paths):
        return None
    elements_ = structure(parameter.base)
    found = (elements_.get(path[1]) for path in paths if path)
    return frozenset(name for element in found if element for name in element.names)


def _points(path: str, is_reference: bool) -> bool:
    """Whether a path leads through a pointer or, for other than references, to one."""
    owner, *names = path.split(".")
    for at, name in enumerate(names):
        types = list(structure(owner)[name].names.values())
        is_end = at == len(names) - 1
        if POINTERS.intersection(types) and not (is_end and is_reference):
            return True
        owner = types[0]
    return not PATH.match(path)


def _refuse(expression: str) -> None:
    if len(expression) > MAX_LENGTH:
        raise Unevaluated(f"it has more than {MAX_LENGTH} characters")
    called = set(CALLED.findall(QUOTED.sub("''", expression))) - OPERATORS
    if unknown := called - FUNCTIONS:
        raise Unevaluated(f"these functions cannot be used here: {', '.join(sorted(unknown))}")


@lru_cache(maxsize=512)
def _evaluated(expression: str) -> Evaluate:
    # Imported here: only who registers such an expression waits for it.
    import fhirpathpy
    from fhirpathpy.models import models

    try:
        run = fhirpathpy.compile(expression, models["r4"], {"returnRawData": True})
    except Exception as error:  # the library raises Exception itself
        raise Unevaluated(f"it is no FHIRPath: {_said(error)}") from None
    _refuse_errors(expression)

    def evaluate(resource: Resource) -> Elements:
        try:
            with _Bounded():
                found = run(resource, {"resource": resource, "rootResource": resource})
        except Exception as error:
            raise Unevaluated(_said(error)) from None
        return [element for each in found if (element := _element(each)) is not None]

    return evaluate


def _refuse_errors(expression: str) -> None:
    """fhirpathpy leaves out what it does not understand; here that is an error."""
    grammar: Any = import_module("fhirpathpy.parser")
    lexer = grammar.FHIRPathLexer(grammar.InputStream(expression))
    parser = grammar.FHIRPathParser(grammar.CommonTokenStream(lexer))
    lexer.removeErrorListeners()
    parser.removeErrorListeners()
    parser.entireExpression()
    if parser.getNumberOfSyntaxErrors():
        raise Unevaluated("it is no FHIRPath: it ends too early, or says something twice")


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


def _element(found: Any) -> tuple[str, Any] | None:
    """What fhirpathpy found, with its FHIR type; None for what is no element of FHIR."""
    value = getattr(found, "data", found)
    type_ = getattr(found, "path", None)
    if isinstance(type_, str) and value is not None:
        return type_, value
    kind = TYPES.get(type(value))
    return (kind, value) if kind else None


class _Bounded:
    """Within it Python may call MAX_STEPS functions; one more raises RecursionError."""

    __slots__ = ("_before", "_left")

    def __enter__(self) -> None:
        self._left, self._before = MAX_STEPS, sys.getprofile()
        sys.setprofile(self._step)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(self._before)

    def _step(self, _frame: FrameType, event: str, _argument: object) -> None:
        if event != "call":
            return
        self._left -= 1
        if self._left < 0:
            raise RecursionError(f"more than {MAX_STEPS} steps")
