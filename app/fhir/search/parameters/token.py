"""Token search: codes, identifiers, booleans. https://hl7.org/fhir/R4/search.html#token

Every value stands in `resource.keys` in each form it can be asked for: `code` in any system,
`system|code`, `|code` without a system, `system|` with any code, and for identifiers `:of-type`.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from app.fhir.errors import BadRequest
from app.fhir.registry import value_set
from app.fhir.search.parameters import string
from app.fhir.search.parameters.criterion import Criterion, Over, split, unescape
from app.fhir.search.parameters.elements import bound
from app.fhir.search.parameters.keys import key, param, presence
from app.fhir.search.parameters.modifiers import TERMINOLOGICAL

ANY, IN_SYSTEM, WHOLE_SYSTEM, OF_TYPE = "code", "system|code", "system|", "of-type"

TEXTS = {"text": "", "text-co": "contains", "text-ew": "ew"}
"""How texts are compared, by modifier; the last two are those of _filter."""

PRIMITIVES = frozenset(
    ("code", "string", "id", "uri", "url", "canonical", "oid", "uuid", "markdown")
)


def extract(name: str, elements: Iterable[tuple[str, Any]]) -> Iterator[int]:
    """The keys of these elements, (FHIR type, value) each, under the parameter `name`."""
    for type_, value in elements:
        if type_ == "Identifier":
            yield from _of_type(name, value)
        for system, code in _codings(type_, value):
            yield from _forms(name, system, code)


@lru_cache(maxsize=8192)
def _forms(name: str, system: str, code: str) -> tuple[int, ...]:
    """The keys of one value in each form; what is absent is ""."""
    found = [key(name, WHOLE_SYSTEM, system)] if system else []
    if code:
        found += [key(name, ANY, code), key(name, IN_SYSTEM, system, code)]
    return tuple(found)


def _codings(type_: str, value: Any) -> Iterator[tuple[str, str]]:
    """The (system, code) pairs of an element, "" for what is absent."""
    if type_ == "CodeableConcept":
        for coding in value.get("coding", ()):
            yield coding.get("system", ""), coding.get("code", "")
    elif type_ == "Coding":
        yield value.get("system", ""), value.get("code", "")
    elif type_ in ("Identifier", "ContactPoint"):
        yield value.get("system", ""), value.get("value", "")
    elif type_ == "boolean":
        yield "", "true" if value else "false"
    elif type_ in PRIMITIVES:
        yield "", value


def _of_type(name: str, identifier: Any) -> Iterator[int]:
    for coding in identifier.get("type", {}).get("coding", ()):
        parts = (coding.get("system"), coding.get("code"), identifier.get("value"))
        if all(parts):
            yield key(name, OF_TYPE, *parts)


def texts(elements: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """What `:text` searches: CodeableConcept.text, Coding.display and Identifier.type.text."""
    for type_, value in elements:
        if not isinstance(value, dict):
            continue
        concept = value.get("type", {}) if type_ == "Identifier" else value
        if type_ in ("CodeableConcept", "Identifier") and "text" in concept:
            yield concept["text"]
        codings = value.get("coding", ()) if type_ == "CodeableConcept" else (value,)
        if type_ in ("CodeableConcept", "Coding"):
            yield from (coding["display"] for coding in codings if "display" in coding)


def predicate(criterion: Criterion, over: Over) -> str:
    """SQL: the row has one of the values (`:not`: has none of them)."""
    name = f"{criterion.type}.{criterion.parameter.code}"
    if criterion.modifier in TEXTS:
        number = param(criterion.type, f"{criterion.parameter.code}:text")
        return string.compared(criterion, number, TEXTS[criterion.modifier], over)
    if criterion.modifier in TERMINOLOGICAL:
        raise BadRequest(f"':{criterion.modifier}' works in a search only.", code="not-supported")
    if criterion.modifier == "of-type":
        wanted = [_asked_of_type(name, value) for value in criterion.values]
    else:
        wanted = [key_ for value in criterion.values for key_ in _wanted(criterion, name, value)]
    has = f"{over.alias}.keys && {over.args.add(wanted, 'bigint[]')}"
    return f"NOT ({has})" if criterion.modifier == "not" else has


def _wanted(criterion: Criterion, name: str, value: str) -> list[int]:
    """The key that a value asks for, and that of a plain code whose meaning its binding gives."""
    own = asked(name, value)
    sets = bound(criterion.parameter) if "|" in value else ()
    if not sets:
        return [own]
    system, _, code = (unescape(part) for part in value.partition("|"))
    if not any(code in value_set(each).get(system, ()) for each in sets):
        return [own]
    return [own, key(name, IN_SYSTEM, "", code)]


def asked(name: str, value: str) -> int:
    """The key that a value in search syntax asks for. Raises BadRequest if there is none."""
    parts = [unescape(part) for part in split(value, "|")]
    if len(parts) == 1:
        return key(name, ANY, parts[0])
    if len(parts) > 2 or not any(parts):
        raise BadRequest(
            "A token is written code, system|code, |code or system|.", expression=(name,)
        )
    system, code = parts
    return key(name, IN_SYSTEM, system, code) if code else key(name, WHOLE_SYSTEM, system)


def _asked_of_type(name: str, value: str) -> int:
    parts = [unescape(part) for part in split(value, "|")]
    if len(parts) != 3 or not all(parts):
        raise BadRequest(":of-type is written system|code|value.", expression=(name,))
    return key(name, OF_TYPE, *parts)


def presence_predicate(criterion: Criterion, over: Over) -> str:
    """SQL of `:missing`, for a parameter of any type."""
    here = presence(criterion.type, criterion.parameter.code)
    has = f"{over.alias}.keys && ARRAY[{here}]::bigint[]"
    return f"NOT ({has})" if criterion.values == ("true",) else has
