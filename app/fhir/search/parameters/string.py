"""String search: starts with, without case, accents and punctuation; :exact and :contains.

https://hl7.org/fhir/R4/search.html#string
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from app.fhir.search.parameters.criterion import Criterion, Over, unescape
from app.fhir.search.parameters.keys import param

LONGEST = 512
"""Characters of a folded text that are indexed: a B-tree entry must stay under 2,700 bytes."""

SHORT = 64
"""Characters of a text whose folded form is kept at hand."""

PUNCTUATION = re.compile(r"[^\w\s]|_")
"""What is neither a letter nor a digit nor white space."""

NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
ADDRESS_PARTS = ("text", "line", "city", "district", "state", "postalCode", "country")


def fold(text: str) -> str:
    """The text without case, accents and punctuation, white space collapsed, cut to LONGEST."""
    return _folded_once(text) if len(text) <= SHORT else _folded(text)


def _folded(text: str) -> str:
    if text.isascii():
        plain = text.lower()
    else:
        split = unicodedata.normalize("NFKD", text)
        plain = "".join(c for c in split if not unicodedata.combining(c)).casefold()
    if not plain.isalnum():
        plain = " ".join(PUNCTUATION.sub("", plain).split())
    return plain[:LONGEST]


# Of what is said in short, as the displays of codes, most was said before.
_folded_once = lru_cache(maxsize=4096)(_folded)


def extract(elements: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """(folded, exact) of every text in these elements."""
    for type_, value in elements:
        for text in _texts(type_, value):
            yield fold(text), text


def _texts(type_: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        parts = ADDRESS_PARTS if type_ == "Address" else NAME_PARTS
        for part in parts:
            found = value.get(part, ())
            for text in (found,) if isinstance(found, str) else found:
                # A primitive that has only extensions stands as null in its array.
                if text is not None:
                    yield text


def predicate(criterion: Criterion, over: Over) -> str:
    """SQL: a text of the row starts with, is or contains one of the values."""
    number = param(criterion.type, criterion.parameter.code)
    return compared(criterion, number, criterion.modifier or "", over)


def compared(criterion: Criterion, number: int, how: str, over: Over) -> str:
    """SQL: a text of the row under this parameter number stands to one of the values like this.

    `how` is one of COMPARISONS; else it starts with it.
    """
    compare = COMPARISONS.get(how, _starts)
    tests = [compare(unescape(value), over) for value in criterion.values]
    return (
        f"EXISTS (SELECT FROM index_string AS s WHERE s.rid = {over.alias}.rid"
        f" AND s.param = {number} AND ({' OR '.join(tests)}))"
    )


def _is(value: str, over: Over) -> str:
    # The folded text is redundant, but it is what the index knows.
    return f"s.folded = {over.args.add(fold(value))} AND s.exact = {over.args.add(value)}"


def _contains(value: str, over: Over) -> str:
    folded = fold(value)
    return f"strpos(s.folded, {over.args.add(folded)}) > 0" if folded else "false"


def _equals(value: str, over: Over) -> str:
    return f"s.folded = {over.args.add(fold(value))}"


def _ends(value: str, over: Over) -> str:
    folded = fold(value)
    return f"right(s.folded, {len(folded)}) = {over.args.add(folded)}" if folded else "false"


def _starts(value: str, over: Over) -> str:
    return starts_with(value, "s", over)


def starts_with(value: str, index: str, over: Over) -> str:
    """SQL: the text in this index row starts with the value."""
    folded = fold(value)
    if not folded:
        return "false"
    first, after = over.args.add(folded), over.args.add(successor(folded))
    return f"({index}.folded >= {first} AND {index}.folded < {after})"


def successor(prefix: str) -> str:
    """The least text, by code points, that is greater than all that start with the prefix."""
    kept = prefix.rstrip(chr(0x10FFFF))
    if not kept:
        return prefix + chr(0x10FFFF) * (LONGEST + 1)
    last = ord(kept[-1]) + 1
    # UTF-8 has no surrogates.
    return kept[:-1] + chr(0xE000 if last == 0xD800 else last)


COMPARISONS = {"exact": _is, "contains": _contains, "eq": _equals, "ew": _ends}
"""By modifier; eq and ew are those of _filter."""
