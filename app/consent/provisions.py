"""Provisions → what each of them asks for in effect: a child inherits what it does not say itself.

What cannot be understood never opens anything: in a permit it matches nothing, in a denial all.
https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.consent import marks, purpose
from app.consent.sensitivity import HIGHEST, LOWEST, covered, level, sensitivity
from app.fhir.references import local
from app.fhir.search.parameters.date import EARLIEST, LATEST

Span = tuple[datetime, datetime]
Element = dict[str, Any]

ALWAYS: Span = (EARLIEST, LATEST)
NEVER: Span = (EARLIEST, EARLIEST)

CONDITIONS = (
    *("purpose", "actor", "action"),
    *("securityLabel", "class", "code", "dataPeriod", "data"),
)
"""The elements of a provision that limit it, its period aside; a nested one inherits them."""

ACTIONS = "http://terminology.hl7.org/CodeSystem/consentaction"
ACTION_CODES = frozenset({"collect", "access", "use", "disclose", "correct"})
ACTORS = frozenset(
    {"Organization", "Practitioner", "PractitionerRole", "RelatedPerson", "Patient"}
    | {"CareTeam", "Group"}
)
RECIPIENTS = frozenset({"IRCP", "PRCP", "GRANTEE", "DELEGATEE"})
"""Roles of an actor who gets to see something; who signs or discloses is nobody a rule is about."""

EVERY_LEVEL = (LOWEST, HIGHEST)
NO_LEVEL = (HIGHEST, LOWEST)


@dataclass(frozen=True, slots=True)
class Node:
    """A provision with what it says and what it inherits; `path` is "0." for the root, "0.1.", …

    `label_type` is the type of the provision that the labels stand in: "restricted" in a permit is
    restricted or lower to the denials within it as well.
    """

    path: str
    type: str | None
    elements: Mapping[str, Any]
    period: Span
    label_type: str | None


@dataclass(frozen=True, slots=True)
class Data:
    """Resources a rule names, as keys; of `related`, references, also what they refer to."""

    instances: frozenset[int] = frozenset()
    dependents: frozenset[int] = frozenset()
    authors: frozenset[int] = frozenset()
    related: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Terms:
    """To whom and to what a provision applies; None is no limit, an empty set is met by nothing.

    Actors, purposes and actions say whether it applies to a request; the rest is its extent: levels
    from least to most or one of the labels, and classes, codes, time, data.
    """

    actors: frozenset[str] | None = None
    purposes: frozenset[str] | None = None
    actions: frozenset[str] | None = None
    levels: tuple[int, int] = EVERY_LEVEL
    labels: frozenset[str] = frozenset()
    classes: frozenset[int] | None = None
    codes: frozenset[int] | None = None
    time: Span | None = None
    data: Data | None = None


def nodes(root: Element) -> Iterator[Node]:
    """The root provision and all nested ones, each before its children."""
    yield from _nodes(root, Node("", None, {}, ALWAYS, None), 0)


def _nodes(provision: Element, parent: Node, number: int) -> Iterator[Node]:
    own = {name: provision[name] for name in CONDITIONS if name in provision}
    type_ = provision.get("type")
    node = Node(
        f"{parent.path}{number}.",
        type_,
        {**parent.elements, **own},
        within(parent.period, span(provision.get("period"))),
        type_ if "securityLabel" in own else parent.label_type,
    )
    yield node
    for at, child in enumerate(provision.get("provision", ())):
        yield from _nodes(child, node, at)


def span(element: Any) -> Span:
    """The half-open range of a Period; an absent end is open, an unreadable one is never."""
    if not isinstance(element, dict):
        return ALWAYS
    try:
        return marks.span(element)
    except (ValueError, TypeError):
        return NEVER


def within(one: Span, other: Span) -> Span:
    """The part both ranges cover."""
    return max(one[0], other[0]), min(one[1], other[1])


def terms(node: Node, base_url: str) -> Terms:
    """What a provision applies to."""
    elements, permits = node.elements, node.type == "permit"
    levels, kinds = _labels(elements.get("securityLabel"), permits, node.label_type or node.type)
    return Terms(
        _actors(elements.get("actor"), base_url, permits),
        _limit(elements.get("purpose"), _purpose, permits),
        _actions(elements.get("action"), permits),
        levels,
        kinds,
        _limit(elements.get("class"), _class, permits),
        _limit(elements.get("code"), _codes, permits),
        _time(elements.get("dataPeriod"), permits),
        _data(elements.get("data"), base_url, permits),
    )


def _limit(given: Any, read: Any, permits: bool) -> Any:
    """What each of these elements stands for; what stands for nothing known is a mistake."""
    if given is None:
        return None
    read_all = [tuple(read(element)) for element in given]
    if not permits and not all(read_all):
        return None
    return frozenset(value for values in read_all for value in values)


def _purpose(coding: Element) -> Iterator[str]:
    if coding.get("system") == purpose.SYSTEM and coding.get("code") in purpose.PURPOSES:
        yield coding["code"]


def _action(concept: Element) -> Iterator[str]:
    for coding in concept.get("coding", ()):
        if coding.get("system") == ACTIONS and coding.get("code") in ACTION_CODES:
            yield coding["code"]


def _actions(given: Any, permits: bool) -> frozenset[str] | None:
    """`correct` is defined as access and correct; who denies it denies the correction only."""
    found: frozenset[str] | None = _limit(given, _action, permits)
    return found | {"access"} if found and permits and "correct" in found else found


def _class(coding: Element) -> Iterator[int]:
    if coding.get("system") and coding.get("code"):
        yield marks.class_key(coding["system"], coding["code"])


def _codes(concept: Element) -> Iterator[int]:
    for coding in concept.get("coding", ()):
        if coding.get("system") and coding.get("code"):
            yield marks.code_key(coding["system"], coding["code"])


def _time(given: Any, permits: bool) -> Span | None:
    if given is None:
        return None
    found = span(given)
    return (NEVER if permits else None) if found == NEVER else found


def _labels(
    given: Any, permits: bool, stated_in: str | None
) -> tuple[tuple[int, int], frozenset[str]]:
    """The levels and the sensitivities covered by any of the labels."""
    if given is None:
        return EVERY_LEVEL, frozenset()
    levels = [each for each in map(level, given) if each is not None]
    kinds = [each for each in map(sensitivity, given) if each is not None]
    if not permits and len(levels) + len(kinds) < len(given):
        return EVERY_LEVEL, frozenset()
    is_up_to = stated_in == "permit"
    return _range(levels, is_up_to), covered(kinds, permits=is_up_to)


def _range(levels: list[int], is_up_to: bool) -> tuple[int, int]:
    if not levels:
        return NO_LEVEL
    return (LOWEST, max(levels)) if is_up_to else (min(levels), HIGHEST)


def recipients(given: Iterable[Element]) -> list[Element]:
    """The actors who get to see something."""
    return [actor for actor in given if _is_recipient(actor.get("role", {}).get("coding", ()))]


def _is_recipient(codings: Iterable[Element]) -> bool:
    codes = {coding.get("code") for coding in codings}
    return not codes or bool(codes & RECIPIENTS)


def _actors(given: Any, base_url: str, permits: bool) -> frozenset[str] | None:
    """Whom this server cannot know is nobody; a denial to no recipient at all is to everyone."""
    if given is None:
        return None
    found = recipients(given)
    if not found and not permits:
        return None
    references = (local(actor.get("reference", {}).get("reference"), base_url) for actor in found)
    return frozenset(str(each) for each in references if each and each.type in ACTORS)


def _data(given: Any, base_url: str, permits: bool) -> Data | None:
    if given is None:
        return None
    by: dict[str, set[str]] = {}
    for each in given:
        reference = local(each.get("reference", {}).get("reference"), base_url)
        if reference:
            by.setdefault(each.get("meaning"), set()).add(str(reference))
    related = by.get("related", set())
    # Some guides write "related" for what refers to an encounter: a denial covers that as well.
    dependents = by.get("dependents", set()) | (set() if permits else related)
    return Data(
        frozenset(map(marks.references_key, by.get("instance", set()) | related)),
        frozenset(map(marks.references_key, dependents)),
        frozenset(map(marks.author_key, by.get("authoredby", ()))),
        frozenset(related),
    )
