"""Answers of a QuestionnaireResponse, by the items they stand in. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.fhir.context import Resource
from app.isp.element import members

Answers = list[dict[str, Any]]


def answers(form: Resource, path: Sequence[str]) -> Answers:
    """The answers of the item that this path of link ids leads to; the last is after the others.

    A path (goals, 17, note) leads to the item 17.note in the item 17 in the item goals.
    """
    items, link = [form], ""
    for step in path:
        link = f"{link}.{step}" if link and step == path[-1] and len(path) > 2 else step
        items = [one for item in items for one in members(item.get("item")) if _is(one, link)]
    return [answer for item in items for answer in members(item.get("answer"))]


def _is(item: Resource, link: str) -> bool:
    return item.get("linkId") == link


def everywhere(form: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every answer at any depth, with the link id of its item."""
    for item in members(form.get("item")):
        for answer in members(item.get("answer")):
            yield str(item.get("linkId", "")), answer
            yield from everywhere(answer)
        yield from everywhere(item)


def coded(found: Answers) -> str | None:
    """The code of the last answer that is one."""
    given = [one.get("valueCoding", {}).get("code") or one.get("valueString") for one in found]
    return next((str(one) for one in reversed(given) if one), None)


def said(found: Answers) -> str:
    """What the answers say in words, "" without."""
    words = (str(one.get("valueString", "")).strip() for one in found)
    return " ".join(word for word in words if word)


def worded(answer: dict[str, Any]) -> str:
    """What one answer says in words, whether it was written or chosen."""
    coding = answer.get("valueCoding", {})
    return str(answer.get("valueString") or coding.get("display") or "").strip()
