"""Redaction: a resource without the elements that point to what may not be known. Pure.

A Reference goes with all it says (display, identifier). An element that is one of several goes as a
whole when the one thing it is about is hidden, such as CarePlan.activity with its reference, or all
that it is about. With them go the narratives that may retell them, and contained resources that
nothing points to any more. Where R4 demands an element, one without a value stands in its place.
https://hl7.org/fhir/R4/security-labels.html, https://hl7.org/fhir/R4/resource.html#tag
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.fhir.compartments import DIRECTORY
from app.fhir.context import Resource
from app.fhir.references import local, walk
from app.fhir.registry import structure
from app.fhir.subset import SUBSETTED

REDACTED = {"system": SUBSETTED["system"], "code": "REDACTED"}
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
MASKED = {"extension": [{"url": ABSENT, "valueCode": "masked"}]}
"""Stands where an element must be: https://hl7.org/fhir/R4/extension-data-absent-reason.html"""

ACTING = DIRECTORY | {"Patient", "RelatedPerson", "CareTeam", "Group"}
"""Who takes part in something: it is not what that is about."""

RESULTS = frozenset({"outcomeReference"})
"""What came of an element, which is about the same without it."""

POINTERS = frozenset({"Reference", "Attachment", "Resource"})
"""The types of elements that point to a resource, or hold one that may."""

MODIFIER = "modifierExtension"
EXTENSION = {"extension": (False, "Extension"), MODIFIER: (False, "Extension")}

Element = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Mask:
    """What is hidden: "Type/id" of resources, "#id" of contained ones."""

    hidden: frozenset[str]
    base_url: str

    def hides(self, element: Element) -> bool:
        """Whether the element points to what is hidden, or is a copy of it."""
        if "resourceType" in element:
            names = {f"{element['resourceType']}/{element.get('id')}", f"#{element.get('id')}"}
            return bool(names & self.hidden)
        pointer = element.get("reference", element.get("url"))
        target = local(pointer, self.base_url)
        return isinstance(pointer, str) and (str(target) if target else pointer) in self.hidden


def redact(resource: Resource, hidden: Collection[str], base_url: str) -> Resource:
    """A copy without what points to the hidden ("Type/id"); the resource itself if nothing does."""
    mask = _Mask(frozenset(hidden), base_url)
    made = _root(resource, mask)
    if made is resource:
        return resource
    while lost := _orphans(resource, made) - mask.hidden:
        mask = _Mask(mask.hidden | lost, base_url)
        made = _root(resource, mask)
    return _tagged(made)


def is_redacted(resource: Resource) -> bool:
    """Whether the resource says that something was taken from it."""
    meta = resource.get("meta", {})
    return _bears(meta.get("security", ()), REDACTED) or _bears(meta.get("tag", ()), SUBSETTED)


def _tagged(resource: Resource) -> Resource:
    meta = dict(resource.get("meta", {}))
    for name, coding in (("security", REDACTED), ("tag", SUBSETTED)):
        given = meta.get(name, [])
        meta[name] = given if _bears(given, coding) else [*given, coding]
    return {**resource, "meta": meta}


def _bears(codings: Any, wanted: Element) -> bool:
    return any(
        coding.get("system") == wanted["system"] and coding.get("code") == wanted["code"]
        for coding in codings
    )


def _root(resource: Resource, mask: _Mask) -> Resource:
    """The resource itself stays, whatever is hidden in it."""
    type_ = resource["resourceType"]
    made, lost = _members(resource, type_, mask)
    for name in lost:
        if _definitions(type_).get(name, (False, ""))[0]:
            made[name] = [MASKED] if isinstance(resource[name], list) else MASKED
    return resource if _is_whole(resource, made) else _retold(made)


def _orphans(before: Resource, after: Resource) -> set[str]:
    """Contained resources that are gone, or that nothing points to now though something did."""
    ids = {f"#{each.get('id')}" for each in before.get("contained", ())}
    kept = {f"#{each.get('id')}" for each in after.get("contained", ())}
    pointed, left = ({each["reference"] for each in walk(one)} for one in (before, after))
    return {each for each in ids if each not in kept or each in pointed - left}


def _element(value: Element, type_: str, mask: _Mask, *, is_one: bool) -> Any:
    """The element without what is hidden, itself if nothing is; None if it has to go.

    `is_one`: it is one of several.
    """
    if mask.hides(value):
        return None
    type_ = value.get("resourceType", type_)
    made, lost = _members(value, type_, mask)
    if _is_whole(value, made):
        return value
    made = _retold(made)
    known = _definitions(type_)
    is_spoilt = type_ == "Extension" or any(known.get(name, (False, ""))[0] for name in lost)
    is_lost = is_spoilt or (is_one and refers(type_) and _is_about_it(value, made, lost))
    return None if is_lost or not made else made


def _is_about_it(value: Element, made: Element, lost: set[str]) -> bool:
    """Whether the element is about what is hidden: by the one thing, or by all it points to."""
    changed = {name for name, member in value.items() if made.get(name) is not member}
    if "resourceType" in value or changed <= RESULTS:
        return False
    if any(isinstance(value[name], Mapping) for name in lost):
        return True
    left = (element["reference"].partition("/")[0] for element in walk(made))
    return all(type_ in ACTING for type_ in left)


def _members(value: Element, type_: str, mask: _Mask) -> tuple[dict[str, Any], set[str]]:
    """The members without what is hidden, and the names of those of which nothing is left."""
    known, made = _definitions(type_), {}
    for name, member in value.items():
        of = known.get(name, (False, ""))[1]
        if isinstance(member, list):
            is_beside = name.startswith("_")
            made[name] = (
                _modified(member, mask)
                if name == MODIFIER
                else _several(member, of, mask, is_beside=is_beside)
            )
        elif isinstance(member, dict):
            made[name] = _element(member, of, mask, is_one=False)
        else:
            made[name] = member
    lost = {name for name, part in made.items() if part is None}
    return {name: part for name, part in made.items() if name not in lost}, lost


def _modified(value: list[Any], mask: _Mask) -> list[Any]:
    """Extensions that change what an element means: of one that has to go it is told that it is
    there, or the element would be read as if nothing changed it.

    https://hl7.org/fhir/R4/extensibility.html#modifierExtension
    """
    parts = [
        _element(each, "Extension", mask, is_one=True) or {"url": each["url"], **MASKED}
        for each in value
    ]
    is_same = all(part is each for part, each in zip(parts, value, strict=True))
    return value if is_same else parts


def _several(value: list[Any], type_: str, mask: _Mask, *, is_beside: bool) -> list[Any] | None:
    """The items of which something is left; None if that is none of them.

    `is_beside`: each stands beside a value, so that what is gone leaves a null in its place.
    https://hl7.org/fhir/R4/json.html#primitive
    """
    parts = [
        _element(item, type_, mask, is_one=True) if isinstance(item, dict) else item
        for item in value
    ]
    if all(part is item for part, item in zip(parts, value, strict=True)):
        return value
    kept = [part for part in parts if is_beside or part]
    return kept if any(kept) else None


def _is_whole(value: Element, made: Element) -> bool:
    return all(made.get(name, value) is member for name, member in value.items())


def _retold(made: dict[str, Any]) -> dict[str, Any]:
    """What was cut, without the narrative that may retell it."""
    is_narrated = isinstance(made.get("text"), dict)
    return {name: member for name, member in made.items() if not (is_narrated and name == "text")}


@cache
def refers(type_: str, within: tuple[str, ...] = ()) -> bool:
    """Whether an element of this type holds a pointer (Reference, Attachment), at any depth.

    An Identifier does not count: who assigned it is an Organization, which is no secret. Nor does
    what any element may have, an extension: what it stands on says the same without it.
    """
    if type_ == "Identifier":
        return False
    found = {of for name, (_, of) in _definitions(type_).items() if name not in EXTENSION}
    further = found - {*within, type_}
    return not found.isdisjoint(POINTERS) or any(refers(of, (*within, type_)) for of in further)


@cache
def _definitions(type_: str) -> Mapping[str, tuple[bool, str]]:
    """By JSON name of an element whether it must be there, and its type."""
    try:
        elements = structure(type_).values()
    except KeyError:
        return EXTENSION
    named = {name: (e.required, of) for e in elements for name, of in e.names.items()}
    return {**named, **EXTENSION}
