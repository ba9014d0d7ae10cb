"""SECTIONS: what stands in the document, in which order; one row each."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from markupsafe import Markup

from app.isp.document import agreement, goals, person, safety, services
from app.isp.document.person import Part
from app.isp.document.view import View
from app.isp.templates import template

LOINC = {
    "needs": "75310-3",
    "goals": "61146-7",
    "services": "62387-6",
    "team": "85847-2",
}
"""Sections that LOINC has a code for. https://loinc.org/"""

SECTIONS: dict[str, Callable[[View], Part]] = {
    "about": person.about,
    "strengths": person.strengths,
    "matters": person.matters,
    "needs": person.needs,
    "goals": goals.goals,
    "services": services.services,
    "crisis": safety.crisis,
    "safety": safety.safety,
    "team": agreement.team,
    "agreement": agreement.agreement,
    "review": agreement.review,
    "discharge": safety.discharge,
}
CARD = ("crisis",)
"""What stands on the crisis card."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section as it was made: `entries` are the Type/id of what it tells."""

    key: str
    title: str
    content: object
    entries: tuple[str, ...]
    is_empty: bool

    def markup(self, view: View, *, is_page: bool) -> Markup:
        """Its XHTML without the heading; for a page with charts and further headings' ids."""
        macro = getattr(template("sections.html").module, self.key)
        found: Markup = macro(self.content, view.words, is_page)
        return found


def sections(view: View, keys: Iterable[str] = SECTIONS) -> Iterator[Section]:
    """The sections with these keys."""
    for key in keys:
        part = SECTIONS[key](view)
        title = view.words(f"section.{key}")
        yield Section(key, title, part.content, part.entries, part.is_empty)
