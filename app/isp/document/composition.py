"""The Composition that makes a document of the plan. Pure.

https://hl7.org/fhir/R4/documents.html
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from app.fhir.context import Resource
from app.isp.codes import HL7, ISP
from app.isp.document.agreement import newest
from app.isp.document.page import heading
from app.isp.document.sections import LOINC, Section
from app.isp.document.view import View, known_names
from app.isp.element import name

SECTION = "https://isp-fhir.example/CodeSystem/isp-section"
XHTML = "http://www.w3.org/1999/xhtml"
PLAN_OF_CARE = {"system": "http://loinc.org", "code": "18776-5", "display": "Plan of care note"}
STATUS = {"entered-in-error": "entered-in-error", "draft": "preliminary"}


def composition(
    view: View, sections: Sequence[Section], id_: str, date: str, base: str
) -> Resource:
    """The Composition of these sections, with absolute references below the base URL.

    `date` is the instant at which it is made. What the reader may not see is referred to nowhere.
    """
    plan = view.plan.care_plan
    is_card = len(sections) == 1
    local = {"system": ISP, "code": "crisis-plan" if is_card else "individualized-service-plan"}
    made: Resource = {
        "resourceType": "Composition",
        "id": id_,
        "language": view.words.language,
        "text": _narrative(f"<p>{_escaped(heading(view, is_card=is_card))}</p>"),
        "status": STATUS.get(str(plan.get("status")), "final"),
        "type": {"coding": [PLAN_OF_CARE, local], "text": view.words("plan")},
        "subject": {"reference": f"{base}/{known}"} if (known := _subject(view)) else None,
        "date": date,
        "author": [_author(view, base)],
        "title": heading(view, is_card=is_card),
        "attester": list(_attesters(view, base)) or None,
        "event": [{"detail": [{"reference": f"{base}/{name(plan)}"}]}],
        "section": [_section(view, one, base) for one in sections],
    }
    return {key: value for key, value in made.items() if value is not None}


def _subject(view: View) -> str | None:
    return next(iter(known_names(view, view.plan.care_plan.get("subject"))), None)


def _author(view: View, base: str) -> dict[str, str]:
    """Who wrote the plan, as far as the reader may know them; of somebody who must be named."""
    given = view.plan.care_plan.get("author")
    known = known_names(view, given)
    called = view.person(given).name or view.words("label.unsaid")
    return {"reference": f"{base}/{known[0]}", "display": called} if known else {"display": called}


def _attesters(view: View, base: str) -> Iterator[Resource]:
    """Who signed the plan, as far as the reader may know them."""
    for one in newest(view.plan):
        signed = one.provenance["signature"][one.index]
        for who in known_names(view, signed.get("who")):
            is_person = who.startswith(("Patient/", "RelatedPerson/"))
            made = {"mode": "personal" if is_person else "professional"}
            when = {"time": signed["when"]} if "when" in signed else {}
            yield {**made, **when, "party": {"reference": f"{base}/{who}"}}


def _section(view: View, section: Section, base: str) -> Resource:
    codings = [{"system": SECTION, "code": section.key, "display": section.title}]
    if section.key in LOINC:
        codings.insert(0, {"system": "http://loinc.org", "code": LOINC[section.key]})
    entries = [one for one in section.entries if one in view.plan.resources]
    made: dict[str, Any] = {
        "title": section.title,
        "code": {"coding": codings},
        "text": _narrative(section.markup(view, is_page=False)),
    }
    if entries:
        return made | {"entry": [{"reference": f"{base}/{one}"} for one in entries]}
    empty = {"system": f"{HL7}/list-empty-reason", "code": "unavailable"}
    return made | {"emptyReason": {"coding": [empty]}}


def _narrative(markup: str) -> dict[str, str]:
    return {"status": "generated", "div": f'<div xmlns="{XHTML}">{markup.strip()}</div>'}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def listed(sections: Iterable[Section]) -> set[str]:
    """The Type/id that the sections refer to."""
    return {own for section in sections for own in section.entries}
