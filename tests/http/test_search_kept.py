"""What is asked again is answered as at first, of whomever and by whomever it is asked.

Each question is put three times: a statement is kept from the second on.
"""

from typing import Any

import httpx
import pytest

from tests.build import consent, plan
from tests.http.conftest import COUNTY, PARTNER, Json, found, links, load, refused

PULL = "/CarePlan?patient={}&status=active&_include=CarePlan:goal&_include=CarePlan:care-team"
TIMES = range(3)


@pytest.fixture(autouse=True)
async def people(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    for person in ("ada", "ben"):
        await load(operator, *plan(PARTNER, person=person, organization=COUNTY))


def told(response: httpx.Response) -> Any:
    """All of an answer but its request id."""
    headers = {name: value for name, value in response.headers.items() if name != "x-request-id"}
    return response.status_code, headers, response.content


async def asked(client: httpx.AsyncClient, url: str) -> Json:
    """The answer, which is the same each time."""
    answers = [await client.get(url) for _ in TIMES]
    assert all(told(each) == told(answers[0]) for each in answers)
    assert answers[0].status_code == 200, answers[0].text
    body: Json = answers[0].json()
    return body


async def test_each_patient_has_their_own_plan(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    for client in (operator, partner):
        for form in ("{}", "Patient/{}"):
            for person in ("ada", "ben"):
                body = await asked(client, PULL.format(form.format(person)))
                ids = [entry["resource"]["id"] for entry in body["entry"]]
                assert sorted(ids) == [
                    f"{person}-{each}" for each in ("goal-1", "goal-2", "plan", "team")
                ]
                [own] = [link["url"] for link in body["link"] if link["relation"] == "self"]
                assert f"{person}&status=active" in own.replace("%2F", "/")
    assert (await asked(partner, PULL.format("nobody"))).get("entry") is None


async def test_further_pages_follow_the_first(partner: httpx.AsyncClient) -> None:
    for person in ("ada", "ben"):
        url = f"/Goal?patient={person}&_sort=_id&_count=1"
        for _ in TIMES:
            first = await partner.get(url)
            assert found(first) == [f"Goal/{person}-goal-1"]
            second = await partner.get(links(first)["next"])
            assert found(second) == [f"Goal/{person}-goal-2"]
            assert "next" not in links(second)


async def test_what_is_closed_meanwhile_is_not_shown(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    assert len((await asked(partner, PULL.format("ada")))["entry"]) == 4
    await load(operator, consent(PARTNER, "deny"))
    assert "entry" not in await asked(partner, PULL.format("ada"))
    assert len((await asked(partner, PULL.format("ben")))["entry"]) == 4
    await operator.delete("/Goal/ben-goal-1")
    assert len((await asked(partner, PULL.format("ben")))["entry"]) == 3


async def test_what_is_refused_is_refused_each_time(partner: httpx.AsyncClient) -> None:
    for person in ("ada", "ben"):
        for _ in TIMES:
            wrong = await partner.get(f"/CarePlan?patient={person}&status=active&colour=red")
            assert "no search parameter 'colour'" in refused(wrong, 400, "invalid", "colour")
            risky = await partner.get(f"/CarePlan?patient={person}&_sort=goal")
            assert "_sort by goal" in refused(risky, 400, "not-supported")


async def test_each_question_is_in_the_trail(operator: httpx.AsyncClient) -> None:
    await asked(operator, PULL.format("ben"))
    events = await operator.get("/AuditEvent?patient=ben&subtype=search-type&_summary=count")
    assert events.json()["total"] == len(TIMES)
