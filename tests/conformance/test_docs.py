"""Every example in docs/ and openapi/examples/ is sent, and answered as it says."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.auth.access_token import Grant
from tests.conformance.conftest import Demonstration
from tests.conformance.http_file import Example, Filling, in_http, in_markdown, run

ROOT = Path(__file__).parents[2]
KEY_WORKER = Grant(
    client_id="docs",
    scope="system/*.cruds",
    role="key-worker",
    organization="Organization/wren-county-behavioral-health",
)

OTHERS = {
    "person": Grant(
        client_id="docs-person",
        scope="patient/*.rs",
        role="individual",
        fhir_user="Patient/maria-alvarez",
        patient="maria-alvarez",
    ),
    "officer": Grant(
        client_id="docs-officer",
        scope="system/*.rs",
        role="privacy-officer",
        organization=KEY_WORKER.organization,
    ),
    "clinician": Grant(
        client_id="docs-clinician",
        scope="user/*.rs",
        role="clinician",
        organization="Organization/northfield-health",
        user="amara",
        fhir_user="Practitioner/amara-osei",
    ),
    "stranger": Grant(
        client_id="docs-stranger",
        scope="system/*.rs",
        role="ehr-system",
        organization="Organization/larkspur-day-center",
    ),
}
"""Whose tokens an example may carry instead: `Authorization: Bearer {{person}}`."""


def pages() -> Iterator[Path]:
    yield from sorted((ROOT / "docs").rglob("*.md"))
    yield from sorted((ROOT / "openapi" / "examples").glob("*.http"))


def examples(page: Path) -> list[Example]:
    read = in_markdown if page.suffix == ".md" else in_http
    return list(read(page.read_text("utf-8")))


PAGES = [page for page in pages() if examples(page)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
async def test_the_examples_of_a_page_answer_as_they_say(
    page: Path, demonstration: Demonstration
) -> None:
    base = str(demonstration.client.base_url).rstrip("/")
    token = await demonstration.token(KEY_WORKER)
    others = {name: await demonstration.token(grant) for name, grant in OTHERS.items()}
    today = datetime.now(UTC).date().isoformat()
    given = {"base": base, "issuer": base.removesuffix("/fhir"), "token": token, "today": today}
    filling = Filling(given | others)
    for example in examples(page):
        await run(demonstration.client, example, filling)


def test_every_interaction_page_has_examples() -> None:
    interactions = ROOT / "docs" / "interactions"
    assert {page for page in PAGES if page.parent == interactions} == set(interactions.glob("*.md"))
