"""Conditional references: `Patient?identifier=…` where a transaction does not know the id.

https://hl7.org/fhir/R4/http.html#trules
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.fhir.context import Context
from app.fhir.errors import PreconditionFailed, Unprocessable
from app.fhir.interactions.condition import Criteria, Key, matches, of_text
from app.fhir.references import located
from app.fhir.registry import is_type
from app.fhir.routing import authorize
from app.fhir.search.parameters.criterion import split, unescape

Made = Sequence[tuple[Criteria | None, Mapping[str, Any], str]]
"""What the entries of the transaction make: under which criteria, its content, and its place."""


def conditional_references(body: Any, base_url: str) -> Iterator[tuple[str, str, str, str]]:
    """Where each stands as FHIRPath, its text, the type and the query part."""
    start = body.get("resourceType", "") if isinstance(body, dict) else ""
    for path, element in located(body, str(start)):
        text = element["reference"]
        type_, mark, query = text.removeprefix(base_url + "/").partition("?")
        if mark and is_type(type_):
            yield path, text, type_, query


async def places_of(
    ctx: Context, body: Any, made: Made, gone: Sequence[Key], known: Mapping[str, str]
) -> dict[str, str]:
    """Where the conditional references of a body lead, by their text; without what is `known`.

    Raises Forbidden without the scope to search, Unprocessable where nothing that is known to the
    caller matches, PreconditionFailed for more than one match.
    """
    found: dict[str, str] = {}
    for path, text, type_, query in conditional_references(body, ctx.base_url):
        if text not in known and text not in found:
            authorize(ctx, "s", type_)
            asked = of_text(type_, query, "A conditional reference")
            found[text] = await _place(ctx, asked, made, gone, path)
    return found


async def _place(ctx: Context, asked: Criteria, made: Made, gone: Sequence[Key], path: str) -> str:
    under = {place for criteria, _, place in made if criteria == asked and place}
    stored = {f"{row['type']}/{row['id']}" for row in await matches(ctx, asked, gone)}
    alike = {place for _, content, place in made if place and _matches(content, asked)}
    found = under or stored | alike
    if not found:
        raise Unprocessable(
            f"No {asked.type} that is known to you matches this reference.",
            code="not-found",
            expression=[path],
        )
    if len(found) > 1:
        raise PreconditionFailed(
            "More than one resource matches this reference.",
            code="multiple-matches",
            expression=[path],
        )
    return found.pop()


def _matches(content: Mapping[str, Any], asked: Criteria) -> bool:
    """Whether what is yet to be written has the one identifier that is asked for."""
    if content.get("resourceType") != asked.type or len(asked.pairs) != 1:
        return False
    [(name, value)] = asked.pairs
    system, mark, code = (unescape(part) for part in _parts(value))
    own = content.get("identifier")
    return (
        name == "identifier"
        and bool(mark)
        and any(
            isinstance(each, dict) and (each.get("system"), each.get("value")) == (system, code)
            for each in (own if isinstance(own, list) else [own])
        )
    )


def _parts(value: str) -> tuple[str, str, str]:
    parts = split(value, "|")
    return (parts[0], "|", parts[1]) if len(parts) == 2 else ("", "", "")
