"""The pages that people see: templates filled with the words of one language, never with markup.

https://jinja.palletsprojects.com/en/stable/api/#autoescaping
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent
LANGUAGES = ("en", "es")
STYLE_SHEET = (HERE / "templates" / "style.css").read_text("utf-8")
SCRIPT = (HERE / "templates" / "passkey.js").read_text("utf-8")

STYLE: Mapping[str, str] = {
    "color_background": "#ffffff",
    "color_error": "#a4121c",
    "color_highlight": "#1d4f91",
    "color_modal_backdrop": "",
    "color_success": "#1e6b34",
    "color_text": "#1b1b1b",
    "dim_border_radius": "4px",
    "dim_font_size": "16px",
    "dim_spacing_size": "16px",
    "font_family_body": "system-ui, sans-serif",
    "font_family_heading": "system-ui, sans-serif",
}
"""How apps may look like these pages: the SMART style of the token response's smart_style_url.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#styling
"""


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """The words of a language, by what they are for."""
    words: dict[str, str] = json.loads((HERE / "messages" / f"{language}.json").read_text("utf-8"))
    return words


def say(language: str, key: str, **values: Any) -> str:
    """A sentence with its values put in, as plain text."""
    return catalogue(language)[key].format(**values)


def chosen_language(*wishes: str | None) -> str:
    """The first language of the wishes that we speak: ui_locales, then Accept-Language.

    https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4
    """
    for wish in wishes:
        tags = (wish or "").replace(" ", "," if "," not in (wish or "") else "").split(",")
        for tag in sorted(tags, key=_weight, reverse=True):
            language = tag.partition(";")[0].lower().partition("-")[0]
            if language in LANGUAGES:
                return language
    return LANGUAGES[0]


def _weight(tag: str) -> float:
    weight = tag.partition(";q=")[2]
    try:
        return float(weight) if weight else 1.0
    except ValueError:
        return 0.0


def render(template: str, language: str, root: str, **values: Any) -> str:
    """A page as HTML; `root` is the URL that its forms and links are under."""
    page = environment(HERE / "templates").get_template(f"{template}.html")

    def speak(key: str, **words: Any) -> str:
        return say(language, key, **words)

    return page.render(say=speak, language=language, root=root, **values)


@cache
def environment(folder: Path) -> Environment:
    """The templates of a folder: they escape what they are given, and miss nothing silently."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
