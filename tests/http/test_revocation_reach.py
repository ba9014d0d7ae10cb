"""What a Consent opened closes with it, on every path that was open at that moment."""

import httpx
import pytest

from tests.build import consent, goal, patient, plan, reference
from tests.http.asynchronous import Work, ask, batch, do, get, own, told
from tests.http.conftest import COUNTY, PARTNER, Json, change, found, links, load
from tests.http.test_asynchronous_closed import do_all, stored

__all__ = ["do", "own"]


@pytest.fixture
async def record(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient
) -> httpx.AsyncClient:
    """Ada's record, which her Consent opens to the partner, with a document and a signature."""
    await load(operator, *plan(organization=COUNTY), consent(PARTNER))
    signature: Json = {"resourceType": "Provenance", "id": "ada-signature"}
    signature |= {"recorded": "2026-01-01T00:00:00Z", "agent": [{"who": reference(COUNTY)}]}
    signature["target"] = [reference("CarePlan/ada-plan"), reference("Goal/ada-goal-1")]
    await load(operator, signature, patient("ben", PARTNER), goal("bens", "Patient/ben"))
    await change(operator, goal(), lifecycleStatus="completed")
    return operator


def told_of(answer: Json) -> set[str]:
    """The ids of the records in a Bundle, in the Bundles within it as well."""
    resources = [each["resource"] for each in answer.get("entry", []) if "resource" in each]
    known = {str(one["id"]) for one in resources if "id" in one and one["resourceType"] in SHOWN}
    return known.union(*map(told_of, resources))


SHOWN = {"Patient", "Goal", "CarePlan", "CareTeam", "Condition", "Provenance", "Consent", "Task"}


async def revoke(county: httpx.AsyncClient) -> None:
    body = {"resourceType": "Parameters"}
    response = await county.post("/Consent/ada-consent/$revokeConsent", json=body)
    assert response.status_code == 200, response.text


PAGED = [
    "/Goal?_count=1&_sort=_id",
    "/Goal?_count=1&_revinclude=Provenance:target",
    "/Provenance?_count=1&_include=Provenance:target",
    "/CarePlan?_count=1&_include=CarePlan:goal&_revinclude:iterate=Provenance:target",
    "/Patient?_count=1&_sort=-_id&_revinclude=Goal:patient",
    "/Patient/ada/*?_count=1",
    "/Patient/ada/$everything?_count=1",
    "/?_type=Goal,CarePlan,Provenance&_count=1",
    "/Goal/_history?_count=1",
    "/_history?_count=1&_sort=_lastUpdated",
    "/Goal/ada-goal-1/_history?_count=1",
    "/CarePlan/$due-reviews?by=2090-01-01&_count=1",
]


@pytest.mark.parametrize("url", PAGED)
async def test_no_further_page_shows_what_was_revoked(
    record: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient, url: str
) -> None:
    first = await partner.get(url)
    assert first.status_code == 200, first.text
    pages = [link for name, link in links(first).items() if name in ("next", "self", "first")]
    await revoke(county)
    while pages:
        response = await partner.get(pages.pop())
        assert response.status_code in (200, 404)
        assert told_of(response.json()) <= {"ben", "bens"}, response.url
        if response.status_code == 200:
            pages += [link for name, link in links(response).items() if name == "next"]


KNOWN = ["Goal/ada-goal-1", "CarePlan/ada-plan", "Patient/ada", "Provenance/ada-signature"]


@pytest.mark.parametrize("name", KNOWN)
async def test_what_was_read_is_not_told_to_be_unchanged(
    record: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient, name: str
) -> None:
    read = await partner.get(f"/{name}")
    known = {"If-None-Match": read.headers["etag"]}
    since = {"If-Modified-Since": read.headers["last-modified"]}
    assert (await partner.get(f"/{name}", headers=known)).status_code == 304
    await revoke(county)
    nothing = f"/{name.partition('/')[0]}/nothing"
    for headers in (known, since):
        hidden = await partner.get(f"/{name}", headers=headers)
        assert hidden.status_code == 404
        assert hidden.text == (await partner.get(nothing, headers=headers)).text.replace(
            nothing[1:], name
        )
    for version in ("1", "2"):
        assert (await partner.get(f"/{name}/_history/{version}")).status_code == 404


async def test_a_stored_document_closes_with_what_it_is_about(
    record: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    kept = await stored(record)
    url = f"/Bundle/{kept['id']}"
    assert "library" in (await partner.get(url)).text
    assert found(await partner.get("/Bundle?type=document")) == [url[1:]]
    await revoke(county)
    for path in (url, f"{url}/_history", f"{url}/_history/1", f"{url}/$meta"):
        assert (await partner.get(path)).status_code == 404
    assert found(await partner.get("/Bundle?type=document")) == []


LATER = ["/Goal?_include=Goal:patient", "/_history", "/Patient/ada/$everything", "/Provenance"]


@pytest.mark.parametrize("url", LATER)
@pytest.mark.parametrize("is_done", [True, False])
async def test_an_answer_that_waits_is_empty_of_what_was_revoked(
    record: httpx.AsyncClient, partner: httpx.AsyncClient, do: Work, url: str, is_done: bool
) -> None:
    alone = await ask(partner, url)
    together = await ask(partner, body=batch(get(url[1:]), *map(get, KNOWN)))
    if is_done:
        await do_all(do)
        for place in (alone, together):
            assert "ada" in str(told_of({"entry": [await told(partner, place)]}))
    await revoke(record)
    await do_all(do)
    for place in (alone, together):
        assert told_of({"entry": [await told(partner, place)]}) <= {"ben", "bens"}


async def test_a_change_that_waits_is_not_made_after_the_revocation(
    record: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient, do: Work
) -> None:
    before = (await record.get("/Goal/ada-goal-2")).json()
    changed = {"method": "PUT", "url": "Goal/ada-goal-2", "ifMatch": 'W/"1"'}
    body = goal("ada-goal-2", lifecycleStatus="cancelled")
    url = await ask(partner, body=batch({"request": changed, "resource": body}))
    await revoke(county)
    await do_all(do)
    [answer] = (await told(partner, url))["resource"]["entry"]
    assert answer["response"]["status"].startswith("405")
    nothing = await partner.put("/Goal/nothing", json=goal("nothing"))
    assert nothing.status_code == 405
    assert (await record.get("/Goal/ada-goal-2")).json() == before
