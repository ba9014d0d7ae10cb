"""CarePlan/$document and $crisis-card: as FHIR, as a page, on paper."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from app.fhir.references import walk
from app.fhir.validation.structure import validate
from app.isp.document.sections import SECTIONS
from app.storage.database import Database
from tests.build import organization, reference
from tests.http.conftest import COUNTY, Service, load, refused, serving
from tests.worlds.whole import whole
from tests.worlds.world import World

Json = dict[str, Any]
DOCUMENT, CARD = "/CarePlan/ada/$document", "/CarePlan/ada/$crisis-card"


@pytest.fixture
async def service(dsn: str, database: Database) -> AsyncIterator[Service]:
    """Takes plans that refer to practitioners and forms whom nobody wrote down."""
    async with serving(dsn, references="lenient") as running:
        yield running


@pytest.fixture
async def county(service: Service) -> httpx.AsyncClient:
    await load(await service.as_(), organization("county"))
    return await service.as_("provider-organization", COUNTY)


async def store(service: Service, world: World) -> None:
    """As a plan of the county; the server counts versions itself."""
    resources = [{k: v for k, v in one.items() if k != "meta"} for one in world.all()]
    for one in resources:
        if one["resourceType"] == "Patient":
            one["managingOrganization"] = reference(COUNTY)
    await load(await service.as_(), *resources)


def entries(response: httpx.Response) -> dict[str, Json]:
    """By fullUrl the resources of a valid document."""
    assert response.status_code == 200, response.text
    body = response.json()
    assert validate(body, "Bundle") == []
    assert (body["type"], body["identifier"]["system"]) == ("document", "urn:ietf:rfc:3986")
    assert "timestamp" in body
    found = {one["fullUrl"]: one["resource"] for one in body["entry"]}
    assert len(found) == len(body["entry"])
    return found


async def test_the_document_begins_with_its_composition(
    service: Service, county: httpx.AsyncClient
) -> None:
    """https://hl7.org/fhir/R4/documents.html#bundle"""
    await store(service, whole())
    found = entries(await county.get(DOCUMENT))
    made = next(iter(found.values()))
    assert made["resourceType"] == "Composition"
    assert made["type"]["coding"][0] == {
        "system": "http://loinc.org",
        "code": "18776-5",
        "display": "Plan of care note",
    }
    base = str(county.base_url).rstrip("/")
    assert made["subject"]["reference"] == f"{base}/Patient/ada"
    assert [one["code"]["coding"][-1]["code"] for one in made["section"]] == list(SECTIONS)
    for section in made["section"]:
        assert section["entry"] or section["emptyReason"]
    # Whatever the Composition refers to is in the document.
    assert {one["reference"] for one in walk(made)} - {f"{base}/PractitionerRole/eve"} <= set(found)


async def test_every_narrative_is_the_xhtml_that_fhir_allows(
    service: Service, county: httpx.AsyncClient
) -> None:
    """https://hl7.org/fhir/R4/narrative.html#xhtml"""
    await store(service, whole())
    made = next(iter(entries(await county.get(DOCUMENT)).values()))
    allowed = {"div", "p", "ul", "ol", "li", "dl", "dt", "dd", "b", "span", "h3", "h4", "h5"}
    allowed |= {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    for section in (made, *made["section"]):
        root = ElementTree.fromstring(section["text"]["div"])
        tags = {one.tag.removeprefix("{http://www.w3.org/1999/xhtml}") for one in root.iter()}
        assert tags <= allowed


async def test_everything_that_was_written_can_be_read(
    service: Service, county: httpx.AsyncClient
) -> None:
    await store(service, whole())
    text = (await county.get(DOCUMENT, headers={"Accept": "text/html"})).text
    for said in (
        "Test Ada",
        "I know every bird in the park.",
        "Call me in the afternoon.",
        "Few people to be with",
        "I want to work in a nursery.",
        "I try out two nurseries.",
        "Supported employment",
        "once a week",
        "September 1, 2025 to August 31, 2026",
        "I sit down and call Ines, +1-614-555-0100.",
        "No nuts",
        "Carries a card with Ines&#39;s number",
        "Sister, walks",
        "August 28, 2025",
        "February 27, 2026",
        "Twenty hours of work a week for three months.",
    ):
        assert said in text, said


async def test_a_browser_is_told_to_load_and_run_nothing(
    service: Service, county: httpx.AsyncClient
) -> None:
    await store(service, whole())
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    response = await county.get(DOCUMENT, headers={"Accept": browser})
    assert response.headers["content-type"] == "text/html;charset=utf-8"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script|<img|<link|<iframe|style=|\son\w+=", response.text)
    assert not re.search(r"""(?:href|src)="(?!#)""", response.text)


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


async def test_the_print_is_a_tagged_pdf(service: Service, county: httpx.AsyncClient) -> None:
    await store(service, whole())
    for url in (DOCUMENT, CARD):
        response = await county.get(url, headers={"Accept": "application/pdf"})
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/pdf"
        assert response.content.startswith(b"%PDF-")
        assert b"%%EOF" in response.content[-16:]
        assert b"/MarkInfo" in response.content or b"/ObjStm" in response.content


class Page(HTMLParser):
    """Counts what structure a page has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, list[str | None]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(f"{tag}.{name}", []).append(value)
            self.attributes.setdefault(name, []).append(value)


@pytest.mark.parametrize("language", ["en", "es"])
async def test_the_crisis_card_is_one_page_apart(
    service: Service, county: httpx.AsyncClient, language: str
) -> None:
    await store(service, whole())
    response = await county.get(f"{CARD}?language={language}&_format=html")
    assert response.headers["content-language"] == language
    page = Page(response.text)
    assert page.attributes["html.lang"] == [language]
    assert page.tags.count("section") == 1
    assert "I sit down and call Ines" in response.text
    assert "I want to work" not in response.text
    assert ("Tarjeta de crisis" in response.text) is (language == "es")
    found = entries(await county.get(CARD))
    assert len(next(iter(found.values()))["section"]) == 1
    assert not any("/Goal/" in url for url in found)


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


async def test_what_the_caller_may_not_see_is_absent(
    service: Service, county: httpx.AsyncClient
) -> None:
    await store(service, whole())
    narrow = "system/CarePlan.rs system/Patient.rs system/Goal.rs"
    client = await service.as_("provider-organization", COUNTY, narrow)
    for suffix in ("?_format=html", ""):
        text = (await client.get(DOCUMENT + suffix)).text
        assert "I want to work in a nursery." in text
        for hidden in ("every bird in the park", "Supported employment", "Carries a card", "Ines,"):
            assert (hidden in text) is (hidden == "Ines,")


@pytest.mark.parametrize(
    "asked", ["image/png", "application/fhir+xml", "image/svg+xml", "text/html;q=0"]
)
async def test_other_media_types_are_not_written(
    service: Service, county: httpx.AsyncClient, asked: str
) -> None:
    await store(service, whole())
    response = await county.get(DOCUMENT, headers={"Accept": asked})
    assert "application/pdf" in refused(response, 406, "not-supported")


async def test_an_ordinary_read_is_no_page(service: Service, county: httpx.AsyncClient) -> None:
    await store(service, whole())
    for url in ("/CarePlan/ada", "/CarePlan/ada/$isp-bundle"):
        refused(await county.get(url, headers={"Accept": "text/html"}), 406, "not-supported")


async def test_reading_the_plan_is_recorded_whatever_it_looks_like(
    service: Service, county: httpx.AsyncClient
) -> None:
    await store(service, whole())
    operator = await service.as_()
    for form in ("json", "html", "pdf"):
        response = await county.get(f"{DOCUMENT}?_format={form}")
        found = await operator.get("/AuditEvent?entity=Patient/ada&_count=1&_sort=-date")
        event = found.json()["entry"][0]["resource"]
        assert response.headers["x-request-id"] in str(event), form


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
