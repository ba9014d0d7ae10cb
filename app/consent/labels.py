"""Label service: which sensitivity labels a resource bears, by its author's word and by its codes.

The author's labels are never taken away; definitions/sensitive-codes.json adds what follows from
codes anywhere in the resource. Nothing is written into the resource: a label that follows from a
code is found anew whenever the value sets change. That a record is one of a 42 CFR Part 2 program
no code can tell: its author says so, by sec-label-basis or the name of the law.
https://hl7.org/fhir/R4/security-labels.html, https://hl7.org/fhir/uv/security-label-ds4p/
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from app.consent.sensitivity import (
    ACT_CODE,
    NORMAL,
    PART_2,
    PRIVACY_LAW,
    PSYCHOTHERAPY_NOTES,
    RESTRICTED,
    level,
    sensitivity,
)
from app.fhir.context import Resource
from app.fhir.json import parse

BASIS = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-basis"
ICD = ("http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10")
"""Classifications in which a category stands for all codes that begin with it."""

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Labels:
    """How confidential (0..5), which sensitivities, and which laws ask for their own consent."""

    confidentiality: int
    sensitivities: tuple[str, ...]
    seals: tuple[str, ...]


def labels(resource: Resource, codes: Iterable[Pair]) -> Labels:
    """The labels of a resource that holds these (system, code) pairs.

    Restricted when sensitive and its author named no level, normal otherwise.
    """
    given = resource.get("meta", {}).get("security", [])
    told = {label for coding in given if (label := sensitivity(coding))}
    found = told | {label for pair in codes for label in _of_code(pair)}
    levels = [each for coding in given if (each := level(coding)) is not None]
    usual = RESTRICTED if found else NORMAL
    return Labels(max(levels, default=usual), tuple(sorted(found)), _seals(given, told))


def _seals(given: list[Any], told: set[str]) -> tuple[str, ...]:
    is_part_2 = any(_names_part_2(coding) for coding in given)
    seals = [PART_2] * is_part_2 + [PSYCHOTHERAPY_NOTES] * (PSYCHOTHERAPY_NOTES in told)
    return tuple(seals)


def _names_part_2(coding: Any) -> bool:
    based = (e.get("valueCoding", {}) for e in coding.get("extension", ()) if e.get("url") == BASIS)
    return any(
        each.get("code") == PART_2 and each.get("system") in (ACT_CODE, PRIVACY_LAW)
        for each in (coding, *based)
    )


def _of_code(pair: Pair) -> Iterator[str]:
    system, code = pair
    known = _value_sets().get(ICD[0] if system in ICD else system)
    if known is None:
        return
    yield from known.get(code, ())
    if system in ICD:
        for size in range(3, len(code)):
            yield from known.get(code[:size], ())


@cache
def _value_sets() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """By system and code: the labels that follow."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    path = files("app.consent") / "definitions" / "sensitive-codes.json"
    for label, systems in parse(path.read_bytes()).items():
        for system, codes in systems.items():
            known = found.setdefault(system, {})
            for code in codes:
                known[code] = known.get(code, frozenset()) | {label}
    return found
