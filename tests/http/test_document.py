"""CarePlan/$document and $crisis-card: as FHIR, as a page, on paper."""

import re
from collections.abc import AsyncIterator
from xml.etree import ElementTree

import httpx
import pytest

from app.fhir.references import walk
from app.isp.document.sections import SECTIONS
from app.storage.database import Database
from tests.conftest import CLEAN
from tests.http.conftest import COUNTY, Service, refused, serving
from tests.http.reading import CARD, DOCUMENT, Page, entries, keeper, store
from tests.worlds.whole import whole


@pytest.fixture(scope="module")
async def service(dsn: str, pool: Database) -> AsyncIterator[Service]:
    """Holds one whole plan, which every test of this file reads."""
    await pool.execute(CLEAN)
    async with serving(dsn, references="lenient") as running:
        await keeper(running)
        await store(running, whole())
        yield running


@pytest.fixture(scope="module")
async def county(service: Service) -> httpx.AsyncClient:
    return await service.as_("provider-organization", COUNTY)


async def test_the_document_begins_with_its_composition(county: httpx.AsyncClient) -> None:
    """https://hl7.org/fhir/R4/documents.html#bundle"""
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
    modes = {
        one["party"]["reference"].removeprefix(f"{base}/"): one["mode"] for one in made["attester"]
    }
    assert modes == {
        "Patient/ada": "personal",
        "PractitionerRole/eve": "professional",
        "PractitionerRole/tom": "professional",
        "PractitionerRole/ida": "professional",
    }
    # Whatever the Composition refers to is in the document.
    assert {one["reference"] for one in walk(made)} - {f"{base}/PractitionerRole/eve"} <= set(found)


async def test_every_narrative_is_the_xhtml_that_fhir_allows(county: httpx.AsyncClient) -> None:
    """https://hl7.org/fhir/R4/narrative.html#xhtml"""
    made = next(iter(entries(await county.get(DOCUMENT)).values()))
    allowed = {"div", "p", "ul", "ol", "li", "dl", "dt", "dd", "b", "span", "h3", "h4", "h5"}
    allowed |= {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    for section in (made, *made["section"]):
        root = ElementTree.fromstring(section["text"]["div"])
        tags = {one.tag.removeprefix("{http://www.w3.org/1999/xhtml}") for one in root.iter()}
        assert tags <= allowed


async def test_everything_that_was_written_can_be_read(county: httpx.AsyncClient) -> None:
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


async def test_a_browser_is_told_to_load_and_run_nothing(county: httpx.AsyncClient) -> None:
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    response = await county.get(DOCUMENT, headers={"Accept": browser})
    assert response.headers["content-type"] == "text/html;charset=utf-8"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script|<img|<link|<iframe|style=|\son\w+=", response.text)
    assert not re.search(r"""(?:href|src)="(?!#)""", response.text)


async def test_the_print_is_a_tagged_pdf(county: httpx.AsyncClient) -> None:
    for url in (DOCUMENT, CARD):
        response = await county.get(url, headers={"Accept": "application/pdf"})
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/pdf"
        assert response.content.startswith(b"%PDF-")
        assert b"%%EOF" in response.content[-16:]
        assert b"/MarkInfo" in response.content or b"/ObjStm" in response.content


@pytest.mark.parametrize("language", ["en", "es"])
async def test_the_crisis_card_is_one_page_apart(county: httpx.AsyncClient, language: str) -> None:
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


async def test_what_the_caller_may_not_see_is_absent(
    service: Service, county: httpx.AsyncClient
) -> None:
    narrow = "system/CarePlan.rs system/Patient.rs system/Goal.rs"
    client = await service.as_("provider-organization", COUNTY, narrow)
    for suffix in ("?_format=html", ""):
        text = (await client.get(DOCUMENT + suffix)).text
        assert "I want to work in a nursery." in text
        for hidden in ("every bird in the park", "Supported employment", "Carries a card", "Ines,"):
            assert (hidden in text) is (hidden == "Ines,")


@pytest.mark.parametrize("asked", ["image/png", "text/turtle", "image/svg+xml", "text/html;q=0"])
async def test_other_media_types_are_not_written(county: httpx.AsyncClient, asked: str) -> None:
    response = await county.get(DOCUMENT, headers={"Accept": asked})
    assert "application/pdf" in refused(response, 406, "not-supported")


async def test_an_ordinary_read_is_no_page(county: httpx.AsyncClient) -> None:
    for url in ("/CarePlan/ada", "/CarePlan/ada/$isp-bundle"):
        refused(await county.get(url, headers={"Accept": "text/html"}), 406, "not-supported")


async def test_reading_the_plan_is_recorded_whatever_it_looks_like(
    service: Service, county: httpx.AsyncClient
) -> None:
    operator = await service.as_()
    for form in ("json", "html", "pdf"):
        response = await county.get(f"{DOCUMENT}?_format={form}")
        found = await operator.get("/AuditEvent?entity=Patient/ada&_count=1&_sort=-date")
        event = found.json()["entry"][0]["resource"]
        assert response.headers["x-request-id"] in str(event), form
