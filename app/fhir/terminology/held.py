"""What is held of the terminology that a question is about; R4's own comes with the server.

The value sets that R4 binds elements to, and their code systems, as far as HL7 owns them; and the
extensions that a plan has use for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from app.fhir.context import Resource
from app.fhir.registry import read as definitions
from app.fhir.terminology.code_system import CodeSystem
from app.fhir.terminology.code_system import read as read_code_system

KINDS = {
    "ValueSet": "value-sets",
    "CodeSystem": "code-systems",
    "StructureDefinition": "extensions",
}


@dataclass(frozen=True, slots=True)
class Held:
    """The value sets and code systems by url; what is not here is not known."""

    value_sets: Mapping[str, Resource] = field(default_factory=dict)
    code_systems: Mapping[str, CodeSystem] = field(default_factory=dict)

    def value_set(self, canonical: str) -> Resource | None:
        return self.value_sets.get(canonical.partition("|")[0])

    def code_system(self, url: str) -> CodeSystem | None:
        return self.code_systems.get(url)


def of_r4(type_: str, url: str) -> Resource | None:
    """The ValueSet, CodeSystem, extension or profile that R4 itself defines at this url."""
    row = _rows(KINDS[type_]).get(url)
    return {"resourceType": type_, "url": url, "status": "active", **row} if row else None


def profiles_of_r4() -> Mapping[str, Resource]:
    """The extensions and profiles of R4 that are held, by url."""
    found = {url: of_r4("StructureDefinition", url) for url in _rows("extensions")}
    return {url: one for url, one in found.items() if one is not None}


@cache
def _rows(name: str) -> dict[str, dict[str, Any]]:
    return definitions(name)


@lru_cache(maxsize=512)
def code_system_of_r4(url: str) -> CodeSystem | None:
    """The code system of R4 at this url, read once."""
    found = of_r4("CodeSystem", url)
    return read_code_system(found) if found else None


def code_systems_of_r4() -> tuple[str, ...]:
    """The urls of the code systems of R4 that are held."""
    return tuple(_rows("code-systems"))


def imports(value_set: Resource) -> tuple[set[str], set[str]]:
    """The value sets and the code systems that a value set is put together from."""
    parts = [part for side in ("include", "exclude") for part in _side(value_set, side)]
    sets = {one.partition("|")[0] for part in parts for one in part.get("valueSet", ())}
    return sets, {part["system"] for part in parts if "system" in part}


def _side(value_set: Resource, side: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = value_set.get("compose", {}).get(side, [])
    return found
