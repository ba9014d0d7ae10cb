"""A newer Consent for the same people replaces an older one wherever Consents are asked: who may be
let into a care team, and which Consents a notice names."""

import httpx
import pytest

from tests.build import HL7, care_team, consent, goal
from tests.http.conftest import Json, load
from tests.http.test_consent_conditions import PARTNER, PROGRAM, complete, partner, world
from tests.http.test_cover import keeper, record

__all__ = ["keeper", "partner", "record", "world"]

RESEARCH = [{"system": f"{HL7}/v3-ActReason", "code": "HRESCH"}]


def newer(**elements: object) -> Json:
    """A Consent of Ada's for the partner, signed after the one that the others make."""
    paper = consent(PARTNER, id_="newer", dateTime="2025-03-01")
    return paper | elements


def for_research(paper: Json, **limits: object) -> Json:
    return paper | {"provision": paper["provision"] | {"purpose": RESEARCH} | limits}


async def is_let_in(keeper: httpx.AsyncClient) -> bool:
    answer = await keeper.put("/CareTeam/ada-team", json=care_team(PARTNER))
    assert answer.status_code in (200, 422)
    return answer.status_code == 200


async def test_what_a_newer_consent_replaced_covers_nobody(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient
) -> None:
    await load(record, consent(PARTNER), for_research(newer()))
    assert not await is_let_in(keeper)


OVER = {"period": {"start": "2020-01-01", "end": "2024-12-31"}}
ELSEWHERE = [{"coding": [{"system": f"{HL7}/v3-ActCode", "code": "INFA"}]}]


@pytest.mark.parametrize(
    "other",
    [
        for_research(newer(), **OVER),
        for_research(newer(), period={"start": "2090-01-01"}),
        for_research(newer(category=ELSEWHERE)),
        for_research(newer(dateTime="2019-01-01")),
        for_research(newer(patient={"reference": "Patient/eve"})),
        for_research(newer(status="inactive")),
    ],
    ids=["over", "to-come", "of-another-kind", "older", "of-somebody-else", "withdrawn"],
)
async def test_what_nothing_replaced_still_covers(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient, other: Json
) -> None:
    await load(record, {"resourceType": "Patient", "id": "eve"}, consent(PARTNER), other)
    assert await is_let_in(keeper)


@pytest.mark.parametrize(
    "period", [OVER["period"], {"start": "2090-01-01"}], ids=["over", "to-come"]
)
async def test_what_is_not_in_force_covers_nobody(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient, period: Json
) -> None:
    paper = consent(PARTNER)
    await load(record, paper | {"provision": paper["provision"] | {"period": period}})
    assert not await is_let_in(keeper)


async def test_the_notice_names_no_consent_that_a_newer_one_replaced(
    world: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    form, older = complete("ada")
    again = older | {"id": "ada-again", "dateTime": "2025-03-01"}
    await load(world, goal("program", meta={"security": PROGRAM}), form, older)
    assert "Consent/ada-program" in (await partner.get("/Goal/program")).text
    await load(world, again)
    text = (await partner.get("/Goal/program")).text
    assert "Consent/ada-again" in text
    assert "Consent/ada-program" not in text


async def test_no_consent_replaces_what_is_signed_after_it_was_filed(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient
) -> None:
    ahead = {name: value for name, value in newer(dateTime="2099-01-01").items() if name != "id"}
    answer = await keeper.post("/Consent", json=ahead)
    assert answer.status_code == 422
    assert "Consent.dateTime" in answer.text
