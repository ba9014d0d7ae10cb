"""Structure: is this JSON a resource of R4? One check per type, compiled from the definitions.

A check is a function from a JSON value to its problems, composed of the checks of the elements; the
common answer, no problem, costs a dictionary look-up and a call per element and builds nothing.
https://hl7.org/fhir/R4/validation.html, docs/decisions/0003-structure-definitions.md
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.fhir.errors import Issue
from app.fhir.registry import ElementDefinition, is_resource, parent, structure
from app.fhir.validation import bindings, contained, reference
from app.fhir.validation.invariants import RULES
from app.fhir.validation.primitives import PRIMITIVES
from app.fhir.validation.problem import (
    ENOUGH,
    FINE,
    INTERNAL,
    LIMIT,
    NULL,
    TOO_MANY,
    Check,
    Problem,
    Problems,
    Rule,
    problem,
    under,
    wrong_type,
)

EMPTY = "Must not be empty; leave the element out instead"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def validate(resource: Any, type_: str) -> list[Issue]:
    """What is wrong with this resource of this type: at most 100 issues, none if it is valid.

    Each issue has an issue type (structure, required, value, code-invalid, invariant, too-long),
    the FHIRPath of the element, and says what is allowed without repeating what was sent. Meta
    elements that the server sets are accepted.
    """
    if isinstance(resource, dict) and resource.get("resourceType") != type_:
        said = f"resourceType must be {type_}"
        return [Issue("structure", said, (f"{type_}.resourceType",))]
    found = whole_resource(resource)[:LIMIT]
    return [Issue(code, f"{said}.", (type_ + path,)) for path, code, said in found]


@dataclass(frozen=True, slots=True)
class Shape:
    """What an object of one type may hold.

    `checks` is by JSON name; `paths` holds the FHIRPath steps that differ from the JSON name;
    `choices` maps the names of choice elements to (stem, type); `stranger` judges an unknown name.
    `is_simple` promises that only `required` can be lacking in an object that has content.
    """

    checks: Mapping[str, Check]
    stranger: Check
    paths: Mapping[str, str]
    required: frozenset[str]
    choices: Mapping[str, tuple[str, str]]
    required_choices: tuple[tuple[str, frozenset[str]], ...]
    rules: tuple[Rule, ...]
    needs_content: bool
    is_simple: bool


def whole_resource(value: Any) -> Problems:
    """Check a resource that stands on its own, whatever its type."""
    found = any_resource(value)
    return contained.settle(value, found) if isinstance(value, dict) else found


def any_resource(value: Any) -> Problems:
    """Check a resource, leaving references to contained resources to whoever holds it."""
    type_ = value.get("resourceType") if type(value) is dict else None
    if type(type_) is not str or not is_resource(type_):
        return problem("structure", "Must be a resource: an object with an R4 resourceType")
    return object_of(type_)(value)


@cache
def object_of(type_: str) -> Check:
    """The check of a JSON object of this type; what it needs is compiled at its first use."""

    def check(value: Any) -> Problems:
        if type(value) is not dict:
            return wrong_type(value, f"an object ({type_})")
        shape = shape_of(type_)
        checks, stranger = shape.checks, shape.stranger
        found: list[Problem] = []
        for name, member in value.items():
            if problems := checks.get(name, stranger)(member):
                found += placed(value, name, problems, shape)
                if len(found) >= ENOUGH:
                    return [*found, TOO_MANY]
        if (
            not shape.is_simple
            or not shape.required.issubset(value)
            or (len(value) < 2 and (not value or "id" in value))
        ):
            found += incomplete(value, shape)
        if shape.rules and (not found or all(one.code in INTERNAL for one in found)):
            found += [one for rule in shape.rules for one in rule(value)]
        return found

    return check


def placed(value: Mapping[str, Any], name: str, found: Problems, shape: Shape) -> list[Problem]:
    """The problems of a member, under its path, without the nulls that its extensions excuse."""
    shadow = value.get(f"_{name}")
    excused = {f"[{at}]" for at, one in enumerate(shadow) if one} if type(shadow) is list else ()
    if name[:1] == "_" and name[1:] in value:  # an id beside a value is content
        found = [one for one in found if one.path or one.diagnostics != EMPTY or not value[name]]
    kept = (one for one in found if one.code != NULL or one.path not in excused)
    real = (one._replace(code="structure") if one.code == NULL else one for one in kept)
    step = shape.paths.get(name) or (f".{name}" if NAME.fullmatch(name) else "")
    return under(step, real)


def incomplete(value: Mapping[str, Any], shape: Shape) -> Sequence[Problem]:
    """What an object lacks as a whole, or has twice."""
    found: list[Problem] = []
    if shape.required_choices or not shape.required.issubset(value):
        found += missing(value, shape)
    if shape.choices:
        found += ambiguous(value, shape)
    if shape.needs_content and (not value or (len(value) == 1 and "id" in value)):
        found += problem("structure", EMPTY)
    return found


def missing(value: Mapping[str, Any], shape: Shape) -> Iterator[Problem]:
    """The required elements that are neither there nor excused by extensions of their own."""
    for name in sorted(shape.required):
        if name not in value and f"_{name}" not in value:
            yield Problem(f".{name}", "required", "Must be present")
    for stem, names in shape.required_choices:
        if names.isdisjoint(value):
            choices = ", ".join(sorted(name for name in names if name[0] != "_"))
            yield Problem(f".{stem}", "required", f"One of {choices} must be present")


def ambiguous(value: Mapping[str, Any], shape: Shape) -> Iterator[Problem]:
    """The choice elements that are there with more than one type."""
    taken = [shape.choices[name] for name in value if name in shape.choices]
    if len(taken) > 1:
        stems = [stem for stem, _ in set(taken)]
        for stem in sorted({stem for stem in stems if stems.count(stem) > 1}):
            yield Problem(f".{stem}", "structure", f"Only one {stem}[x] is allowed")


@cache
def shape_of(type_: str) -> Shape:
    """Compile what an object of this type may hold."""
    elements = structure(type_)
    checks: dict[str, Check] = {"resourceType": lambda _: FINE} if is_resource(type_) else {}
    paths: dict[str, str] = {}
    choices: dict[str, tuple[str, str]] = {}
    for stem, element in elements.items():
        for name, of in element.names.items():
            checks[name] = element_check(element, of)
            paths[name] = f".{stem}"
            if of in PRIMITIVES and has_extensions(type_, stem, of):
                checks[f"_{name}"] = repeated(nullable) if element.many else object_of("Element")
                paths[f"_{name}"] = f".{stem}"
            if len(element.names) > 1:
                choices |= {name: (stem, of), f"_{name}": (stem, of)}
    required = {stem: e for stem, e in elements.items() if e.required}
    return Shape(
        checks=checks,
        stranger=stranger(type_, checks),
        paths=paths,
        required=frozenset(stem for stem, e in required.items() if len(e.names) == 1),
        choices=choices,
        required_choices=tuple(
            (stem, frozenset(name for name, (of, _) in choices.items() if of == stem))
            for stem, e in required.items()
            if len(e.names) > 1
        ),
        rules=rules_of(type_),
        needs_content=not is_resource(type_),
        is_simple=not choices,
    )


def stranger(type_: str, checks: Mapping[str, Check]) -> Check:
    """The check of an element that the type does not have."""
    allowed = ", ".join(name for name in checks if name[0] != "_")
    found = problem("structure", f"Unknown element; {type_} has: {allowed}")
    return lambda _: found


def rules_of(type_: str) -> tuple[Rule, ...]:
    """The invariants of the type and of what it specialises."""
    above = parent(type_)
    return (rules_of(above) if above else ()) + RULES.get(type_, ())


def has_extensions(owner: str, name: str, type_: str) -> bool:
    """Whether a primitive element can have an id and extensions; ids, urls and xhtml cannot."""
    return name != "id" and type_ != "xhtml" and (owner, name) != ("Extension", "url")


def element_check(element: ElementDefinition, type_: str) -> Check:
    """The check of an element with this one of its types."""
    check = value_check(element, type_)
    return repeated(check) if element.many else check


def value_check(element: ElementDefinition, type_: str) -> Check:
    if type_ == "Resource":
        return any_resource if element.names.get("contained") else whole_resource
    check = PRIMITIVES.get(type_) or object_of(type_)
    if type_ == "Reference":
        return reference.to(element.targets, check)
    return bindings.bound(type_, element.codes, check) if element.codes else check


def nullable(value: Any) -> Problems:
    """Check an entry of the array that holds the extensions of a repeating primitive."""
    return FINE if value is None else object_of("Element")(value)


def repeated(check: Check) -> Check:
    """The check of an array, of which every item passes this check."""

    def each(value: Any) -> Problems:
        if type(value) is not list:
            return wrong_type(value, "an array")
        if not value:
            return problem("structure", "Must not be an empty array; leave the element out")
        found: list[Problem] = []
        for at, item in enumerate(value):
            if problems := check(item):
                found += under(f"[{at}]", problems)
                if len(found) >= ENOUGH:
                    return [*found, TOO_MANY]
        return found

    return each
