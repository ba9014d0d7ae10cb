"""$consent-decision at a later instant: what begins and ends until then. docs/operations/"""

from datetime import UTC, datetime

import httpx
import pytest

from tests.build import care_team, consent, organization, practitioner, practitioner_role, reference
from tests.http.conftest import PARTNER, Json, Service, load, refused
from tests.http.deciding import decisions, told
from tests.http.plan_life import day

URL = "/Patient/ada/$consent-decision"
GRACE = "Practitioner/grace"


def between(start: int | None, end: int | None) -> Json:
    made = {"start": start, "end": end}
    return {"period": {name: day(ahead) for name, ahead in made.items() if ahead is not None}}


async def at(client: httpx.AsyncClient, when: str, **given: str) -> Json:
    parts: list[Json] = [{"name": "at", "valueDateTime": when}]
    parts.append({"name": "resource", "valueReference": reference("Goal/ada-goal-1")})
    parts += [{"name": name, "valueString": value} for name, value in given.items()]
    response = await client.post(URL, json={"resourceType": "Parameters", "parameter": parts})
    assert response.status_code == 200, response.text
    [one] = response.json()["parameter"]
    return told(one)


async def outcomes(client: httpx.AsyncClient, actor: str, *days: int) -> list[str]:
    return [(await at(client, day(ahead), actor=actor))["outcome"] for ahead in days]


@pytest.fixture
async def world(operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str) -> None:
    await load(operator, organization("partner"), practitioner("grace"))


async def test_a_consent_counts_from_its_first_day_to_its_last(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, world: None
) -> None:
    paper = consent(PARTNER)
    paper["provision"] |= between(10, 20)
    await load(operator, paper)
    assert await outcomes(county, PARTNER, 5, 10, 20, 25) == [
        *("not-covered", "permit", "permit", "not-covered")
    ]
    assert (await at(county, day(15), actor=PARTNER))["consent"] == "Consent/ada-consent"


async def test_a_newer_consent_takes_over_when_its_time_comes(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, world: None
) -> None:
    old, new = consent(PARTNER, id_="old"), consent(PARTNER, "deny", id_="new")
    new["provision"] |= between(10, None)
    await load(operator, old | {"dateTime": "2024-01-01"}, new | {"dateTime": "2025-01-01"})
    assert await outcomes(county, PARTNER, 5, 15) == ["permit", "deny"]


async def test_members_come_and_go(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, world: None
) -> None:
    team = care_team(id_="ada-team") | between(None, 30)
    team["participant"] = [{"member": reference(PARTNER), **between(10, 20)}]
    await load(operator, team)
    assert await outcomes(county, PARTNER, 5, 15, 25) == ["not-covered", "permit", "not-covered"]


async def test_who_works_for_whom_is_told_at_that_time(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, world: None
) -> None:
    """By a role of her own and by her employer, which a part of another is."""
    role = practitioner_role("later", practitioner=GRACE, organization="Organization/part")
    part = organization("part") | {"partOf": reference(PARTNER)}
    await load(operator, part, role | between(10, 20), consent(PARTNER))
    assert await outcomes(county, GRACE, 5, 15, 25) == ["not-covered", "permit", "not-covered"]
    await load(operator, consent("PractitionerRole/later"))
    assert await outcomes(county, GRACE, 5, 15, 25) == ["not-covered", "permit", "not-covered"]
    # What her people were permitted, an organization may know: while they are its people.
    assert await outcomes(county, "Organization/part", 5, 15) == ["not-covered", "permit"]


async def test_a_consent_that_is_not_shown_counts_as_well(
    operator: httpx.AsyncClient, service: Service, world: None
) -> None:
    """Who may not read Consents learns of the outcome, and of none of them."""
    narrow = await service.as_(
        "provider-organization", "Organization/county", "system/Patient.r system/Goal.r"
    )
    paper = consent(PARTNER)
    paper["provision"] |= between(10, None)
    await load(operator, paper)
    made = await at(narrow, day(15), actor=PARTNER)
    assert (made["outcome"], "consent" in made) == ("permit", False)
    assert (await at(narrow, day(5), actor=PARTNER))["outcome"] == "not-covered"


async def test_what_holds_now_holds_today(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, world: None
) -> None:
    await load(operator, consent(PARTNER))
    [now] = await decisions(county, actor=PARTNER, resource="Goal/ada-goal-1")
    for when in (day(0), day(0)[:4], datetime.now(UTC).isoformat()[:10]):
        assert await at(county, when, actor=PARTNER) == now


@pytest.mark.parametrize("when", ["2020-01-01", "2020", "2020-01-01T00:00:00Z"])
async def test_the_past_is_left_to_the_trail(
    county: httpx.AsyncClient, world: None, when: str
) -> None:
    body = {"resourceType": "Parameters", "parameter": [{"name": "at", "valueDateTime": when}]}
    response = await county.post(URL, json=body)
    refused(response, 400, "not-supported")
    assert "AuditEvent" in response.text


async def test_what_is_no_time_is_refused(county: httpx.AsyncClient, world: None) -> None:
    refused(await county.get(f"{URL}?at=tomorrow"), 400, "value")


async def test_of_nothing_that_is_found_nothing_is_decided_later_either(
    county: httpx.AsyncClient, world: None
) -> None:
    response = await county.get(URL, params={"query": "Goal?_id=none", "at": day(5)})
    assert response.status_code == 200, response.text
    assert response.json().get("parameter", []) == []
