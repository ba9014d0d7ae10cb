"""Documents of plans that are not as plain as others: hostile words, other languages, progress."""

from xml.etree import ElementTree

import httpx
import pytest

from app.fhir.validation.structure import validate
from tests.build import reference
from tests.http.conftest import Service
from tests.http.reading import DOCUMENT, Page, entries, keeper, service, store
from tests.worlds.whole import whole

__all__ = ["service"]


@pytest.fixture
async def county(service: Service) -> httpx.AsyncClient:
    return await keeper(service)


async def test_what_somebody_wrote_is_never_markup(
    service: Service, county: httpx.AsyncClient
) -> None:
    world = whole()
    bad = '<script>alert("1")</script> & <b>'
    world["Observation/ada-strength"]["valueString"] = bad
    world["Goal/job"]["description"]["text"] = bad
    world.changes["title"] = bad
    await store(service, world)
    for url in (f"{DOCUMENT}?_format=html", "/Goal/job/$progress-chart?_format=svg", DOCUMENT):
        response = await county.get(url)
        assert response.status_code == 200
        if "html" in url:
            assert "<script" not in response.text
        elif "svg" in url:
            ElementTree.fromstring(response.text)
        else:
            made = next(iter(entries(response).values()))
            for section in (made, *made["section"]):
                assert "<script" not in section["text"]["div"]


async def test_the_language_is_asked_for_or_the_one_the_person_prefers(
    service: Service, county: httpx.AsyncClient
) -> None:
    world = whole()
    spoken = {"coding": [{"system": "urn:ietf:bcp:47", "code": "es-MX"}]}
    world["Patient/ada"]["communication"] = [{"language": spoken, "preferred": True}]
    await store(service, world)

    async def spoken_in(url: str, header: str | None = None) -> str:
        headers = {"Accept-Language": header} if header else {"Accept-Language": ""}
        return (await county.get(url, headers=headers)).headers["content-language"]

    assert await spoken_in(DOCUMENT) == "es"
    assert await spoken_in(DOCUMENT, "fr, en-US;q=0.8, es;q=0.2") == "en"
    assert await spoken_in(f"{DOCUMENT}?language=es", "en") == "es"
    assert await spoken_in(DOCUMENT, "fr") == "es"


async def test_the_chart_is_numbers_a_picture_and_a_table(
    service: Service, county: httpx.AsyncClient
) -> None:
    world = whole()
    for on, value in (("2025-10-01", 1), ("2025-12-01", 3)):
        seen = {"value": value, "unit": "a week"}
        world.observe(
            f"walks-{value}",
            "",
            {"text": "Walks"},
            valueString=None,
            valueQuantity=seen,
            focus=[reference("Goal/friends")],
            effectiveDateTime=on,
        )
    await store(service, world)
    url = "/Goal/friends/$progress-chart"
    answer = (await county.get(url)).json()
    assert validate(answer, "Parameters") == []
    told = [(one["name"], one.get("valueCode")) for one in answer["parameter"]]
    assert ("trend", "reached") in told
    assert [name for name, _ in told].count("point") == 2
    assert [name for name, _ in told].count("milestone") == 1
    drawn = await county.get(f"{url}?_format=svg")
    assert drawn.headers["content-type"] == "image/svg+xml;charset=utf-8"
    root = ElementTree.fromstring(drawn.text)
    assert root.attrib["role"] == "img"
    labels = root.attrib["aria-labelledby"].split()
    assert labels == [one.attrib["id"] for one in root[:2]]
    assert "I want to walk with others." in str(root[0].text)
    assert "3 a week" in str(root[1].text)
    page = (await county.get(f"{url}?_format=html")).text
    assert "<svg" in page
    assert Page(page).tags.count("td") >= 9
