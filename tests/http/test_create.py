"""https://hl7.org/fhir/R4/http.html#create"""

import httpx
import pytest

from tests.build import goal, organization, patient, practitioner, practitioner_role, reference
from tests.http.conftest import COUNTY, Json, create, refused, serving

BARE = {name: value for name, value in goal().items() if name != "id"}


async def test_a_created_resource_has_an_address_and_a_version(
    county: httpx.AsyncClient, ada: str
) -> None:
    response = await county.post("/Goal", json=BARE)
    assert response.status_code == 201
    made = response.json()
    assert made["meta"]["versionId"] == "1"
    assert {**made, "id": None, "meta": None} == {**BARE, "id": None, "meta": None}
    base = str(county.base_url).rstrip("/")
    assert response.headers["location"] == f"{base}/Goal/{made['id']}/_history/1"
    assert response.headers["etag"] == 'W/"1"'
    assert (await county.get(response.headers["location"])).content == response.content


async def test_the_server_gives_the_id(county: httpx.AsyncClient, ada: str) -> None:
    first, second = await create(county, goal()), await create(county, goal())
    assert len({first["id"], second["id"], goal()["id"]}) == 3
    assert (await county.get("/Goal/ada-goal-1")).json()["meta"]["versionId"] == "1"


async def test_meta_is_kept_except_for_what_is_the_servers(
    county: httpx.AsyncClient, ada: str
) -> None:
    tag = {"system": "http://example.org/tags", "code": "mine"}
    meta = {"versionId": "17", "lastUpdated": "1999-01-01T00:00:00Z", "tag": [tag]}
    made = await create(county, {**BARE, "meta": {**meta, "profile": ["http://example.org/p"]}})
    assert made["meta"]["versionId"] == "1"
    assert made["meta"]["lastUpdated"] > "2020"
    assert made["meta"]["tag"] == [tag]
    assert made["meta"]["profile"] == ["http://example.org/p"]


async def test_an_organization_creates_its_client(county: httpx.AsyncClient) -> None:
    made = await create(county, patient(organization=COUNTY))
    assert (await county.get(f"/Patient/{made['id']}")).status_code == 200


@pytest.mark.parametrize("managing", [None, "Organization/elsewhere"])
async def test_nobody_creates_a_client_that_would_not_be_theirs(
    county: httpx.AsyncClient, stranger: httpx.AsyncClient, managing: str | None
) -> None:
    response = await county.post("/Patient", json=patient(organization=managing))
    refused(response, 403, "forbidden", "Patient")
    assert (await stranger.get("/Patient?_total=accurate")).json()["total"] == 0


@pytest.mark.parametrize(
    "resource",
    [organization(), practitioner(), practitioner_role(organization=COUNTY)],
    ids=lambda resource: resource["resourceType"],
)
async def test_the_directory_is_written_by_operators(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, resource: Json
) -> None:
    await create(operator, practitioner())
    refused(await county.post(f"/{resource['resourceType']}", json=resource), 403, "forbidden")


async def test_the_audit_trail_is_written_by_the_server(operator: httpx.AsyncClient) -> None:
    event = {"resourceType": "AuditEvent", "recorded": "2026-01-01T00:00:00Z"}
    refused(await operator.post("/AuditEvent", json=event), 405, "not-supported")


async def test_a_reference_to_nothing_and_one_to_the_hidden_are_refused_alike(
    stranger: httpx.AsyncClient, ada: str
) -> None:
    hidden = await stranger.post("/Goal", json=goal())
    nothing = await stranger.post("/Goal", json=goal(patient="Patient/eve"))
    refused(hidden, 422, "not-found", "Goal.subject")
    assert hidden.text.replace("Patient/ada", "Patient/eve") == nothing.text


async def test_every_reference_to_nothing_is_named(county: httpx.AsyncClient, ada: str) -> None:
    lost = [reference("Condition/none"), reference("Condition/ada-need")]
    wrong = goal(addresses=lost, expressedBy=reference("RelatedPerson/none"))
    issues = (await county.post("/Goal", json=wrong)).json()["issue"]
    assert {tuple(issue["expression"]) for issue in issues} == {
        ("Goal.addresses[0]",),
        ("Goal.expressedBy",),
    }


async def test_a_reference_to_the_deleted_is_one_to_nothing(
    county: httpx.AsyncClient, ada: str
) -> None:
    await county.delete("/Condition/ada-need")
    wrong = goal(addresses=[reference("Condition/ada-need")])
    refused(await county.post("/Goal", json=wrong), 422, "not-found", "Goal.addresses[0]")


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"reference": "https://other.example.org/fhir/Condition/9"},
        {"identifier": {"system": "http://example.org/ids", "value": "9"}},
        {"display": "What we spoke about"},
    ],
)
async def test_a_reference_to_elsewhere_is_taken_as_it_is(
    county: httpx.AsyncClient, ada: str, elsewhere: Json
) -> None:
    made = await create(county, goal(addresses=[elsewhere]))
    assert made["addresses"] == [elsewhere]


async def test_references_may_be_absolute_or_versioned(county: httpx.AsyncClient, ada: str) -> None:
    base = str(county.base_url).rstrip("/")
    for target in (f"{base}/Condition/ada-need", "Condition/ada-need/_history/1"):
        await create(county, goal(addresses=[reference(target)]))
    lost = goal(addresses=[reference(f"{base}/Condition/none")])
    refused(await county.post("/Goal", json=lost), 422, "not-found", "Goal.addresses[0]")


async def test_references_may_lead_nowhere_where_the_operator_decided_so(
    dsn: str, operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    async with serving(dsn, references="lenient") as lenient:
        same = await lenient.as_("provider-organization", COUNTY)
        made = await create(same, goal(addresses=[reference("Condition/none")]))
        assert "addresses" not in made, "what leads nowhere is as hidden as what may not be seen"
        whole = (await operator.get(f"/Goal/{made['id']}")).json()
        assert whole["addresses"] == [reference("Condition/none")]


@pytest.mark.parametrize("temporary", ["urn:uuid:5f1c", "urn:oid:1.2.3"])
async def test_only_a_reference_may_not_be_temporary(
    county: httpx.AsyncClient, ada: str, temporary: str
) -> None:
    named = {**BARE, "identifier": [{"system": "urn:oid:2.16.840.1", "value": temporary}]}
    assert (await create(county, named))["identifier"] == named["identifier"]
    response = await county.post("/Goal", json={**named, "addresses": [reference(temporary)]})
    refused(response, 422, "not-found", "Goal.addresses[0]")
