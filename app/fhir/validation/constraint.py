"""What a profile says beyond R4, as a tree of its elements: the differentials of its chain merged.

Each profile of a chain only tightens what the one before it says, so what the chain says together
is what a snapshot would say, without the thousand lines that repeat R4.
https://hl7.org/fhir/R4/profiling.html, https://hl7.org/fhir/R4/elementdefinition.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from app.fhir.context import Resource
from app.fhir.registry import is_resource, structure
from app.fhir.terminology.held import Held

CORE = "http://hl7.org/fhir/StructureDefinition/"
BY_TYPE: dict[str, Any] = {"discriminator": [{"type": "type", "path": "$this"}], "rules": "open"}
LIMIT = 20
"""How long a chain of profiles may be."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type an element may have, the profiles of it, and what a reference may point to."""

    code: str
    profiles: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Invariant:
    """A FHIRPath expression that must be true of an element."""

    key: str
    severity: str
    human: str
    expression: str


@dataclass(slots=True)
class Node:
    """What is said of one element, or of one slice of it; an empty one says nothing.

    `exactly` is of fixed[x], `pattern` of pattern[x]; `below` are the elements within it.
    """

    stem: str
    min: int = 0
    max: str = "*"
    kinds: tuple[Kind, ...] = ()
    exactly: Any = None
    pattern: Any = None
    binding: tuple[str, str] | None = None
    invariants: dict[str, Invariant] = field(default_factory=dict)
    must_support: bool = False
    slicing: Mapping[str, Any] | None = None
    slices: "dict[str, Node]" = field(default_factory=dict)
    below: "dict[str, Node]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Definitions:
    """Profiles by url and the terminology they name; `stamp` tells two of them apart.

    `targets` is what a resource refers to, by reference as it is written, as far as it is known.
    """

    profiles: Mapping[str, Resource] = field(compare=False)
    held: Held = field(compare=False)
    stamp: tuple[str, ...] = ()
    targets: Mapping[str, Resource] = field(default_factory=dict, compare=False)


@lru_cache(maxsize=512)
def compiled(url: str, definitions: Definitions) -> Node:
    """The tree of a profile. Raises LookupError with the url of a definition that is not held."""
    return merged(chain(url, definitions.profiles))


def chain(url: str, definitions: Mapping[str, Resource]) -> list[Resource]:
    """The profile and those it builds on, the most general first.

    Raises LookupError with the url of a definition that is not held, or that leads in a circle.
    """
    found: list[Resource] = []
    while True:
        one = definitions.get(url.partition("|")[0])
        if one is None or len(found) >= LIMIT:
            if is_core(url):
                break
            raise LookupError(url)
        found.append(one)
        if one.get("derivation") != "constraint":
            break
        url = str(one.get("baseDefinition", ""))
    return found[::-1]


def is_core(url: str) -> bool:
    """Whether this is the definition of a type of R4 itself."""
    name = url.partition("|")[0].removeprefix(CORE)
    return url.startswith(CORE) and (is_resource(name) or name in BESIDE or _is_known(name))


BESIDE = frozenset({"Resource", "DomainResource", "Element", "BackboneElement"})


def _is_known(name: str) -> bool:
    try:
        return bool(structure(name))
    except KeyError:
        return False


def merged(profiles: Sequence[Resource]) -> Node:
    """The tree of what these profiles of one chain say together."""
    root = Node("")
    for profile in profiles:
        for element in said(profile):
            steps = str(element.get("id") or element["path"]).split(".")[1:]
            node = _place(root, steps, profile["type"], element)
            _merge(node, element)
    return root


def said(profile: Resource) -> list[dict[str, Any]]:
    """The elements that a profile speaks about."""
    found: list[dict[str, Any]] = profile.get("differential", {}).get("element", [])
    return found or profile.get("snapshot", {}).get("element", [])


def _place(root: Node, steps: Iterable[str], type_: str, element: Mapping[str, Any]) -> Node:
    """The node of these steps, made where it is not there yet."""
    node, owner = root, type_
    for step in steps:
        name, _, slice_ = step.partition(":")
        stem, kind = stem_of(owner, name)
        node = node.below.setdefault(stem, Node(stem))
        if kind:
            node.slicing = node.slicing or BY_TYPE
        if slice_ or kind:
            made = Node(stem, kinds=(Kind(kind),) if kind else ())
            node = node.slices.setdefault(slice_ or name, made)
        owner = _owner(owner, stem, node)
    named = element.get("sliceName")
    if named and "id" not in element:
        node = node.slices.setdefault(str(named), Node(node.stem))
    return node


def stem_of(owner: str, name: str) -> tuple[str, str]:
    """The name without [x], and the type that a name such as valueQuantity chooses, if it does."""
    if name.endswith("[x]"):
        return name.removesuffix("[x]"), ""
    elements = _elements(owner)
    if name not in elements:
        for stem, element in elements.items():
            if name in element.names and len(element.names) > 1:
                return stem, element.names[name]
    return name, ""


def _owner(owner: str, stem: str, node: Node) -> str:
    """The type whose elements are below this one, "" where it is open."""
    if node.kinds:
        return node.kinds[0].code
    element = _elements(owner).get(stem)
    return next(iter(element.names.values())) if element and len(element.names) == 1 else ""


def _elements(type_: str) -> Mapping[str, Any]:
    try:
        return structure(type_)
    except KeyError:
        return {}


def _merge(node: Node, element: Mapping[str, Any]) -> None:
    node.min = max(node.min, element.get("min", 0))
    node.max = _lower(node.max, element.get("max", "*"))
    node.kinds = _kinds(element) or node.kinds
    for key, value in element.items():
        if key.startswith("fixed"):
            node.exactly = value
        elif key.startswith("pattern"):
            node.pattern = value
    binding = element.get("binding", {})
    if "valueSet" in binding:
        node.binding = (binding["strength"], binding["valueSet"])
    for one in element.get("constraint", ()):
        if "expression" in one and not is_core(str(one.get("source", ""))):
            made = Invariant(one["key"], one["severity"], one["human"], one["expression"])
            node.invariants[one["key"]] = made
    node.must_support = node.must_support or bool(element.get("mustSupport"))
    node.slicing = element.get("slicing") or node.slicing


def _lower(one: str, other: str) -> str:
    if "*" in (one, other):
        return other if one == "*" else one
    return one if int(one) <= int(other) else other


def _kinds(element: Mapping[str, Any]) -> tuple[Kind, ...]:
    return tuple(
        Kind(one["code"], tuple(one.get("profile", ())), tuple(one.get("targetProfile", ())))
        for one in element.get("type", ())
        if not one["code"].startswith("http:")
    )


def nodes(root: Node) -> Iterable[Node]:
    """The node and everything below it."""
    yield root
    for one in (*root.slices.values(), *root.below.values()):
        yield from nodes(one)
