"""FHIR JSON as FHIR XML, elements in the order of the definitions, values to the letter.

https://hl7.org/fhir/R4/xml.html
"""

import re
from collections.abc import Iterator
from html.entities import html5
from typing import Any

from app.fhir.registry import is_resource, structure

NAMESPACE = "http://hl7.org/fhir"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
ESCAPED = re.compile('[&<>"\t\n\r]')
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML 1.0 cannot hold in any way; the replacement character stands for them."""

ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})


def write(resource: dict[str, Any]) -> bytes:
    """The XML text of a resource, UTF-8."""
    return (HEAD + "".join(_resource(resource, f' xmlns="{NAMESPACE}"'))).encode()


def _resource(resource: dict[str, Any], attributes: str = "") -> Iterator[str]:
    type_ = resource["resourceType"]
    yield f"<{type_}{attributes}>"
    yield from _members(resource, type_)
    yield f"</{type_}>"


def _members(value: dict[str, Any], type_: str) -> Iterator[str]:
    attributes = () if is_resource(type_) else attributes_of(type_)
    for stem, definition in structure(type_).items():
        if stem in attributes:
            continue
        for name, kind in definition.names.items():
            if name in value or f"_{name}" in value:
                yield from _element(name, kind, value.get(name), value.get(f"_{name}"))


def attributes_of(type_: str) -> tuple[str, ...]:
    """The elements of a data type that are attributes in XML."""
    return ("id", "url") if type_ == "Extension" else ("id",)


def _element(name: str, type_: str, found: Any, beside: Any) -> Iterator[str]:
    values = found if isinstance(found, list) else [found]
    others = beside if isinstance(beside, list) else [beside]
    for at in range(max(len(values), len(others))):
        value = values[at] if at < len(values) else None
        other = others[at] if at < len(others) else None
        yield from _one(name, type_, value, other)


def _one(name: str, type_: str, value: Any, beside: Any) -> Iterator[str]:
    if type_ == "xhtml":
        yield _division(str(value))
    elif type_ == "Resource":
        yield f"<{name}>"
        yield from _resource(value)
        yield f"</{name}>"
    elif isinstance(value, dict):
        yield f"<{name}{_attributes(value, attributes_of(type_))}>"
        yield from _members(value, type_)
        yield f"</{name}>"
    else:
        yield from _primitive(name, value, beside or {})


def _primitive(name: str, value: Any, beside: dict[str, Any]) -> Iterator[str]:
    attributes = _attributes(beside, ("id",))
    if value is not None:
        attributes += f' value="{escape(_text(value))}"'
    if "extension" not in beside:
        yield f"<{name}{attributes}/>"
        return
    yield f"<{name}{attributes}>"
    yield from _element("extension", "Extension", beside["extension"], None)
    yield f"</{name}>"


def _attributes(value: dict[str, Any], names: tuple[str, ...]) -> str:
    return "".join(f' {name}="{escape(value[name])}"' for name in names if name in value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def escape(text: str) -> str:
    """As the value of an attribute; white space is kept as it is."""
    clean = UNWRITABLE.sub("\ufffd", text)
    return ESCAPED.sub(lambda found: f"&#{ord(found[0])};", clean)


def _division(text: str) -> str:
    """The narrative is XML already, but for the names that only HTML has for characters."""
    return ENTITY.sub(_character, UNWRITABLE.sub("\ufffd", text.strip()))


def _character(found: re.Match[str]) -> str:
    if found[1] in XML_ENTITIES:
        return found[0]
    return html5.get(f"{found[1]};", found[0])
