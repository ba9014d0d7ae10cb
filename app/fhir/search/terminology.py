"""Terminology, as much as searching needs: the codes of a value set, and what is above and below.

Pure, over ValueSet and CodeSystem resources that a look-up by URL provides.
https://hl7.org/fhir/R4/valueset.html#compositions, https://hl7.org/fhir/R4/codesystem.html#hierarchy
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from app.fhir.context import Resource
from app.fhir.errors import BadRequest

Code = tuple[str, str]
"""System and code; the code "" stands for every code of a system whose codes are not known."""

HIERARCHICAL = ("is-a", "descendent-of", "is-not-a", "generalizes")
MAX_CODES = 10_000
MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Definitions:
    """The ValueSets and CodeSystems at hand, by URL.

    `missing` collects what else is needed, as (type, url); when `is_complete`, there is no more.
    """

    value_sets: Mapping[str, Resource]
    code_systems: Mapping[str, Resource]
    is_complete: bool = False
    missing: set[Code] = field(default_factory=set)


def codes_of(url: str, known: Definitions, depth: int = 0) -> set[Code]:
    """The codes of a value set. Raises BadRequest where they cannot be told.

    What the definitions lack is noted in `missing`; the answer is incomplete then.
    """
    if depth > MAX_DEPTH:
        raise unclear(f"The value set {url} includes others without end.")
    value_set = known.value_sets.get(url.partition("|")[0])
    if value_set is None:
        known.missing.add(("ValueSet", url.partition("|")[0]))
        if known.is_complete:
            raise unclear(f"The server has no ValueSet {url}.", "not-found")
        return set()
    compose = value_set.get("compose")
    if compose is None:
        found = set(_contained(value_set.get("expansion", {})))
    else:
        found = _composed(compose, known, depth)
    if len(found) > MAX_CODES:
        raise unclear(f"The value set {url} has more than {MAX_CODES} codes.", "too-costly")
    return found


def unclear(text: str, code: str = "not-supported") -> BadRequest:
    """What is answered where a search by meaning cannot be decided."""
    return BadRequest(text, code=code)


def _contained(node: Resource) -> Iterator[Code]:
    for one in node.get("contains", ()):
        if one.get("code") and not one.get("abstract"):
            yield one.get("system", ""), one["code"]
        yield from _contained(one)


def _composed(compose: Resource, known: Definitions, depth: int) -> set[Code]:
    found: set[Code] = set()
    for part in compose.get("include", ()):
        found |= _part(part, known, depth)
    for part in compose.get("exclude", ()):
        excluded = _part(part, known, depth)
        whole = {system for system, code in found if not code}
        if known.is_complete and whole & {system for system, code in excluded if code}:
            raise unclear("A value set excludes codes of a system that is not known here.")
        gone = {system for system, code in excluded if not code}
        found = {one for one in found - excluded if one[0] not in gone}
    return found


def _part(part: Resource, known: Definitions, depth: int) -> set[Code]:
    """A code has to be in the system's part and in every one of the value sets it names."""
    sets = [codes_of(url, known, depth + 1) for url in part.get("valueSet", ())]
    if "system" in part:
        sets.append(_of_system(part, known))
    if not sets:
        return set()
    found = sets[0]
    for other in sets[1:]:
        found = _both(found, other) | _both(other, found)
    return found


def _both(some: set[Code], others: set[Code]) -> set[Code]:
    """Those of some that are among the others, which may hold whole systems."""
    return {one for one in some if one in others or (one[0], "") in others}


def _of_system(part: Resource, known: Definitions) -> set[Code]:
    system = part["system"]
    if "concept" in part:
        return {(system, one["code"]) for one in part["concept"]}
    code_system = known.code_systems.get(system)
    filters = part.get("filter", ())
    if code_system is None:
        known.missing.add(("CodeSystem", system))
        if filters and known.is_complete:
            raise unclear(f"There is no CodeSystem {system} here to filter codes by.", "not-found")
        return {(system, "")}
    tree = Tree.of(code_system)
    found = set(tree.parents)
    for each in filters:
        found &= tree.filtered(each)
    return {(system, code) for code in found}


@dataclass(frozen=True, slots=True)
class Tree:
    """The codes of a CodeSystem, each with those directly above it."""

    parents: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, code_system: Resource) -> "Tree":
        """By nesting, and by the properties parent, child and subsumedBy."""
        found: dict[str, set[str]] = {}
        _grow(code_system.get("concept", ()), None, found)
        return cls({code: frozenset(above) for code, above in found.items()})

    def above(self, code: str) -> set[str]:
        """The code and all that subsume it."""
        found, fresh = {code}, {code}
        while fresh:
            fresh = {up for one in fresh for up in self.parents.get(one, ())} - found
            found |= fresh
        return found

    def below(self, code: str) -> set[str]:
        """The code and all that it subsumes."""
        return {each for each in self.parents if code in self.above(each)} | {code}

    def filtered(self, wanted: Resource) -> set[str]:
        """The codes that pass a ValueSet.compose.include.filter on the hierarchy or the code."""
        op, value = wanted["op"], wanted["value"]
        if wanted["property"] in ("concept", "code") and op in HIERARCHICAL:
            below = self.below(value)
            return {
                "is-a": below,
                "descendent-of": below - {value},
                "is-not-a": set(self.parents) - below,
                "generalizes": self.above(value),
            }[op]
        if wanted["property"] in ("concept", "code") and op in ("=", "in"):
            return {each.strip() for each in value.split(",")}
        raise unclear(f"Filtering codes by {wanted['property']} {op} is not supported.")


def _grow(concepts: list[Resource], parent: str | None, found: dict[str, set[str]]) -> None:
    for concept in concepts:
        code = concept["code"]
        above = found.setdefault(code, set())
        if parent is not None:
            above.add(parent)
        for each in concept.get("property", ()):
            other = each.get("valueCode")
            if other and each["code"] in ("parent", "subsumedBy"):
                above.add(other)
            elif other and each["code"] == "child":
                found.setdefault(other, set()).add(code)
        _grow(concept.get("concept", ()), code, found)
