"""Snapshots: all elements of a profile, from R4's definitions and the differentials of its chain.

Definitions are R4's one-line descriptions. https://hl7.org/fhir/R4/profiling.html#snapshot
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from app.fhir.context import Resource
from app.fhir.registry import ElementDefinition, is_resource, parent, read, structure
from app.fhir.validation.constraint import BY_TYPE, CORE, chain, said, stem_of

Element = dict[str, Any]
NOT_INHERITED = ("slicing", "constraint", "mapping", "condition")
KEPT = frozenset({"id", "path", "base"})
CODED = frozenset({"code", "Coding", "CodeableConcept", "Quantity", "string", "uri"})
BY_URL: Element = {"discriminator": [{"type": "value", "path": "url"}], "rules": "open"}


def snapshot(url: str, definitions: Mapping[str, Resource]) -> list[Element]:
    """The elements of the profile at this url. Raises LookupError with a url that is not held."""
    profiles = chain(url, definitions)
    found = [dict(one) for one in of_type(profiles[0]["type"])]
    for profile in profiles:
        for element in said(profile):
            _lay(found, element)
    return found


@cache
def of_type(type_: str) -> tuple[Element, ...]:
    """The elements of a type of R4, those of its backbone elements included."""
    root = {"id": type_, "path": type_, "short": type_, "definition": type_, "min": 0, "max": "*"}
    base = {"base": {"path": type_, "min": 0, "max": "*"}}
    return (root | base, *_below(type_, type_))


def _below(path: str, type_: str) -> Iterator[Element]:
    """The elements within one of this type, at this path."""
    for stem, definition in _structure(type_).items():
        name = f"{stem}[x]" if len(definition.names) > 1 else stem
        inner = next(iter(definition.names.values()))
        made = _element(f"{path}.{name}", _defined(type_, name), definition)
        is_sliced = stem == "extension" and "." not in type_ and not is_resource(type_)
        yield made | ({"slicing": BY_URL} if is_sliced else {})
        if inner == f"{type_}.{stem}":
            yield from _below(f"{path}.{stem}", inner)


def _structure(type_: str) -> Mapping[str, ElementDefinition]:
    """The elements of a type; a primitive has what every element has."""
    try:
        return structure(type_)
    except KeyError:
        return structure("Element")


def _defined(type_: str, name: str) -> str:
    """The path at which R4 first defines an element of the type."""
    while type_ and f"{type_}.{name}" not in _rows():
        type_ = parent(type_)
    return f"{type_ or 'Element'}.{name}"


@cache
def _rows() -> dict[str, dict[str, Any]]:
    return read("elements")


def _element(path: str, defined: str, definition: ElementDefinition) -> Element:
    row = _rows().get(defined, {})
    short = row.get("short", path)
    span = {"min": int(definition.required), "max": "*" if definition.many else "1"}
    made: Element = {"id": path, "path": path, "short": short, "definition": short, **span}
    made["base"] = {"path": defined, **span}
    made |= _typed(path, definition)
    if "binding" in row:
        made["binding"] = dict(zip(("strength", "valueSet"), row["binding"], strict=True))
    if "modifies" in row:
        made |= {"isModifier": True, "isModifierReason": row["modifies"]}
    return made | ({"isSummary": True} if row.get("summary") else {})


def _typed(path: str, definition: ElementDefinition) -> Element:
    names = list(definition.names.values())
    if len(names) == 1 and "." in names[0]:
        if names[0] != path:
            return {"contentReference": f"#{names[0]}"}
        return {"type": [{"code": parent(names[0])}]}
    targets = [CORE + one for one in definition.targets]
    return {
        "type": [
            {"code": one} | ({"targetProfile": targets} if one == "Reference" and targets else {})
            for one in names
        ]
    }


def _lay(found: list[Element], element: Mapping[str, Any]) -> None:
    """Lay one element of a differential over the snapshot."""
    id_ = _normal(found[0]["path"], str(element.get("id") or element["path"]))
    at = _find(found, id_)
    if at is None:
        at = _unfolded(found, id_)
    base = found[at]
    kept = {key: value for key, value in element.items() if key not in KEPT}
    if "constraint" in element and "constraint" in base:
        kept["constraint"] = [*base["constraint"], *element["constraint"]]
    found[at] = {**base, **kept}
    if element.get("min") and "[x]:" in id_.rpartition(".")[2]:
        _choose(found[_place(found, id_.rpartition(":")[0])])


def _choose(choice: Element) -> None:
    """Where one type of a choice must be there, the choice must, and can be no other."""
    choice["min"] = 1
    choice["slicing"] = {**BY_TYPE, "rules": "closed"}


def _normal(type_: str, id_: str) -> str:
    """The id with value[x]:valueQuantity where it says valueQuantity."""
    steps, owner = [type_], type_
    for step in id_.split(".")[1:]:
        name, _, slice_ = step.partition(":")
        stem, kind = stem_of(owner, name)
        steps.append(f"{stem}[x]:{slice_ or name}" if kind else step)
        owner = kind or _type_at(owner, stem)
    return ".".join(steps)


def _type_at(owner: str, stem: str) -> str:
    try:
        return next(iter(structure(owner)[stem].names.values()))
    except KeyError:
        return ""


def _find(found: Sequence[Element], id_: str) -> int | None:
    return next((at for at, one in enumerate(found) if one["id"] == id_), None)


def _unfolded(found: list[Element], id_: str) -> int:
    """The place of an element that is not there yet: a slice, or within a type or a slice."""
    above, _, last = id_.rpartition(".")
    name, _, slice_ = last.partition(":")
    if slice_:
        at = _place(found, f"{above}.{name}")
        end = _end(found, at, f"{above}.{name}")
        found.insert(end, _slice(found[at], id_, slice_))
        if (code := _by(found[at], slice_)) is not None:
            found[end] = _of_type(found[end], code)
            found[at] = {"slicing": BY_TYPE, **found[at]}
        if name in ("extension", "modifierExtension"):
            found[at] = {"slicing": BY_URL, **found[at]}
        return end
    at = _place(found, above)
    if not any(one["id"].startswith(f"{above}.") for one in found):
        found[at + 1 : at + 1] = list(_inner(found, found[at]))
    made = _find(found, id_)
    if made is None:
        raise LookupError(id_)
    return made


def _place(found: list[Element], id_: str) -> int:
    at = _find(found, id_)
    return _unfolded(found, id_) if at is None else at


def _end(found: Sequence[Element], at: int, id_: str) -> int:
    """Behind the element, what is within it, and its slices."""
    end = at + 1
    while end < len(found) and found[end]["id"].startswith((f"{id_}.", f"{id_}:")):
        end += 1
    return end


def _slice(base: Element, id_: str, name: str) -> Element:
    kept = {key: value for key, value in base.items() if key not in NOT_INHERITED}
    return {**kept, "id": id_, "sliceName": name, "min": 0}


def _by(base: Element, name: str) -> str | None:
    """The type that the name of a slice chooses, if it does, as in value[x]:valueQuantity."""
    stem = base["path"].rpartition(".")[2].removesuffix("[x]")
    codes = [one["code"] for one in base.get("type", ())]
    return next((one for one in codes if name == f"{stem}{one[0].upper()}{one[1:]}"), None)


def _of_type(slice_: Element, code: str) -> Element:
    """A slice for one type of a choice; only what is coded is bound."""
    unbound = {key: value for key, value in slice_.items() if key != "binding" or code in CODED}
    return unbound | {"type": [{"code": code}]}


def _inner(found: Sequence[Element], base: Element) -> Iterator[Element]:
    """The elements within a slice, as in what is sliced, or within the type of an element."""
    whole = ".".join(step.partition(":")[0] for step in base["id"].split("."))
    same = (
        [one for one in found if one["id"].startswith(f"{whole}.")] if whole != base["id"] else []
    )
    own = same or _below(base["path"], _of(base))
    for one in own:
        tail = one["id"].removeprefix(whole if same else base["path"])
        yield {**one, "id": base["id"] + tail, "path": base["path"] + tail}


def _of(element: Element) -> str:
    if "contentReference" in element:
        return str(element["contentReference"]).partition("#")[2]
    types = element.get("type", [])
    code = types[0]["code"] if types else ""
    return element["path"] if code in ("BackboneElement", "Element") else code
