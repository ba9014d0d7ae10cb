"""The page of every plan of tests/worlds: what a screen reader and a tired eye need of it."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from app.isp.document.page import page, style
from app.isp.document.sections import CARD, SECTIONS, sections
from app.isp.document.view import View
from app.isp.plan import assemble
from app.isp.words import LANGUAGES, words
from tests.isp.test_worlds import WORLDS
from tests.worlds.whole import TODAY
from tests.worlds.world import World

PLANS = [world for _, world in WORLDS]
VOID = {"meta", "br", "hr", "link", "img", "input"}


class Structure(HTMLParser):
    """The headings with their levels, ids, references to ids, and that every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.ids: list[str] = []
        self.wanted: set[str] = set()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        self.ids += [given["id"]] if given.get("id") else []  # type: ignore[list-item]
        self.wanted |= set((given.get("aria-labelledby") or "").split())
        href = given.get("href") or ""
        self.wanted |= {href[1:]} if href.startswith("#") else set()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def written(world: World, language: str = "en", card: bool = False) -> str:
    view = View(assemble(world.all(), world.who), words(language), TODAY)
    return page(view, list(sections(view, CARD if card else SECTIONS)), is_card=card)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("world", PLANS, ids=lambda world: str(world.who))
def test_a_screen_reader_finds_its_way(world: World, language: str) -> None:
    found = Structure(written(world, language))
    assert found.open == []
    assert found.tags[0] == ("html", {"lang": language})
    # One title, and never a level left out on the way down.
    assert found.levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(found.levels))
    assert len(found.ids) == len(set(found.ids))
    assert found.wanted <= set(found.ids)
    assert [tag for tag, _ in found.tags if tag in ("main", "nav", "header", "footer")] == [
        "header",
        "nav",
        "main",
        "footer",
    ]


@pytest.mark.parametrize("world", PLANS, ids=lambda world: str(world.who))
def test_every_table_says_what_its_columns_are(world: World) -> None:
    found = Structure(written(world))
    assert all(given.get("scope") in ("col", "row") for tag, given in found.tags if tag == "th")
    tables = sum(tag == "table" for tag, _ in found.tags)
    assert sum(tag == "caption" for tag, _ in found.tags) == tables
    assert not re.search(r"<(th|h\d|caption|dt)[^>]*>\s*</", written(world))
    drawn = [given for tag, given in found.tags if tag == "svg"]
    assert all(given["role"] == "img" and given["aria-labelledby"] for given in drawn)


@pytest.mark.parametrize("world", PLANS, ids=lambda world: str(world.who))
def test_the_card_of_a_plan_is_short(world: World) -> None:
    found = Structure(written(world, card=True))
    assert found.levels[:2] == [1, 2]
    assert not any(tag == "nav" for tag, _ in found.tags)


def luminance(color: str) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-relative-luminance"""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_is_dark_enough_and_large_enough() -> None:
    """https://www.w3.org/TR/WCAG21/#contrast-minimum asks for 4.5; the darkest ground is e6eef5."""
    colors = re.findall(r"[{;] ?color: (#[0-9a-f]{6})", str(style()))
    assert len(colors) >= 4
    assert min(contrast(one, "#e6eef5") for one in colors) >= 7
    sizes = [float(size) for size in re.findall(r"font(?:-size)?: ([\d.]+)pt", str(style()))]
    assert [size for size in sizes if size < 12] == [10.0]  # the number of the page
    assert "font: 18px" in str(style())


def test_the_lines_of_a_chart_stand_out() -> None:
    """https://www.w3.org/TR/WCAG21/#non-text-contrast asks for 3, against each other as well."""
    assert contrast("#0060a0", "#ffffff") >= 4.5
    assert contrast("#b34700", "#ffffff") >= 4.5


def test_every_language_says_the_same() -> None:
    """The same keys, and in each message the same places to fill in."""
    first = words(LANGUAGES[0]).messages
    for language in LANGUAGES[1:]:
        other = words(language).messages
        assert other.keys() == first.keys()
        for key in first:
            holes = [set(re.findall(r"{(\w+)}", one[key])) for one in (first, other)]
            assert holes[0] == holes[1], key


def test_no_word_is_kept_that_nobody_says() -> None:
    """A key stands in the code or a template, or belongs to a group that is asked for by code."""
    from tests.house.source import APP

    sources = [*APP.glob("isp/**/*.py"), *APP.glob("isp/templates/*")]
    text = "\n".join(one.read_text("utf-8") for one in sources if one.is_file())
    groups = set(re.findall(r'"([a-z-]+)"', text)) | set(re.findall(r'f"([a-z-]+)\.', text))
    unsaid = {
        key
        for key in words("en").messages
        if f'"{key}"' not in text
        and key.partition(".")[0] not in groups - {"label"}
        and not (key.startswith("label.") and f'"{key.removeprefix("label.")}"' in text)
    }
    assert unsaid == set()
