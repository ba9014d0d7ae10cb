"""What was closed to the requester after it was done, and before the answer left."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.build import SUD, consent, goal, plan, reference
from tests.http.asynchronous import Work, ask, batch, do, get, own, told
from tests.http.conftest import COUNTY, PARTNER, Json, change, load
from tests.http.test_composition_document import KEPT, composition
from tests.http.test_consent_conditions import of_class

__all__ = ["do", "own"]
Close = Callable[[httpx.AsyncClient], Awaitable[None]]


@pytest.fixture
async def record(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient
) -> httpx.AsyncClient:
    """Ada's record, which the partner sees as a member of her team."""
    await load(operator, *plan(PARTNER, organization=COUNTY))
    return operator


async def closed(record: httpx.AsyncClient) -> None:
    """The partner is denied what is not in the answer, and with it what is not current."""
    paper = consent(PARTNER, "deny")
    await load(record, paper | {"provision": of_class(paper["provision"], "Observation")})


async def stored(record: httpx.AsyncClient) -> Json:
    """A document about ada-goal-1, kept as a Bundle."""
    section = [{"title": "Goals", "entry": [reference("Goal/ada-goal-1")]}]
    await load(record, composition(section=section))
    response = await record.post("/Composition/summary/$document", json=KEPT)
    assert response.status_code == 201, response.text
    return dict(response.json())


async def do_all(do: Work) -> None:
    while await do():
        pass


async def test_a_stored_bundle_goes_when_it_is_closed(
    record: httpx.AsyncClient, partner: httpx.AsyncClient, do: Work
) -> None:
    kept = await stored(record)
    name = f"Bundle/{kept['id']}"
    found = await ask(partner, f"/Bundle?_id={kept['id']}")
    read = await ask(partner, body=batch(get(name)))
    await do_all(do)
    for url in (found, read):
        assert "library" in str(await told(partner, url))
    await change(record, kept, **SUD)
    assert (await partner.get(f"/{name}")).status_code == 404
    assert not (await told(partner, found))["resource"].get("entry")
    [answer] = (await told(partner, read))["resource"]["entry"]
    assert answer == {"response": answer["response"]}


async def test_what_a_stored_bundle_tells_of_the_hidden_is_cut(
    record: httpx.AsyncClient, partner: httpx.AsyncClient, do: Work
) -> None:
    name = f"Bundle/{(await stored(record))['id']}"
    url = await ask(partner, body=batch(get(name)))
    await do_all(do)
    await load(record, goal(**SUD))
    [answer] = (await told(partner, url))["resource"]["entry"]
    assert "library" not in str(answer)
    assert answer["resource"] == (await partner.get(f"/{name}")).json()


@pytest.mark.parametrize("url", ["/Goal/_history", "/Goal/ada-goal-1/_history"])
async def test_an_old_version_goes_when_it_is_closed(
    record: httpx.AsyncClient, partner: httpx.AsyncClient, do: Work, url: str
) -> None:
    await change(record, goal(), lifecycleStatus="completed")
    later = await ask(partner, url)
    await do_all(do)
    at_once = (await partner.get(url)).json()
    assert (await told(partner, later))["resource"]["entry"] == at_once["entry"]
    await closed(record)
    left = (await partner.get(url)).json()["entry"]
    assert len(left) == len(at_once["entry"]) - 1
    assert (await told(partner, later))["resource"]["entry"] == left


async def test_of_a_batch_an_old_version_goes_too(
    record: httpx.AsyncClient, partner: httpx.AsyncClient, do: Work
) -> None:
    await change(record, goal(), lifecycleStatus="completed")
    names = ("Goal/ada-goal-1/_history/1", "Goal/ada-goal-1", "CarePlan/ada-plan")
    url = await ask(partner, body=batch(*map(get, names)))
    await do_all(do)
    before = (await told(partner, url))["resource"]["entry"]
    assert all("resource" in each for each in before)
    await closed(record)
    old, *others = (await told(partner, url))["resource"]["entry"]
    assert old == {"response": before[0]["response"]}
    assert others == before[1:]


async def made_secret(record: httpx.AsyncClient) -> None:
    await load(record, goal(**SUD))


@pytest.mark.parametrize("close", [made_secret, closed])
async def test_what_was_made_of_a_record_goes_with_any_version_of_it(
    record: httpx.AsyncClient, partner: httpx.AsyncClient, do: Work, close: Close
) -> None:
    await change(record, goal(), lifecycleStatus="completed")
    url = await ask(partner, body=batch(get("Goal/ada-goal-1/$diff")))
    await do_all(do)
    assert "completed" in str(await told(partner, url))
    await close(record)
    [answer] = (await told(partner, url))["resource"]["entry"]
    assert answer == {"response": answer["response"]}


async def test_the_audit_trail_has_no_versions_and_can_wait(
    record: httpx.AsyncClient, do: Work
) -> None:
    url = await ask(record, "/AuditEvent?patient=ada&_count=1")
    await do_all(do)
    [event] = (await told(record, url))["resource"]["entry"]
    assert event["resource"]["resourceType"] == "AuditEvent"


async def test_how_confidential_it_was_goes_with_what_was_closed(
    record: httpx.AsyncClient, partner: httpx.AsyncClient, do: Work
) -> None:
    """A Bundle bears the level of what is left in it."""
    paper = consent(PARTNER)
    paper["provision"]["securityLabel"] = SUD["meta"]["security"]
    await load(record, goal("sober", **SUD), paper)
    whose = "/Goal?patient=ada"
    found = await ask(partner, whose)
    batched = await ask(partner, body=batch(get("Goal/sober"), get(whose[1:])))
    await do_all(do)
    for url in (found, batched):
        assert "sober" in (await partner.get(url)).text
    assert (await told(partner, found))["resource"]["meta"]["security"][0]["code"] == "R"
    await change(record, paper, status="inactive")
    for url in (found, batched):
        text = (await partner.get(url)).text
        assert "ada-goal-1" in text
        assert '"code":"R"' not in text
    left = (await told(partner, found))["resource"]
    assert left["meta"] == (await partner.get(whose)).json()["meta"]
