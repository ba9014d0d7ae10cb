"""The document as a page to read: HTML that needs nothing else, and fetches nothing."""

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256

from markupsafe import Markup

from app.isp.document.agreement import standing
from app.isp.document.person import runs
from app.isp.document.privacy_mark import PrivacyMark
from app.isp.document.sections import Section
from app.isp.document.view import View
from app.isp.templates import FOLDER, template
from app.isp.words import display_name

UNMARKED = PrivacyMark()


@cache
def style() -> Markup:
    """The style sheet; our own text, which nobody else has a word in."""
    return Markup((FOLDER / "style.css").read_text("utf-8"))


@cache
def policy() -> str:
    """The Content-Security-Policy of our pages: this style sheet, and nothing else.

    https://www.w3.org/TR/CSP3/
    """
    digest = b64encode(sha256(style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'; sandbox"
    )


def page(
    view: View, sections: Sequence[Section], mark: PrivacyMark = UNMARKED, *, is_card: bool = False
) -> str:
    """The whole document, or the crisis card alone, as HTML."""
    plan = view.plan.care_plan
    return template("page.html").render(
        view=view,
        words=view.words,
        sections=sections,
        title=heading(view, is_card=is_card),
        lead="" if is_card else str(plan.get("description", "")),
        runs=runs(view),
        standing=list(standing(view)),
        mark=mark,
        style=style(),
        version=plan.get("meta", {}).get("versionId", "-"),
        is_card=is_card,
    )


def heading(view: View, *, is_card: bool = False) -> str:
    """What the document is called."""
    person = display_name(view.plan.patient or {}) or "-"
    if is_card:
        return view.words("card.of", person=person)
    return str(view.plan.care_plan.get("title") or view.words("plan.of", person=person))
