"""Full text: the words of a resource, and of its narrative, for _content and _text.

https://hl7.org/fhir/R4/search.html#content
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from html import unescape as from_html
from typing import Any

from app.fhir.context import Resource
from app.fhir.registry import TYPES, structure
from app.fhir.search.parameters.criterion import Over

LONGEST = 200_000
"""Characters of a resource that are indexed: PostgreSQL takes a megabyte of words."""

TAG = re.compile(r"<[^>]*>")
WORDED = frozenset({"string", "markdown"})
NO_WORDS = frozenset({"id", "reference", "version", "fhirVersion", "expression", "xpath"})
COMPLEX = ("Annotation", "Attachment", "CodeableConcept", "Coding", "HumanName", "Address")
MORE = ("ContactPoint", "Identifier", "Reference", "Extension", "Quantity", "Dosage", "Timing")


@cache
def _names() -> frozenset[str]:
    """The names of the elements that hold words, in any type."""
    found: set[str] = set()
    seen: set[str] = set()
    fresh = {*TYPES, *COMPLEX, *MORE}
    while fresh:
        seen |= fresh
        further: set[str] = set()
        for owner in fresh:
            for element in _elements(owner):
                for name, type_ in element.names.items():
                    if type_ in WORDED:
                        found.add(name)
                    elif "." in type_:
                        further.add(type_)
        fresh = further - seen
    return frozenset(found - NO_WORDS)


def _elements(owner: str) -> Sequence[Any]:
    try:
        return tuple(structure(owner).values())
    except KeyError:
        return ()


def extract(resource: Resource) -> list[tuple[str, str]]:
    """(narrative, content) of a resource that has words; the content holds the narrative too."""
    narrative = " ".join(_narratives(resource))
    parts = [narrative]
    _note_words(resource, _names(), parts)
    words = " ".join(parts).strip()
    return [(fold(narrative), fold(words))] if words else []


def _narratives(resource: Resource) -> Iterator[str]:
    text = resource.get("text")
    if isinstance(text, dict) and isinstance(text.get("div"), str):
        yield from_html(TAG.sub(" ", text["div"]))


def _note_words(value: Any, names: frozenset[str], found: list[str]) -> None:
    if type(value) is list:
        for item in value:
            if type(item) is dict or type(item) is list:
                _note_words(item, names, found)
    elif type(value) is dict:
        for name, member in value.items():
            if type(member) is str:
                if name in names:
                    found.append(member)
            elif type(member) is dict:
                _note_words(member, names, found)
            elif type(member) is list:
                if name in names:
                    found += [item for item in member if type(item) is str]
                else:
                    _note_words(member, names, found)


def fold(text: str) -> str:
    """The text without accents, cut to LONGEST."""
    if not text.isascii():
        split = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in split if not unicodedata.combining(c))
    return text[:LONGEST]


def predicate(column: str, values: Sequence[str], over: Over) -> str:
    """SQL: the words in this column (narrative, content) of the row match one of the values.

    A value is written as for a web search: words that all have to be there, "a phrase", or, -not.
    """
    tests = [
        f"to_tsvector('english', t.{column})"
        f" @@ websearch_to_tsquery('english', {over.args.add(fold(value))})"
        for value in values
    ]
    return f"{over.alias}.rid IN (SELECT t.rid FROM index_text AS t WHERE {' OR '.join(tests)})"
