"""Whether a resource is what a profile says: each finding names the element and what is missing.

https://hl7.org/fhir/R4/profiling.html#conformance
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.fhir.context import Resource
from app.fhir.errors import Issue
from app.fhir.validation import slicing
from app.fhir.validation.constraint import Definitions, Kind, Node, compiled
from app.fhir.validation.expressions import Around, Unevaluated, Unknown, holds
from app.fhir.validation.matching import codings, is_bound, is_exactly, is_like
from app.fhir.validation.reference import REST
from app.fhir.validation.walk import Place, whole, within

DEPTH = 12
"""How deep profiles may lead to profiles."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges one resource by profiles; `about` is what %resource means in an invariant."""

    definitions: Definitions
    about: Resource
    depth: int = 0

    def resource(self, url: str) -> Iterator[Issue]:
        """What keeps the resource from being what the profile says."""
        yield from self.value(compiled(url, self.definitions), whole(self.about))

    def value(self, node: Node, place: Place) -> Iterator[Issue]:
        """What is wrong with one element by this node."""
        if node.kinds and not self.is_kind(node.kinds, place):
            yield _issue("structure", f"Must {_wanted(node.kinds, place)}", place)
            return
        yield from self.content(node, place)
        yield from self.by_profile(node.kinds, place)
        for child in node.below.values():
            yield from self.elements(child, place)

    def content(self, node: Node, place: Place) -> Iterator[Issue]:
        if node.exactly is not None and not is_exactly(place.value, node.exactly):
            yield _issue("value", f"Must be exactly {_short(node.exactly)}", place)
        if node.pattern is not None and not is_like(place.value, node.pattern):
            yield _issue("value", f"Must have at least {_short(node.pattern)}", place)
        if node.binding is not None:
            yield from self.bound(*node.binding, place)
        yield from self.invariants(node, place)

    def invariants(self, node: Node, place: Place) -> Iterator[Issue]:
        around = Around(self.about, self.definitions.targets, self.definitions.held)
        for one in node.invariants.values():
            try:
                if not holds(one.expression, place, around):
                    yield _issue("invariant", f"{one.key}: {one.human}", place, one.severity)
            except Unknown as error:
                said = f"{one.key} was not judged, since {error}: {one.human}"
                yield _issue("incomplete", said, place, "information")
            except Unevaluated as error:
                said = f"{one.key} could not be evaluated ({error}): {one.human}"
                yield _issue("not-supported", said, place, "warning")

    def bound(self, strength: str, canonical: str, place: Place) -> Iterator[Issue]:
        if strength not in ("required", "extensible"):
            return
        coded = list(codings(place.value))
        found = is_bound(place.value, canonical, self.definitions.held) if coded else None
        if found is False or (strength == "required" and not coded and place.value is not None):
            severity = "error" if strength == "required" else "warning"
            yield _issue("code-invalid", f"Must have a code of {canonical}", place, severity)

    def is_kind(self, kinds: Sequence[Kind], place: Place) -> bool:
        """Whether the element has one of the types, and points where that type lets it."""
        for one in kinds:
            if slicing.is_a(place.type, one.code) and self.is_target(one, place):
                return True
        return False

    def is_target(self, kind: Kind, place: Place) -> bool:
        types = {slicing.type_of(one, self.definitions.profiles) for one in kind.targets}
        if not types or None in types or "Resource" in types:
            return True
        target = slicing.target(place, self)
        return target is None or target.type in types or REST(target.path) is not None

    def by_profile(self, kinds: Sequence[Kind], place: Place) -> Iterator[Issue]:
        """An element of a profiled type is what one of the profiles of that type says."""
        known = [
            url
            for one in kinds
            if slicing.is_a(place.type, one.code)
            for url in one.profiles
            if url.partition("|")[0] in self.definitions.profiles
        ]
        if known and self.depth < DEPTH:
            # An entry of a Bundle is a resource by itself.
            about = place.value if place.path.endswith("].resource") else self.about
            inner = Judge(self.definitions, about, self.depth + 1)
            found = [
                list(inner.value(compiled(url.partition("|")[0], self.definitions), place))
                for url in known
            ]
            yield from min(found, key=lambda one: sum(i.severity == "error" for i in one))

    def elements(self, node: Node, parent: Place) -> Iterator[Issue]:
        """What is wrong with the elements of one name: how many there are, and each of them."""
        found = within(parent, node.stem)
        yield from counted(node, len(found), f"{parent.path}.{node.stem}", node.stem)
        for place in found:
            yield from self.value(node, place)
        if node.slices:
            yield from self.sliced(node, found, parent)

    def sliced(self, node: Node, found: Sequence[Place], parent: Place) -> Iterator[Issue]:
        """What is wrong with the slices of an element."""
        sorted_ = slicing.sort(self, node, found)
        path = f"{parent.path}.{node.stem}"
        if sorted_.unsure and slicing.looks_elsewhere(node):
            said = f"{', '.join(sorted(sorted_.unsure))} was not judged: what it depends on is not"
            yield Issue("incomplete", f"{said} there, or not known to you.", (path,), "information")
        for name, one in node.slices.items():
            own = sorted_.slices[name]
            if not sorted_.is_open(name):
                yield from counted(one, len(own), path, f"{node.stem}:{name}")
            for place in own:
                yield from self.value(one, place)
        if (node.slicing or {}).get("rules") == "closed":
            for place in sorted_.rest:
                said = f"Must be one of the slices {', '.join(node.slices)}"
                yield _issue("structure", said, place)


def counted(node: Node, number: int, path: str, name: str) -> Iterator[Issue]:
    """Whether an element is there as often as it must and may."""
    if number < node.min:
        said = f"{name} must be there at least {node.min} time{'s' * (node.min > 1)}"
        yield Issue("required", f"{said}; found {number}.", (path,))
    if node.max != "*" and number > int(node.max):
        said = f"{name} must be there at most {node.max} times" if node.max != "0" else ""
        yield Issue("structure", f"{said or f'{name} must not be there'}; found {number}.", (path,))


def unsupported(node: Node, place: Place) -> Iterator[str]:
    """The paths of the elements that must be supported and are not there."""
    for child in node.below.values():
        found = within(place, child.stem)
        if child.must_support and not found:
            yield f"{place.path}.{child.stem}"
        for one in found[:1]:
            yield from unsupported(child, one)


def _wanted(kinds: Sequence[Kind], place: Place) -> str:
    """What an element that is of none of the types must be, or refer to."""
    fitting = [one for one in kinds if slicing.is_a(place.type, one.code)]
    if fitting:
        targets = (url.rpartition("/")[2] for one in fitting for url in one.targets)
        return f"refer to {' or '.join(targets)}"
    return f"be of type {' or '.join(one.code for one in kinds)}"


def _issue(code: str, said: str, place: Place, severity: str = "error") -> Issue:
    return Issue(code, said if said.endswith(".") else f"{said}.", (place.path,), severity)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
