"""_text and _content: full text. https://hl7.org/fhir/R4/search.html#content"""

from urllib.parse import quote

import pytest

from app.fhir.access import InCompartment
from app.fhir.errors import BadRequest
from tests.build import goal, patient


@pytest.fixture
async def goals(shelf):
    words = "<p>Swims every <b>Tuesday</b>&#160;noon</p>"
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{words}</div>'
    await shelf.put(
        patient("ada"),
        goal("walk", description={"text": "I walk to the library"}, note=[{"text": "Fell in May"}]),
        goal("swim", description={"text": "Pool"}, text={"status": "additional", "div": div}),
        goal("cafe", "Patient/ben", description={"text": "A table at the Café, outside"}),
    )
    return shelf


FOUND = {
    "_content=library": {"walk"},
    "_content=LIBRARIES": {"walk"},
    "_content=library may": {"walk"},
    "_content=library swim": set(),
    "_content=library or pool": {"walk", "swim"},
    "_content=library,pool": {"walk", "swim"},
    '_content="table at the cafe"': {"cafe"},
    '_content="cafe table"': set(),
    "_content=café": {"cafe"},
    "_content=walk -library": {"swim", "cafe"},
    "_content=walking -library -cafe": {"swim"},
    "_content=tuesday": {"swim"},
    "_content=active": set(),
    "_content=subject": set(),
    "_content=strong": set(),
    "_text=tuesday noon": {"swim"},
    "_text=pool": set(),
    "_text=library": set(),
    "_content=cafe&patient=ada": set(),
}


async def test_words_are_found(goals) -> None:
    for query, expected in FOUND.items():
        url = "Goal?" + quote(query, safe="=&_")
        assert set(await goals.find(url)) == expected, query


async def test_words_of_others_are_not_found(goals) -> None:
    assert await goals.find("Goal?_content=cafe", InCompartment("ada")) == []
    assert await goals.find("Goal?_content=library", InCompartment("ada")) == ["walk"]


@pytest.mark.parametrize("query", ["_content=", "_text=a,", "_content:exact=a"])
async def test_what_is_no_word_is_refused(shelf, query: str) -> None:
    with pytest.raises(BadRequest):
        await shelf.find(f"Goal?{query}")


async def test_a_very_long_text_is_kept(shelf) -> None:
    await shelf.put(goal("long", description={"text": "walk " * 500_000 + "zebra"}))
    assert await shelf.find("Goal?_content=walk") == ["long"]
