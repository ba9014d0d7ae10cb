"""$consent-decision: what a consent permits, and by which provision."""

import httpx
import pytest

from tests.build import care_team, consent, goal, reference
from tests.http.conftest import COUNTY, PARTNER, Json, load, refused
from tests.http.deciding import decisions, parameters, world

__all__ = ["world"]


async def test_the_decision_names_the_provision(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient, world: None
) -> None:
    await load(operator, consent(PARTNER))
    [made] = await decisions(county, actor=PARTNER, resource="Goal/ada-goal-1")
    assert made == {
        "resource": "Goal/ada-goal-1",
        "outcome": "permit",
        "reason": "permitted by a consent",
        "consent": "Consent/ada-consent",
        "provision": "Consent.provision",
    }
    await load(operator, consent(PARTNER, "deny", id_="no"))
    [made] = await decisions(county, actor=reference(PARTNER), resource="Goal/ada-goal-1")
    assert (made["outcome"], made["consent"]) == ("deny", "Consent/no")
    assert (await partner.get("/Goal/ada-goal-1")).status_code == 404


async def test_the_decision_is_what_a_read_does(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient, world: None
) -> None:
    await load(operator, care_team(PARTNER, id_="ada-team"))
    for made in await decisions(county, actor=PARTNER, query="Goal?_sort=_id"):
        status = (await partner.get(f"/{made['resource']}")).status_code
        assert (status == 200) == (made["outcome"] == "permit"), made
    [about] = await decisions(county, actor=PARTNER, resource="Goal/sober")
    assert about["outcome"] == "not-covered"
    [paid] = await decisions(county, actor=PARTNER, purpose="HPAYMT", resource="Goal/ada-goal-1")
    assert paid["outcome"] == "not-covered"


async def test_a_consent_is_tried_before_it_is_filed(
    county: httpx.AsyncClient, partner: httpx.AsyncClient, world: None
) -> None:
    draft = consent(PARTNER)
    del draft["id"]
    [made] = await decisions(county, actor=PARTNER, resource="Goal/ada-goal-1", consent=draft)
    assert (made["outcome"], made["consent"]) == ("permit", "Consent/draft")
    [now] = await decisions(county, actor=PARTNER, resource="Goal/ada-goal-1")
    assert now["outcome"] == "not-covered"
    assert (await partner.get("/Goal/ada-goal-1")).status_code == 404


async def test_obligations_come_with_a_permission(county: httpx.AsyncClient, world: None) -> None:
    [made] = await decisions(county, resource="Goal/sober")
    assert made["outcome"] == "permit"
    assert made["reason"] == "as custodian"
    assert made["obligation"] == "PERSISTLABEL"


async def test_others_are_asked_about_by_who_decides(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, world: None
) -> None:
    url = "/Patient/ada/$consent-decision"
    unknown = await partner.post(url, json=parameters())
    refused(unknown, 404, "not-found")
    await load(operator, care_team(PARTNER, id_="ada-team"))
    response = await partner.post(url, json=parameters(actor=COUNTY))
    refused(response, 403, "forbidden")
    [own] = await decisions(partner, resource="Goal/ada-goal-1")
    assert (own["outcome"], own["reason"]) == ("permit", "as care-team")
    hidden = await partner.post(url, json=parameters(resource="Goal/sober"))
    nothing = await partner.post(url, json=parameters(resource="Goal/other"))
    refused(hidden, 404, "not-found")
    assert hidden.text.replace("sober", "other") == nothing.text


@pytest.mark.parametrize(
    "given",
    [
        {"purpose": "FUN"},
        {"action": "peek"},
        {"actor": "Goal/1"},
        {"resource": "somewhere"},
        {"query": "Nothing?x=1"},
        {"consent": goal()},
        {"other": "x"},
    ],
    ids=str,
)
async def test_what_cannot_be_asked(county: httpx.AsyncClient, world: None, given: Json) -> None:
    response = await county.post("/Patient/ada/$consent-decision", json=parameters(**given))
    assert response.status_code == 400, response.text
