"""Resources made for one search parameter: two that have a value of it, in letters a and b.

What a parameter reads is taken from its official expression, of which every alternative is a case;
the few that are no paths are written by hand.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.fhir.registry import STORED, SearchParameter, is_type, structure
from app.fhir.search.parameters.criterion import searchable, targets
from app.fhir.search.parameters.modifiers import hierarchy

Json = dict[str, Any]
Steps = list[tuple[str | None, str | None]]
"""The steps of a path: the name of an element, or the type it is taken as."""

RESOLVED = re.compile(r"\.where\(resolve\(\) is \w+\)")
CAST = re.compile(r"\((.*) as (\w+)\)")
PLAIN = re.compile(r"[A-Z]\w*(?:\.[a-z]\w*|\.as\(\w+\))*\Z")
STEP = re.compile(r"\.(?:as\((\w+)\)|(\w+))")
CODES = {"a": ("alpha", "Apple"), "b": ("beta", "Pear")}
DAYS = {"a": "2020-01-05", "b": "2020-03-05"}
SIZES = {"a": 5, "b": 9}
URLS = {"a": "http://x.org/a/b", "b": "http://x.org/c"}
SYSTEM, UCUM = "urn:s", "http://unitsofmeasure.org"

QUANTITIES = ("Quantity", "Age", "Count", "Distance", "Duration")
TOKENS = ("CodeableConcept", "Coding", "Identifier", "ContactPoint", "boolean")
READ = {
    "token": (*TOKENS, "code", "uri", "string", "id"),
    "string": ("string", "HumanName", "Address", "markdown"),
    "reference": ("Reference", "canonical", "uri"),
    "date": ("date", "dateTime", "instant", "Period", "Timing"),
    "number": ("integer", "decimal", "positiveInt", "unsignedInt"),
    "quantity": (*QUANTITIES, "Range"),
    "uri": ("uri", "url", "canonical"),
}
"""The types of elements of which a value is made here, by type of parameter."""

TELECOM = "telecom.where(system='{}')"
ODD = {
    "Patient.deceased.exists() and Patient.deceased != false": (
        "boolean",
        {"a": {"deceasedBoolean": True}, "b": {"deceasedBoolean": False}},
    ),
    **{
        f"{type_}.telecom.where(system='{system}')": (
            "ContactPoint",
            {
                letter: {"telecom": [{"system": system, "value": CODES[letter][0]}]}
                for letter in "ab"
            },
        )
        for type_ in ("Patient", "Practitioner", "PractitionerRole", "RelatedPerson")
        for system in ("phone", "email")
    },
    **{
        f"PlanDefinition.relatedArtifact.where(type='{kind}').resource": (
            "canonical",
            {
                letter: {"relatedArtifact": [{"type": kind, "resource": URLS[letter]}]}
                for letter in "ab"
            },
        )
        for kind in ("composed-of", "depends-on", "derived-from", "predecessor", "successor")
    },
}
"""The type of the element, and the elements of both resources, by expression."""


@dataclass(frozen=True, slots=True)
class Case:
    """Values of one parameter in elements of one type, and the elements that hold them."""

    parameter: SearchParameter
    kind: str
    elements: dict[str, Json]


def cases(type_: str) -> Iterator[Case]:
    """Every alternative of every parameter of the type that reads an element of its own."""
    for parameter in searchable(type_):
        if parameter.type in READ and parameter.code not in ("_id", "_lastUpdated"):
            for text in alternatives(parameter.expression):
                yield from _cases(parameter, text)


def alternatives(expression: str) -> list[str]:
    """The parts between the unions of an expression."""
    depth, found = 0, [""]
    for letter in expression:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "|" and not depth:
            found.append("")
        else:
            found[-1] += letter
    return [each.strip() for each in found]


def _cases(parameter: SearchParameter, text: str) -> Iterator[Case]:
    if text in ODD:
        yield Case(parameter, *ODD[text])
        return
    plain = CAST.sub(r"\1.as(\2)", RESOLVED.sub("", text).replace(".ofType(", ".as("))
    root = plain.partition(".")[0]
    if not PLAIN.match(plain) or root not in (parameter.base, "Resource", "DomainResource"):
        return
    steps = [(found[2], found[1]) for found in STEP.finditer(plain)]
    for kind in _kinds(parameter, steps):
        made = {letter: _nested(parameter, steps, kind, letter) for letter in "ab"}
        yield Case(parameter, kind, made)


def _owners(type_: str, steps: Steps) -> list[tuple[str, str, str]]:
    """The type that each element stands in, its name, and the type that is meant of it."""
    found: list[tuple[str, str, str]] = []
    owner = type_
    for name, cast in steps:
        if name is not None:
            of = next(iter(structure(owner)[name].names.values()))
            found.append((owner, name, of))
            owner = of
        elif cast is not None:
            owner = "dateTime" if cast == "DateTime" else cast
            found[-1] = (*found[-1][:2], owner)
    return found


def _kinds(parameter: SearchParameter, steps: Steps) -> list[str]:
    owner, name, of = _owners(parameter.base, steps)[-1]
    known = set(structure(owner)[name].names.values())
    if steps[-1][1] is not None:
        known &= {of}
    return sorted(known.intersection(READ[parameter.type]))


def _nested(parameter: SearchParameter, steps: Steps, kind: str, letter: str) -> Json:
    """The element at the end of the path, within those above it."""
    value: Any = sample(parameter, kind, letter)
    for at, (owner, name, of) in enumerate(reversed(_owners(parameter.base, steps))):
        element = structure(owner)[name]
        names = {type_: json_name for json_name, type_ in element.names.items()}
        value = {names[of if at else kind]: [value] if element.many else value}
    made: Json = value
    return made


def target(parameter: SearchParameter) -> str:
    """A type of this server that a reference parameter may point to: of a hierarchy, if one is."""
    known = [each for each in targets(parameter) if is_type(each)]
    return hierarchy(parameter) or (known[0] if known else "Patient")


def sample(parameter: SearchParameter, kind: str, letter: str) -> Any:
    """The JSON of a value."""
    code, display = CODES[letter]
    coding = {"system": SYSTEM, "code": code, "display": display}
    if parameter.type == "reference" and kind == "Reference":
        named = {"system": SYSTEM, "value": code}
        return {"reference": f"{target(parameter)}/{letter}", "identifier": named}
    if parameter.type in ("uri", "reference"):
        return URLS[letter]
    if kind in QUANTITIES:
        return amount(letter)
    made: dict[str, Any] = {
        "CodeableConcept": {"coding": [coding]},
        "Coding": coding,
        "Identifier": {
            "system": SYSTEM,
            "value": code,
            "type": {"coding": [{"system": "urn:t", "code": "T"}], "text": display},
        },
        "ContactPoint": {"system": "phone", "value": code},
        "boolean": letter == "a",
        "HumanName": {"family": display},
        "Address": {"city": display},
        "Period": {"start": DAYS[letter], "end": DAYS[letter]},
        "Timing": {"event": [DAYS[letter]]},
        "instant": f"{DAYS[letter]}T00:00:00Z",
        "Range": {"low": amount(letter), "high": amount(letter)},
    }
    plain = {"date": DAYS[letter], "number": SIZES[letter], "token": code}
    return made.get(kind, plain.get(parameter.type, display))


def amount(letter: str) -> Json:
    return {"value": SIZES[letter], "unit": "kg", "system": UCUM, "code": "kg"}


TYPES = sorted(STORED - {"AuditEvent"})
"""The audit trail is a table of its own: test_audit_search.py."""
