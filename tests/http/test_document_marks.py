"""What a document says of itself: how confidential it is, and the notice of 42 CFR Part 2."""

import httpx
import pytest

from tests.build import care_plan, goal
from tests.http.conftest import load
from tests.http.reading import entries
from tests.http.test_labels import (
    NOTICE,
    grounds,
    keeper,
    labels,
    notice,
    permit,
    recipient,
    record,
)

__all__ = ["keeper", "recipient", "record"]
DOCUMENT, CARD = "/CarePlan/ada-plan/$document", "/CarePlan/ada-plan/$crisis-card"
HTML = {"Accept": "text/html"}


@pytest.fixture
async def plan(record: httpx.AsyncClient) -> str:
    """Ada's plan with an ordinary goal and one that is a record of a program."""
    await load(record, care_plan("Goal/plain", "Goal/program", status="draft"))
    return "ada-plan"


async def test_a_page_that_tells_of_a_program_bears_the_notice(
    keeper: httpx.AsyncClient, plan: str
) -> None:
    page = (await keeper.get(DOCUMENT, headers=HTML)).text
    assert f'<p lang="en">{NOTICE}</p>' in page
    assert "Confidentiality: restricted" in page
    spanish = (await keeper.get(f"{DOCUMENT}?language=es", headers=HTML)).text
    assert f'<p lang="en">{NOTICE}</p>' in spanish
    assert "Confidencialidad: restringida" in spanish


async def test_a_document_that_tells_of_a_program_bears_the_notice(
    keeper: httpx.AsyncClient, plan: str
) -> None:
    response = await keeper.get(DOCUMENT)
    composition, *others = entries(response).values()
    assert composition["confidentiality"] == "R"
    assert notice(composition) == [NOTICE]
    assert grounds(composition) == []
    assert [one["id"] for one in others if notice(one)] == ["program"]


async def test_what_tells_of_no_program_bears_no_notice(
    keeper: httpx.AsyncClient, plan: str
) -> None:
    page = (await keeper.get(CARD, headers=HTML)).text
    assert NOTICE not in page
    assert "Confidentiality: normal" in page
    composition = next(iter(entries(await keeper.get(CARD)).values()))
    assert composition["confidentiality"] == "N"
    assert "meta" not in composition


async def test_the_notice_names_the_consent_that_opens_the_record(
    recipient: httpx.AsyncClient, record: httpx.AsyncClient, plan: str
) -> None:
    assert (await recipient.get(DOCUMENT)).status_code == 404
    await permit(record)
    await load(record, goal("plain", meta=labels("ETH", "R")))
    await load(record, care_plan("Goal/program", status="draft", meta=labels("ETH", "R")))
    composition = next(iter(entries(await recipient.get(DOCUMENT)).values()))
    assert notice(composition) == [NOTICE]
    assert [one.rpartition("/")[2] for one in grounds(composition)] == ["program-consent"]
    assert NOTICE in (await recipient.get(DOCUMENT, headers=HTML)).text


async def test_a_chart_that_tells_of_a_program_bears_the_notice(keeper: httpx.AsyncClient) -> None:
    url = "/Goal/program/$progress-chart"
    series = (await keeper.get(url)).json()
    assert notice(series) == [NOTICE]
    assert grounds(series) == []
    assert (
        f'<p lang="en"><strong>{NOTICE}</strong></p>' in (await keeper.get(url, headers=HTML)).text
    )
    picture = (await keeper.get(url, headers={"Accept": "image/svg+xml"})).text
    assert f">{NOTICE}</text>" in picture
    plain = "/Goal/plain/$progress-chart"
    assert "meta" not in (await keeper.get(plain)).json()
    assert NOTICE not in (await keeper.get(plain, headers={"Accept": "image/svg+xml"})).text
