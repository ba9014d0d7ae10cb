"""https://hl7.org/fhir/R4/http.html#transaction, Bundle.type transaction"""

from uuid import uuid4

import httpx
import pytest

from app.storage.database import Database
from tests.build import care_plan, care_team, goal, organization, patient, reference, transaction
from tests.http.conftest import COUNTY, PARTNER, load, refused, serving
from tests.http.transactions import answers, asking, bundle, places, posting, statuses

VERSIONS = "SELECT count(*) FROM resource_version"
ELSEWHERE = "http://other.example.org/base/"


async def test_an_organization_brings_client_team_and_plan_at_once(
    county: httpx.AsyncClient,
) -> None:
    """None of them could come first: each is visible to the county by the others only."""
    who, team, wish = (f"urn:uuid:{uuid4()}" for _ in range(3))
    member = {"member": reference(COUNTY)}
    answered = await answers(
        county,
        posting(care_plan(wish, patient=who, careTeam=[reference(team)])),
        posting(care_team(patient=who) | {"participant": [member]}, team),
        posting(goal(patient=who), wish),
        posting(patient(organization=COUNTY), who),
    )
    assert statuses(answered) == ["201"] * 4
    plan_at, team_at, goal_at, patient_at = places(answered)
    plan = (await county.get(f"/{plan_at}")).json()
    assert plan["subject"] == reference(patient_at)
    assert plan["careTeam"] == [reference(team_at)]
    assert plan["goal"] == [reference(goal_at)]
    assert (await county.get(f"/{goal_at}")).json()["subject"] == reference(patient_at)


async def test_every_answer_says_where_and_which_version(
    county: httpx.AsyncClient, ada: str
) -> None:
    answered = await answers(
        county,
        posting(goal()),
        asking("PUT", "Goal/ada-goal-1", goal(lifecycleStatus="completed")),
        asking("DELETE", "Goal/ada-goal-2"),
    )
    assert statuses(answered) == ["201", "200", "204"]
    base = str(county.base_url).rstrip("/")
    assert answered[0]["response"]["location"] == f"{base}/{places(answered)[0]}/_history/1"
    assert [entry["response"]["etag"] for entry in answered] == ['W/"1"', 'W/"2"', 'W/"2"']
    assert len({entry["response"]["lastModified"] for entry in answered}) == 1
    assert not any("resource" in entry for entry in answered)


async def test_the_resources_come_back_when_preferred(county: httpx.AsyncClient, ada: str) -> None:
    [entry] = await answers(county, posting(goal()), Prefer="return=representation")
    assert entry["resource"] == (await county.get(f"/{places([entry])[0]}")).json()


async def test_references_follow_the_entry_wherever_they_stand(
    county: httpx.AsyncClient, ada: str
) -> None:
    wish = f"urn:uuid:{uuid4()}"
    plan = care_plan(wish, note=[{"text": "As said", "authorReference": reference("Patient/ada")}])
    plan["extension"] = [{"url": "http://example.org/wish", "valueReference": reference(wish)}]
    plan["activity"] = [{"detail": {"status": "scheduled", "goal": [reference(wish)]}}]
    answered = await answers(county, posting(plan), posting(goal(), wish))
    plan_at, goal_at = places(answered)
    made = (await county.get(f"/{plan_at}")).json()
    assert made["goal"] == [reference(goal_at)]
    assert made["activity"][0]["detail"]["goal"] == [reference(goal_at)]
    assert made["extension"][0]["valueReference"] == reference(goal_at)


async def test_addresses_of_where_the_bundle_was_made_are_followed(
    county: httpx.AsyncClient, ada: str
) -> None:
    """A relative reference is relative to the fullUrl of its entry."""
    wish = posting(goal("77"), f"{ELSEWHERE}Goal/77")
    relative = posting(care_plan("Goal/77"), f"{ELSEWHERE}CarePlan/1")
    absolute = posting(care_plan(f"{ELSEWHERE}Goal/77"), f"{ELSEWHERE}CarePlan/2")
    answered = await answers(county, relative, wish, absolute)
    first, goal_at, second = places(answered)
    for place in (first, second):
        assert (await county.get(f"/{place}")).json()["goal"] == [reference(goal_at)]
    assert goal_at != "Goal/77"


async def test_an_entry_put_in_place_is_referred_to_by_its_id(
    operator: httpx.AsyncClient,
) -> None:
    await load(operator, organization("county"), patient("zed", COUNTY), goal("g", "Patient/zed"))
    assert (await operator.get("/Goal?patient=zed&_total=accurate")).json()["total"] == 1


async def test_a_temporary_address_nobody_has_is_refused(
    county: httpx.AsyncClient, ada: str, database: Database
) -> None:
    before = await database.fetchval(VERSIONS)
    response = await county.post(
        "", json=bundle(posting(goal()), posting(care_plan(f"urn:uuid:{uuid4()}")))
    )
    refused(response, 422, "not-found", "Bundle.entry[1]")
    assert await database.fetchval(VERSIONS) == before


async def test_two_entries_with_one_address_are_refused(
    county: httpx.AsyncClient, ada: str
) -> None:
    same = f"urn:uuid:{uuid4()}"
    response = await county.post("", json=bundle(posting(goal(), same), posting(goal(), same)))
    refused(response, 400, "invalid", "Bundle.entry[1].fullUrl")


async def test_one_resource_twice_is_refused(county: httpx.AsyncClient, ada: str) -> None:
    for second in (
        asking("DELETE", "Goal/ada-goal-1"),
        asking("PUT", "Goal/ada-goal-1", goal(lifecycleStatus="completed")),
    ):
        response = await county.post(
            "",
            json=bundle(asking("PUT", "Goal/ada-goal-1", goal(lifecycleStatus="on-hold")), second),
        )
        assert response.status_code == 400, response.text
    assert (await county.get("/Goal/ada-goal-1")).headers["etag"] == 'W/"1"'


REFUSED = {
    "invalid": (posting({**goal(), "lifecycleStatus": 7}), 400, "resource.lifecycleStatus"),
    "incomplete": (posting({"resourceType": "Goal"}), 400, "resource"),
    "reference": (posting(goal(patient="Patient/none")), 422, "resource.subject"),
    "stale": (
        asking("PUT", "Goal/ada-goal-2", goal("ada-goal-2"), ifMatch='W/"9"'),
        412,
        "resource",
    ),
    "unknown": (asking("PUT", "Goal/none", goal("none")), 405, "resource"),
    "other-id": (asking("PUT", "Goal/ada-goal-2", goal("x")), 400, "resource.id"),
    "other-type": (asking("POST", "Patient", goal()), 400, "resource"),
    "forbidden": (posting(patient("new", None)), 403, "resource"),
    "directory": (posting(organization("new")), 403, ""),
    "no-request": ({"resource": goal()}, 400, ""),
    "no-type": (asking("GET", "Unicorn/1"), 404, ""),
    "bad-id": (asking("GET", "Patient/a_b"), 400, ""),
    "bad-query": (asking("GET", "Patient?name=%ff"), 400, ""),
    "method": (asking("PATCH", "Goal/ada-goal-2/_history", goal("ada-goal-2")), 405, ""),
    "patch": (asking("PATCH", "Goal/ada-goal-2", goal("ada-goal-2")), 400, ""),
    "nested": (asking("POST", "", bundle()), 400, ""),
    "operation": (asking("POST", "Goal/$validate", goal()), 400, ""),
    "conditional": (asking("POST", "Goal", goal(), ifNoneExist="colour=red"), 400, ""),
    "condition": (asking("DELETE", "Goal/ada-goal-2", ifMatch="2"), 400, ""),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_one_refusal_refuses_all_and_says_which(
    county: httpx.AsyncClient, ada: str, database: Database, name: str
) -> None:
    entry, status, where = REFUSED[name]
    before = await database.fetchval(VERSIONS)
    good = asking("PUT", "Goal/ada-goal-1", goal(lifecycleStatus="completed"))
    response = await county.post("", json=bundle(good, posting(goal()), entry))
    assert response.status_code == status, response.text
    for issue in response.json()["issue"]:
        [expression] = issue["expression"]
        assert expression.startswith("Bundle.entry[2]" + (f".{where}" if where else ""))
    assert await database.fetchval(VERSIONS) == before
    assert (await county.get("/Goal/ada-goal-1")).headers["etag"] == 'W/"1"'


async def test_deletions_come_first_and_reads_last_whatever_the_order(
    county: httpx.AsyncClient, ada: str
) -> None:
    answered = await answers(
        county,
        asking("GET", "Goal?patient=ada&_total=accurate"),
        asking("GET", "Goal/ada-goal-2"),
        asking("PUT", "Goal/ada-goal-2", goal("ada-goal-2", lifecycleStatus="completed")),
        posting(goal()),
        asking("DELETE", "Goal/ada-goal-1"),
    )
    assert statuses(answered) == ["200", "200", "200", "201", "204"]
    search = answered[0]["resource"]
    assert search["total"] == 2
    statuses_now = {entry["resource"]["lifecycleStatus"] for entry in search["entry"]}
    assert statuses_now == {"completed", "active"}
    assert answered[1]["resource"]["meta"]["versionId"] == "2"


async def test_a_read_that_fails_takes_the_changes_back(
    county: httpx.AsyncClient, ada: str
) -> None:
    for url, status in (("Goal/none", 404), ("Goal/ada-goal-1", 410), ("Goal?colour=red", 400)):
        deletion = asking("DELETE", "Goal/ada-goal-1")
        response = await county.post("", json=bundle(deletion, asking("GET", url)))
        assert response.status_code == status, response.text
        assert (await county.get("/Goal/ada-goal-1")).status_code == 200


async def test_what_is_deleted_cannot_be_referred_to(county: httpx.AsyncClient, ada: str) -> None:
    response = await county.post(
        "",
        json=bundle(
            posting(goal(addresses=[reference("Condition/ada-need")])),
            asking("DELETE", "Condition/ada-need"),
        ),
    )
    refused(response, 422, "not-found", "Bundle.entry[0].resource.addresses[0]")


async def test_access_is_judged_on_what_stands_at_the_end(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    """Whoever hands a client over in a transaction cannot write about them in the same breath."""
    await load(operator, organization("elsewhere"))
    away = asking("PUT", "Patient/ada", patient("ada", "Organization/elsewhere"))
    response = await county.post("", json=bundle(away, posting(goal())))
    assert response.status_code == 403, response.text
    assert (await county.get("/Patient/ada")).headers["etag"] == 'W/"1"'


async def test_nobody_makes_themselves_a_member_of_a_strangers_team(
    partner: httpx.AsyncClient, ada: str
) -> None:
    mine = f"urn:uuid:{uuid4()}"
    own = posting(patient("own", PARTNER), mine)
    for subject in ("Patient/ada", f"{partner.base_url!s}Patient/ada"):
        team = posting(care_team(PARTNER, patient=subject, id_="t"))
        refused_all = await partner.post("", json=bundle(own, team))
        assert refused_all.status_code == 422, refused_all.text
    assert (await partner.get("/Patient?_total=accurate")).json()["total"] == 0


async def test_an_empty_transaction_has_an_empty_answer(county: httpx.AsyncClient) -> None:
    assert await answers(county) == []


async def test_a_transaction_has_an_end(dsn: str, county: httpx.AsyncClient, ada: str) -> None:
    async with serving(dsn, max_entries=2) as small:
        client = await small.as_("provider-organization", COUNTY)
        response = await client.post("", json=bundle(*[posting(goal())] * 3))
        refused(response, 413, "too-long", "Bundle.entry")
    assert (await county.get("/Goal?_total=accurate")).json()["total"] == 2


async def test_a_large_transaction_is_written_whole(operator: httpx.AsyncClient) -> None:
    many = [goal(f"g{number}", "Patient/p") for number in range(150)]
    await load(operator, patient("p", None), *many)
    found = await operator.get("/Goal?patient=p&_summary=count")
    assert found.json()["total"] == 150


async def test_the_builder_of_the_tests_speaks_the_same_language(
    operator: httpx.AsyncClient,
) -> None:
    created = transaction(
        {name: v for name, v in patient(organization=None).items() if name != "id"}
    )
    response = await operator.post("", json=created)
    assert statuses(response.json()["entry"]) == ["201"]
