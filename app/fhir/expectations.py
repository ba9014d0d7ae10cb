"""Which searches US Core expects of a server, for the types that are stored here.

Facts of its CapabilityStatement: by type, each parameter, or parameters together joined by +, that
a server SHALL or SHOULD search by; what it only MAY is left out.
http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server
"""

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any

from app.fhir.registry import read

EXPECTATION = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation"
COMBINATION = (
    "http://hl7.org/fhir/StructureDefinition/capabilitystatement-search-parameter-combination"
)


def expected(type_: str, code: str) -> dict[str, Any]:
    """The extension that says how much this parameter is expected, {} where it is not."""
    found = _searches().get(type_, {}).get(code)
    return {"extension": [_level(found)]} if found else {}


def combinations(type_: str, codes: Collection[str]) -> Iterator[dict[str, Any]]:
    """The extensions of what is expected to be searched by together, and can be with these."""
    for names, level in _searches().get(type_, {}).items():
        parts = names.split("+")
        if len(parts) > 1 and set(parts) <= set(codes):
            required = [{"url": "required", "valueString": part} for part in parts]
            yield {"url": COMBINATION, "extension": [_level(level), *required]}


def _level(code: str) -> dict[str, str]:
    return {"url": EXPECTATION, "valueCode": code}


@cache
def _searches() -> Mapping[str, Mapping[str, str]]:
    return read("us-core-searches")
