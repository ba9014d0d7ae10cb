"""Narrative: well-formed XHTML of the formatting kind, with nothing in it that acts or fetches.

https://hl7.org/fhir/R4/narrative.html#xhtml
"""

import re
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

from app.fhir.validation.problem import FINE, Problems, problem, wrong_type

NAMESPACE = "http://www.w3.org/1999/xhtml"

_NAMES = """
div p br h1 h2 h3 h4 h5 h6 span b i em strong small big tt sub sup u s strike del ins bdo abbr
acronym dfn code samp kbd var cite q blockquote pre address hr a img map area ul ol li dl dt dd font
center table caption colgroup col thead tbody tfoot tr td th
"""
ELEMENTS = frozenset(f"{NAMESPACE} {name}" for name in _NAMES.split())
"""HTML 4.0 chapters 7 to 11 and 15, without forms, frames, objects and scripts."""

ATTRIBUTE = re.compile(
    "title|class|id|lang|space|dir|accesskey|tabindex|span|width|height|v?align|char|charoff|abbr|"
    "axis|headers|scope|rowspan|colspan|border|cellspacing|cellpadding|rules|frame|summary|name|alt|"
    "shape|coords|usemap|ismap|nowrap|bgcolor|color|size|face|clear|noshade|start|type|value|compact|"
    "datetime|rel|rev|charset|hreflang"
).fullmatch
"""Attributes that only format or describe: no handler (on…) is among them."""

LINK = re.compile(
    r"https?:|mailto:|tel:|urn:|[#/]|[A-Za-z0-9._\-]+(?:[/?#]|$)", re.IGNORECASE
).match
PICTURE = re.compile(
    r"#.*|data:image/(?:png|gif|jpeg);base64,[A-Za-z0-9+/=\s]*|[A-Za-z0-9._\-][A-Za-z0-9._\-/]*",
    re.IGNORECASE,
).fullmatch
"""A picture comes with the resource or from beside it, never from where views can be counted."""

STYLE_PICTURE = re.compile(
    r"url\((?:data:image/(?:png|gif|jpeg);base64,[A-Za-z0-9+/=]*|[A-Za-z0-9_\-]+\.[a-z]+)\)"
)
ACTIVE_STYLE = re.compile(
    r"url\s*\(|image(?:-set)?\s*\(|src\s*\(|expression|script:|behaviou?r\s*:|-moz-binding|"
    r"/\*|[\\<@]",
    re.IGNORECASE,
).search
FORBIDDEN = ("<!", "<?")
"""Declarations, comments, CDATA and instructions: XML and HTML parsers disagree where they end."""


def narrative(value: Any) -> Problems:
    """Check the text of Narrative.div."""
    if type(value) is not str:
        return wrong_type(value, "a string of XHTML")
    if not value.startswith("<div") or any(mark in value for mark in FORBIDDEN):
        return problem("invariant", "txt-1: must be one <div> without declarations or comments")
    said = _Reader().read(value)
    return problem("invariant", said) if said else FINE


class _Reader:
    """Reads the XHTML once, and remembers the first thing that must not be there."""

    __slots__ = ("said", "substance")

    def __init__(self) -> None:
        self.said = ""
        self.substance = False

    def read(self, text: str) -> str:
        """What is wrong, "" if nothing is."""
        parser = ParserCreate("UTF-8", " ")
        parser.StartElementHandler = self.start
        parser.CharacterDataHandler = self.characters
        parser.buffer_text = True
        try:
            parser.Parse(text, True)
        except ExpatError:
            return "txt-1: must be well-formed XML; entities are &lt; &gt; &amp; &quot; and &#…;"
        return self.said or ("" if self.substance else "txt-2: must have some content")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name not in ELEMENTS:
            self.said = f'txt-1: only formatting elements in xmlns="{NAMESPACE}" are allowed'
        element = name.rpartition(" ")[2]
        self.substance |= element == "img"
        for attribute, value in attributes.items():
            if not allowed(element, attribute.rpartition(" ")[2], value):
                self.said = "txt-1: only formatting attributes and harmless links are allowed"

    def characters(self, text: str) -> None:
        self.substance = self.substance or not text.isspace()


def allowed(element: str, attribute: str, value: str) -> bool:
    """Whether an element may carry this attribute with this value."""
    match attribute:
        case "href" | "cite" | "longdesc":
            return LINK(value) is not None
        case "src":
            return element == "img" and PICTURE(value) is not None
        case "style":
            return ACTIVE_STYLE(STYLE_PICTURE.sub("", value)) is None
        case _:
            return ATTRIBUTE(attribute) is not None
