"""A code system: its concepts, and which of them is more general than which.

https://hl7.org/fhir/R4/codesystem.html#hierarchy
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Json = Mapping[str, Any]
ABSTRACT = "notSelectable"
STATUS = "status"
RETIRED = frozenset({"retired", "deprecated", "withdrawn"})
ABOVE = frozenset({"parent", "subsumedBy"})
BELOW = "child"
"""Properties that name a more general concept beside the one it is nested in, or a special one."""


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept; `parents` are the codes right above it, `source` is it as it was defined."""

    code: str
    parents: tuple[str, ...]
    source: Json

    @property
    def display(self) -> str:
        return str(self.source.get("display", self.code))

    @property
    def definition(self) -> str | None:
        return self.source.get("definition")

    @property
    def designations(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.source.get("designation", [])
        return found

    @property
    def properties(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.source.get("property", [])
        return found

    def has(self, name: str) -> bool:
        """Whether a boolean property is true."""
        return any(one["code"] == name and one.get("valueBoolean") for one in self.properties)

    @property
    def is_abstract(self) -> bool:
        return self.has(ABSTRACT)

    @property
    def is_inactive(self) -> bool:
        said = {one.get("valueCode") for one in self.properties if one["code"] == STATUS}
        return self.has("inactive") or not RETIRED.isdisjoint(said)


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """`concepts` are in their order; `is_hierarchy` says that above means more general."""

    url: str
    version: str | None
    name: str
    is_complete: bool
    is_case_sensitive: bool
    is_hierarchy: bool
    concepts: Mapping[str, Concept]
    folded: Mapping[str, str] = field(default_factory=dict)

    def find(self, code: str) -> Concept | None:
        """The concept of this code, in whatever case the system lets it be written."""
        found = self.concepts.get(code)
        if found is None and not self.is_case_sensitive:
            found = self.concepts.get(self.folded.get(code.casefold(), ""))
        return found

    def above(self, code: str) -> frozenset[str]:
        """The code and all that are more general."""
        found: set[str] = set()
        left = [code]
        while left:
            one = left.pop()
            if one not in found and one in self.concepts:
                found.add(one)
                left += self.concepts[one].parents if self.is_hierarchy else ()
        return frozenset(found)

    def below(self, code: str) -> frozenset[str]:
        """The code and all that are more special."""
        return frozenset(one for one in self.concepts if code in self.above(one))


def read(resource: Json) -> CodeSystem:
    """The code system that a CodeSystem resource defines."""
    concepts = {one.code: one for one in _adopted([*_concepts(resource.get("concept", ()), None)])}
    is_sensitive = bool(resource.get("caseSensitive", True))
    return CodeSystem(
        url=resource["url"],
        version=resource.get("version"),
        name=str(resource.get("title") or resource.get("name") or resource["url"]),
        is_complete=resource.get("content") == "complete",
        is_case_sensitive=is_sensitive,
        is_hierarchy=resource.get("hierarchyMeaning", "is-a") in ("is-a", "part-of"),
        concepts=concepts,
        folded={} if is_sensitive else {code.casefold(): code for code in concepts},
    )


def _adopted(concepts: Sequence[Concept]) -> Iterator[Concept]:
    """The concepts, each with the parents that name it as their child."""
    parents: dict[str, list[str]] = {}
    for one in concepts:
        for child in _named(one.source, {BELOW}):
            parents.setdefault(child, []).append(one.code)
    for one in concepts:
        above = dict.fromkeys([*one.parents, *parents.get(one.code, ())])
        yield replace(one, parents=tuple(above))


def _named(concept: Json, properties: Collection[str]) -> list[str]:
    """The codes that a concept has under these properties."""
    given = (each for each in concept.get("property", ()) if each["code"] in properties)
    return [each["valueCode"] for each in given if "valueCode" in each]


def _concepts(given: Any, parent: str | None) -> Iterator[Concept]:
    for one in given:
        named = _named(one, ABOVE)
        parents = dict.fromkeys([*([parent] if parent else []), *named])
        yield Concept(one["code"], tuple(parents), one)
        yield from _concepts(one.get("concept", ()), one["code"])
