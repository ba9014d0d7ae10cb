"""Which slice an element belongs to. https://hl7.org/fhir/R4/profiling.html#discriminator

An element is in a slice when what the discriminators lead to is what the slice says of it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from app.fhir.context import Resource
from app.fhir.registry import is_resource, parent
from app.fhir.validation.constraint import CORE, Kind, Node, compiled, stem_of
from app.fhir.validation.reference import RELATIVE, REST
from app.fhir.validation.walk import Place, whole, within

if TYPE_CHECKING:
    from app.fhir.validation.profile import Judge

STEP = re.compile(r"\.?(\$this|extension\('[^']*'\)|resolve\(\)|ofType\([A-Za-z]+\)|[A-Za-z]\w*)")
EXTENSIONS = frozenset({"extension", "modifierExtension"})


@dataclass(slots=True)
class Sorted:
    """The elements by slice, those in none, and the slices that could not be told apart."""

    slices: dict[str, list[Place]]
    rest: list[Place] = field(default_factory=list)
    unsure: set[str] = field(default_factory=set)

    def is_open(self, name: str) -> bool:
        """Whether there may be more in the slice than is known."""
        return name in self.unsure


def sort(judge: "Judge", node: Node, found: Sequence[Place]) -> Sorted:
    """Put every element into the first slice that it fits into."""
    made = Sorted({name: [] for name in node.slices})
    for place in found:
        for name, one in node.slices.items():
            answer = _fits(judge, node, one, place)
            if answer is None:
                made.unsure.add(name)
            if answer:
                made.slices[name].append(place)
                break
        else:
            made.rest.append(place)
    return made


def _fits(judge: "Judge", node: Node, one: Node, place: Place) -> bool | None:
    if node.stem in EXTENSIONS and one.kinds and one.kinds[0].profiles:
        urls = {url.partition("|")[0] for url in one.kinds[0].profiles}
        return place.content.get("url") in urls
    discriminators = (node.slicing or {}).get("discriminator", ())
    answers = [_discriminated(judge, each, one, place) for each in discriminators]
    if not answers or False in answers:
        return False if answers else None
    return None if None in answers else True


def _discriminated(judge: "Judge", by: Mapping[str, str], one: Node, place: Place) -> bool | None:
    """Whether the element is what the slice says at the path of one discriminator."""
    steps = [step for step in STEP.findall(by["path"]) if step != "$this"]
    node, places = _follow(judge, steps, one, [place])
    if node is None:
        return None
    if by["type"] == "exists":
        return bool(places) if node.min else not places if node.max == "0" else None
    if by["type"] == "type":
        return any(judge.is_kind(node.kinds, each) for each in places)
    if any(is_unknown(each) and judge.is_kind(node.kinds, each) for each in places):
        return None
    tell = _is if by["type"] == "profile" else _agrees
    return any(tell(judge, node, each) for each in places)


def _is(judge: "Judge", node: Node, place: Place) -> bool:
    return not any(issue.severity == "error" for issue in judge.value(node, place))


def _agrees(judge: "Judge", node: Node, place: Place) -> bool:
    """Whether an element has the values that the slice says; all else it says is judged within."""
    if node.kinds and not judge.is_kind(node.kinds, place):
        return False
    only = replace(node, invariants={})
    if any(issue.severity == "error" for issue in judge.content(only, place)):
        return False
    return all(
        any(_agrees(judge, child, each) for each in within(place, child.stem))
        for child in node.below.values()
        if _has_value(child)
    )


def _has_value(node: Node) -> bool:
    is_said = node.exactly is not None or node.pattern is not None
    return is_said or any(map(_has_value, node.below.values()))


def _follow(
    judge: "Judge", steps: Sequence[str], node: Node, places: list[Place]
) -> tuple[Node | None, list[Place]]:
    """The node and the elements at the end of a path."""
    for step in steps:
        if step == "resolve()":
            places = [found for one in places if (found := target(one, judge))]
            node = _of_targets(judge, node)
        elif step.startswith("ofType("):
            places = [one for one in places if is_a(one.type, step[7:-1])]
        elif step.startswith("extension("):
            inner = _extension(node, step[11:-2])
            places = [e for one in places for e in _named(one, step[11:-2])]
            if inner is None:
                return None, places
            node = inner
        else:
            stem = stem_of(places[0].type if places else "", step)[0]
            places = [found for one in places for found in within(one, stem)]
            if (inner := _below(judge, node, stem)) is None:
                return None, places
            node = inner
    return node, places


def _named(place: Place, url: str) -> Iterator[Place]:
    return (one for one in within(place, "extension") if one.content.get("url") == url)


def _extension(node: Node, url: str) -> Node | None:
    held = node.below.get("extension", Node("extension"))
    for one in held.slices.values():
        if any(url in kind.profiles for kind in one.kinds):
            return one
    return None


def _below(judge: "Judge", node: Node, stem: str) -> Node | None:
    """What the slice says of an inner element, itself or by the profile of its type."""
    if stem in node.below:
        return node.below[stem]
    for kind in node.kinds:
        for url in kind.profiles:
            plain = url.partition("|")[0]
            if plain in judge.definitions.profiles:
                return compiled(plain, judge.definitions).below.get(stem)
    return None


def _of_targets(judge: "Judge", node: Node) -> Node:
    """What the slice says of that to which a reference points."""
    known = [url for kind in node.kinds for url in kind.targets]
    profiles = judge.definitions.profiles
    kinds = tuple(
        Kind(type_of(url, profiles) or "Resource", (url,) if url in profiles else ())
        for url in known
    )
    return Node(node.stem, kinds=kinds)


def looks_elsewhere(node: Node) -> bool:
    """Whether it takes what a reference points to, to tell the slices of the element apart."""
    by = (node.slicing or {}).get("discriminator", ())
    return any("resolve()" in one.get("path", "") for one in by)


def target(place: Place, judge: "Judge") -> Place | None:
    """What a reference points to, or only its type; None where not even that is known.

    The path of a target by its type is the reference itself.
    """
    if not isinstance(place.value, dict):
        return None
    literal = str(place.value.get("reference", ""))
    if literal.startswith("#"):
        inside = (one for one in judge.about.get("contained", ()) if one.get("id") == literal[1:])
        return next((whole(one) for one in inside), None)
    if literal in judge.definitions.targets:
        return whole(judge.definitions.targets[literal])
    found = RELATIVE(literal) or REST(literal)
    type_ = found[1] if found else place.value.get("type")
    return Place(literal, str(type_), str(type_), None) if type_ else None


def is_unknown(place: Place) -> bool:
    """Whether this is the target of a reference of which the content is not known."""
    return False if place.value is not None or place.more is not None else is_resource(place.type)


def type_of(url: str, profiles: Mapping[str, Resource]) -> str | None:
    """The type that a profile is on; None for one that is not held."""
    plain = url.partition("|")[0]
    if plain in profiles:
        return str(profiles[plain]["type"])
    name = plain.removeprefix(CORE)
    return name if plain.startswith(CORE) and (is_resource(name) or name == "Resource") else None


@cache
def is_a(type_: str, ancestor: str) -> bool:
    """Whether a type is another one, or specialises it; any type is a Resource or an Element."""
    if type_ == ancestor or ancestor in ("Resource", "Element", "BackboneElement"):
        return True
    above = parent(type_)
    return bool(above) and is_a(above, ancestor)
