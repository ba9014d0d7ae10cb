"""FHIR XML as FHIR JSON: no entities, no network, every value to the letter.

https://hl7.org/fhir/R4/xml.html
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from lxml import etree

from app.fhir import json
from app.fhir.context import Resource
from app.fhir.errors import BadRequest
from app.fhir.registry import is_resource, structure
from app.fhir.validation.primitives import PRIMITIVES
from app.fhir.xml.write import NAMESPACE, attributes_of

XHTML = "http://www.w3.org/1999/xhtml"
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?\Z", re.ASCII)
NUMBERS = frozenset({"decimal", "integer", "unsignedInt", "positiveInt"})
SCHEMA = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"

Pair = tuple[Any, dict[str, Any] | None]
"""The value of a primitive element, and what JSON writes beside it."""


def read(data: bytes) -> Resource:
    """The resource of an XML text in UTF-8.

    Raises BadRequest for what is not well-formed, has a document type, or is no FHIR.
    """
    root = _parsed(data)
    resource = _resource(root)
    json.check_depth(resource)
    return resource


def _parsed(data: bytes) -> Any:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.", code="structure") from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise BadRequest("FHIR XML has no document type and no entities.", code="structure")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise BadRequest(
            f"The body is not XML: line {line}, column {column}.", code="structure"
        ) from None


def _resource(element: Any) -> Resource:
    type_ = _name(element, "")
    if not is_resource(type_):
        raise BadRequest("The element is named after a type of resource.", code="structure")
    _check_attributes(element, (SCHEMA,), type_)
    return {"resourceType": type_, **_members(element, type_, type_)}


def _members(element: Any, type_: str, path: str) -> dict[str, Any]:
    """The elements below this one, by their JSON names."""
    if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
        raise BadRequest("There is text between the elements.", code="structure", expression=[path])
    found: dict[str, list[Pair]] = {}
    known = _names(type_)
    for child in element:
        name = _name(child, path)
        if name not in known:
            raise BadRequest(
                f"{type_} has no element {name[:64]}.", code="structure", expression=[path]
            )
        found.setdefault(name, []).append(_value(child, known[name][0], f"{path}.{name}"))
    members: dict[str, Any] = {}
    for name, pairs in found.items():
        members |= _member(name, pairs, is_list=known[name][1] or len(pairs) > 1)
    return members


@cache
def _names(type_: str) -> Mapping[str, tuple[str, bool]]:
    """By JSON name: the type of an element, and whether it is a list."""
    own = () if is_resource(type_) else attributes_of(type_)
    return {
        name: (kind, definition.many)
        for stem, definition in structure(type_).items()
        if stem not in own
        for name, kind in definition.names.items()
    }


def _member(name: str, pairs: list[Pair], *, is_list: bool) -> dict[str, Any]:
    values, others = [value for value, _ in pairs], [beside for _, beside in pairs]
    made: dict[str, Any] = {}
    for key, items in ((name, values), (f"_{name}", others)):
        if any(item is not None for item in items):
            made[key] = items if is_list else items[0]
    return made


def _value(element: Any, type_: str, path: str) -> Pair:
    if type_ == "xhtml":
        return etree.tostring(element, encoding="unicode", with_tail=False), None
    if type_ == "Resource":
        if len(element) != 1:
            raise BadRequest("One resource stands here.", code="structure", expression=[path])
        return _resource(element[0]), None
    if type_ in PRIMITIVES:
        return _primitive(element, type_, path)
    names = attributes_of(type_)
    _check_attributes(element, names, path)
    own = {name: element.get(name) for name in names if element.get(name) is not None}
    return own | _members(element, type_, path), None


def _primitive(element: Any, type_: str, path: str) -> Pair:
    _check_attributes(element, ("id", "value"), path)
    beside: dict[str, Any] = {} if element.get("id") is None else {"id": element.get("id")}
    beside |= _members(element, "Element", path)
    text = element.get("value")
    return None if text is None else _typed(text, type_), beside or None


def _typed(text: str, type_: str) -> Any:
    """What is no such value stays text, for the validation to say so."""
    if type_ == "boolean" and text in ("true", "false"):
        return text == "true"
    if type_ in NUMBERS and NUMBER.match(text):
        return json.parse(text.encode())
    return text


def _check_attributes(element: Any, allowed: tuple[str, ...], path: str) -> None:
    for name in element.attrib:
        if name not in allowed:
            raise BadRequest("An attribute is unknown.", code="structure", expression=[path])


def _name(element: Any, path: str) -> str:
    """The name of an element of FHIR, or of the division of a narrative."""
    tag = element.tag if isinstance(element.tag, str) else ""
    namespace, _, name = tag.rpartition("}")
    if namespace == f"{{{NAMESPACE}" or (name == "div" and namespace == f"{{{XHTML}"):
        return str(name)
    raise BadRequest(
        f"Elements are in the namespace {NAMESPACE}.",
        code="structure",
        expression=[path] if path else (),
    )
