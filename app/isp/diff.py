"""What changed between two states of a plan: element by element, and in plain words. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.fhir.context import Resource
from app.isp.element import codes, listed, members, name, names
from app.isp.words import Words, display_name, number

Kind = Literal["added", "removed", "changed"]
TYPES = ("CarePlan", "Goal", "ServiceRequest", "Task", "CareTeam")
UNTOLD = frozenset(
    {"resourceType", "id", "meta", "text", "implicitRules", "language", "statusDate"}
)
"""What says nothing about the plan."""

STATUS = {"status": "plan-status", "lifecycleStatus": "goal-status"}
"""The words for the states of these elements."""

LONGEST = 300
"""Of a longer text is told that it was rewritten."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One change: in which resource (Type/id), in which element, from what to what.

    `element` is a FHIRPath, "" where the resource itself came or went; `before` and `after` are
    in words.
    """

    resource: str
    kind: Kind
    element: str
    before: str
    after: str
    sentence: str


def differences(
    before: Mapping[str, Resource],
    after: Mapping[str, Resource],
    others: Mapping[str, Resource],
    words: Words,
) -> Iterator[Difference]:
    """Every change from one state to the other; the plan first, then goals, services and team.

    `others` are what references may lead to besides.
    """
    own_, known = {**before, **after}, {**others, **before, **after}
    for own in sorted(own_, key=lambda one: (TYPES.index(one.partition("/")[0]), one)):
        old, new = before.get(own), after.get(own)
        if old is None or new is None:
            yield _whole(known[own], "added" if old is None else "removed", words)
        else:
            yield from _elements(_Pair(old, new, known, words))


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two versions of a resource, and by what names the references in them go."""

    old: Resource
    new: Resource
    known: Mapping[str, Resource]
    words: Words


def _whole(resource: Resource, kind: Kind, words: Words) -> Difference:
    sentence = words(f"diff.{kind}", what=thing(resource, words))
    return Difference(name(resource), kind, "", "", "", sentence)


def thing(resource: Resource, words: Words) -> str:
    """What a resource is called in a sentence: the goal "I want a job"."""
    type_ = resource["resourceType"]
    called = resource.get("title") or display_name(resource) or words.concept(resource.get("code"))
    if type_ == "Goal":
        called = words.concept(resource.get("description"))
    value = words.quantity(resource.get("valueQuantity")) or resource.get("valueString", "")
    called = ": ".join(filter(None, (str(called or ""), str(value))))
    key = type_ if type_ in TYPES else "other"
    return words(f"thing.{key}", name=called.rstrip(".") or name(resource))


def _elements(pair: _Pair) -> Iterator[Difference]:
    elements = dict.fromkeys([*pair.old, *pair.new])
    for element in (one for one in elements if one not in UNTOLD and not one.startswith("_")):
        before, after = pair.old.get(element), pair.new.get(element)
        if before != after:
            yield _difference(pair, element, before, after)


def _difference(pair: _Pair, element: str, before: Any, after: Any) -> Difference:
    told = [_items(pair, element, one) for one in (before, after)]
    is_list = isinstance(before or after, list)
    gone = "; ".join(one for one in told[0] if not is_list or one not in told[1])
    came = "; ".join(one for one in told[1] if not is_list or one not in told[0])
    sentence = pair.words(
        f"diff.{_sort(gone, came, is_list)}",
        what=thing(pair.new, pair.words),
        element=_label(element, pair.words),
        before=gone.rstrip("."),
        after=came.rstrip("."),
    )
    path = f"{pair.new['resourceType']}.{element}"
    return Difference(name(pair.new), "changed", path, gone, came, sentence)


def _items(pair: _Pair, element: str, value: Any) -> list[str]:
    """What an element holds, item by item in words."""
    if element in STATUS and isinstance(value, str):
        return [pair.words.of(STATUS[element], value)]
    told = (plain(one, pair.words, pair.known) for one in listed(value))
    return [one for one in told if one]


def _sort(gone: str, came: str, is_list: bool) -> str:
    """Which sentence tells it."""
    if max(len(gone), len(came)) > LONGEST or gone == came:
        return "rewritten"
    if not gone or not came:
        return "set" if came else "cleared"
    return "swapped" if is_list else "changed"


def _label(element: str, words: Words) -> str:
    stem = next((one for one in ("quantity", "occurrence") if element.startswith(one)), element)
    return words.messages.get(f"element.{stem}", element)


def plain(value: Any, words: Words, known: Mapping[str, Resource]) -> str:
    """An element in words, as well as that goes; "" where it holds nothing to read."""
    parts = (_plain(one, words, known) for one in listed(value))
    return "; ".join(part for part in parts if part)


def _plain(value: Any, words: Words, known: Mapping[str, Resource]) -> str:
    if not isinstance(value, dict):
        return _primitive(value, words)
    for shape, say in _SHAPES:
        if shape & value.keys():
            return say(value, words, known)
    inner = (plain(one, words, known) for key, one in value.items() if key not in ("url", "system"))
    return ", ".join(part for part in inner if part)


def _primitive(value: Any, words: Words) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return number(value)
    is_day = len(value) >= 10 and value[:4].isdigit() and value[4] == value[7] == "-"
    return words.day(value) if is_day else value


def _reference(value: Any, words: Words, known: Mapping[str, Resource]) -> str:
    found = [known[target] for target in names(value) if target in known]
    if value.get("display"):
        return str(value["display"])
    return thing(found[0], words) if found else str(value["reference"])


def _concept(value: Any, words: Words, _: Mapping[str, Resource]) -> str:
    for group in ("achievement", "domain", "role"):
        if any(f"{group}.{one}" in words.messages for one in codes(value)):
            return words.concept(value, group)
    return words.concept(value)


def _ratio(value: Any, words: Words, _: Mapping[str, Resource]) -> str:
    return words.ratio(value)


def _timing(value: Any, words: Words, known: Mapping[str, Resource]) -> str:
    bounds = value.get("repeat", {}).get("boundsPeriod")
    return ", ".join(filter(None, [words.timing(value), plain(bounds, words, known)]))


def _quantity(value: Any, words: Words, _: Mapping[str, Resource]) -> str:
    return words.quantity(value)


def _note(value: Any, _: Words, __: Mapping[str, Resource]) -> str:
    return str(value.get("text", ""))


def _period(value: Any, words: Words, _: Mapping[str, Resource]) -> str:
    given = [words.day(value.get(one)) for one in ("start", "end")]
    return "..".join(given)


_SHAPES = (
    (frozenset({"reference"}), _reference),
    (frozenset({"numerator"}), _ratio),
    (frozenset({"repeat"}), _timing),
    (frozenset({"coding"}), _concept),
    (frozenset({"unit"}), _quantity),
    (frozenset({"text"}), _note),
    (frozenset({"start", "end"}), _period),
)
"""By which elements a data type is told, and how it is said."""


def states(resources: Iterable[Resource]) -> dict[str, Resource]:
    """By Type/id those of which changes are told."""
    return {name(one): one for one in resources if one["resourceType"] in TYPES}


def linked(care_plan: Resource) -> set[str]:
    """The Type/id of the goals, services and teams that a version of a plan lists."""
    activities = [one.get("reference") for one in members(care_plan.get("activity"))]
    found = names([*listed(care_plan.get("goal")), *listed(care_plan.get("careTeam")), *activities])
    return {one for one in found if one.partition("/")[0] in TYPES}
