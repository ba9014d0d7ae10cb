"""Which codes a value set has. https://hl7.org/fhir/R4/valueset.html#compositions"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.fhir.context import Resource
from app.fhir.errors import Unprocessable
from app.fhir.terminology.code_system import CodeSystem, Concept
from app.fhir.terminology.filters import filtered
from app.fhir.terminology.held import Held

Json = Mapping[str, Any]
ANY = ""
"""The code of a Member that stands for every code of its system."""


@dataclass(frozen=True, slots=True)
class Member:
    """One code of a value set."""

    system: str
    code: str
    display: str
    version: str | None = None
    is_abstract: bool = False
    is_inactive: bool = False
    designations: tuple[dict[str, Any], ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.system, self.code


Members = dict[tuple[str, str], Member]
"""Members by system and code, in their order."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is held; whether a whole system that is not held may stand as ANY; the sets around."""

    held: Held
    is_open: bool
    within: tuple[str, ...] = ()


def members(value_set: Resource, held: Held, *, is_open: bool = False) -> list[Member]:
    """The codes of a value set in their order, each once.

    Raises Unprocessable for a code system or value set that is not held, and for sets that import
    each other in a circle. `is_open`: of a system that is not held in full ANY stands for all.
    """
    return _members(value_set, _Asked(held, is_open))


def _members(value_set: Resource, asked: _Asked) -> list[Member]:
    url = str(value_set.get("url", ""))
    if url and url in asked.within:
        raise Unprocessable(f"The value set {url} imports itself.", code="invalid")
    if "compose" not in value_set:
        return list(_expanded(value_set.get("expansion", {}).get("contains", ())))
    inner, compose = replace(asked, within=(*asked.within, url)), value_set["compose"]
    found = _without(
        _union(compose.get("include", ()), inner), _union(compose.get("exclude", ()), inner)
    )
    is_active_only = compose.get("inactive") is False
    return [one for one in found.values() if not (is_active_only and one.is_inactive)]


def _union(parts: Iterable[Json], asked: _Asked) -> Members:
    found: Members = {}
    for part in parts:
        for one in _part(part, asked):
            found.setdefault(one.key, one)
    return found


def _without(found: Members, excluded: Members) -> Members:
    """Raises Unprocessable where single codes are taken from a system that ANY stands for."""
    if any(code != ANY and (system, ANY) in found for system, code in excluded):
        raise Unprocessable("Codes are excluded from a code system that is not held in full here.")
    return {key: one for key, one in found.items() if not _has(excluded, one)}


def _has(found: Members, one: Member) -> bool:
    return one.key in found or (one.system, ANY) in found


def _part(part: Json, asked: _Asked) -> list[Member]:
    """What is in the system as the part says, and in every value set it names."""
    own = list(_of_system(part, asked)) if "system" in part else None
    for canonical in part.get("valueSet", ()):
        imported = _members(_imported(canonical, asked.held), asked)
        own = imported if own is None else _both(own, imported)
    return own or []


def _both(some: Iterable[Member], others: Iterable[Member]) -> list[Member]:
    left, right = ({one.key: one for one in part} for part in (some, others))
    found = [one for one in left.values() if _has(right, one)]
    return found + [one for key, one in right.items() if key not in left and _has(left, one)]


def _imported(canonical: str, held: Held) -> Resource:
    found = held.value_set(canonical)
    if found is None:
        raise Unprocessable(f"The value set {canonical} is not held here.", code="not-found")
    return found


def _of_system(part: Json, asked: _Asked) -> Iterator[Member]:
    url = part["system"]
    system = asked.held.code_system(url)
    if "concept" in part:
        yield from (_listed(one, url, system) for one in part["concept"])
        return
    is_whole = system is not None and system.is_complete
    if not is_whole and asked.is_open and not part.get("filter"):
        yield Member(url, ANY, "")
        return
    if system is None or not is_whole:
        raise Unprocessable(
            f"The code system {url} is not held here in full: load it as a CodeSystem, or list its"
            " codes in the value set.",
            code="not-supported",
        )
    for concept in filtered(system, part.get("filter", ())):
        yield _member(concept, system)


def _listed(one: Json, url: str, system: CodeSystem | None) -> Member:
    concept = system.find(one["code"]) if system else None
    known = _member(concept, system) if concept and system else Member(url, one["code"], "")
    return Member(
        url,
        one["code"],
        one.get("display") or known.display,
        known.version,
        known.is_abstract,
        known.is_inactive,
        (*one.get("designation", ()), *known.designations),
    )


def _member(concept: Concept, system: CodeSystem) -> Member:
    return Member(
        system.url,
        concept.code,
        concept.display,
        system.version,
        concept.is_abstract,
        concept.is_inactive,
        tuple(concept.designations),
    )


def _expanded(contains: Iterable[Json]) -> Iterator[Member]:
    for one in contains:
        if "code" in one and "system" in one:
            yield Member(
                one["system"],
                one["code"],
                one.get("display", ""),
                one.get("version"),
                bool(one.get("abstract")),
                bool(one.get("inactive")),
                tuple(one.get("designation", ())),
            )
        yield from _expanded(one.get("contains", ()))


def matching(found: Iterable[Member], text: str) -> list[Member]:
    """The members that have every word of the text, as the beginning of a word, in any case."""
    patterns = [re.compile(rf"\b{re.escape(word)}", re.IGNORECASE) for word in text.split()]
    return [one for one in found if all(p.search(f"{one.code} {one.display}") for p in patterns)]
