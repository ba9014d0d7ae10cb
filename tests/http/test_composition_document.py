"""$document of a Composition — https://hl7.org/fhir/R4/composition-operation-document.html"""

import httpx
import pytest

from app.storage.database import Database
from tests.build import ACT, HL7, LEVEL, goal, plan, practitioner, reference
from tests.http.conftest import COUNTY, PARTNER, Json, Service, load, refused

KEPT = {
    "resourceType": "Parameters",
    "parameter": [{"name": "persist", "valueBoolean": True}],
}
URL = "/Composition/summary/$document"


def composition(**elements: object) -> Json:
    within = {"title": "In", "entry": [reference("Goal/ada-goal-2")]}
    return {
        "resourceType": "Composition",
        "id": "summary",
        "status": "final",
        "type": {"text": "Summary"},
        "subject": reference("Patient/ada"),
        "date": "2026-11-22",
        "author": [reference(COUNTY)],
        "title": "Summary",
        "section": [
            {"title": "Goals", "entry": [reference("Goal/ada-goal-1"), reference("Goal/sober")]},
            {"title": "More", "section": [within]},
        ],
        **elements,
    }


@pytest.fixture
async def summary(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    secret = goal("sober", meta={"security": [{"system": f"{HL7}/v3-ActCode", "code": "SUD"}]})
    await load(operator, *plan(PARTNER, organization=COUNTY), secret, composition())


def names(document: Json) -> list[str]:
    assert (document["resourceType"], document["type"]) == ("Bundle", "document")
    found = [each["resource"] for each in document["entry"]]
    return [f"{each['resourceType']}/{each['id']}" for each in found]


async def test_a_document_holds_what_its_composition_refers_to(
    county: httpx.AsyncClient, summary: None
) -> None:
    response = await county.get(URL)
    assert response.status_code == 200, response.text
    document = response.json()
    assert document["identifier"]["value"].startswith("urn:uuid:")
    assert document["timestamp"]
    first, *others = names(document)
    assert first == "Composition/summary"
    assert sorted(others) == [
        "Goal/ada-goal-1",
        "Goal/ada-goal-2",
        "Goal/sober",
        COUNTY,
        "Patient/ada",
    ]
    assert (await county.get("/Bundle?_total=accurate")).json()["total"] == 0


async def test_what_is_hidden_is_not_in_it(partner: httpx.AsyncClient, summary: None) -> None:
    response = await partner.get(URL)
    assert response.status_code == 200
    assert b"sober" not in response.content
    assert "Goal/ada-goal-1" in names(response.json())


async def test_who_stands_in_it_beside_the_hidden_only_is_not_in_it(
    operator: httpx.AsyncClient,
    county: httpx.AsyncClient,
    partner: httpx.AsyncClient,
    summary: None,
) -> None:
    grace = {"author": [reference("Practitioner/grace")]}
    shown = {"title": "Shown", "entry": [reference("Goal/ada-goal-1")]}
    drugs = {"title": "Drugs", "entry": [reference("Goal/sober")], **grace}
    await load(operator, practitioner("grace"), composition(section=[shown, drugs]))
    for client, is_shown in ((county, True), (partner, False)):
        text = (await client.get("/Composition/summary/$document")).text
        assert "Goal/ada-goal-1" in text
        assert ("Practitioner/grace" in text) is is_shown


async def test_what_has_no_scope_is_not_in_it(service: Service, summary: None) -> None:
    narrow = await service.as_(
        "provider-organization", COUNTY, scope="system/Composition.r system/Patient.rs"
    )
    found = names((await narrow.get(URL)).json())
    assert sorted(found) == ["Composition/summary", "Patient/ada"]


async def test_a_document_can_be_kept(county: httpx.AsyncClient, summary: None) -> None:
    response = await county.post(URL, json=KEPT)
    assert response.status_code == 201, response.text
    kept = await county.get(response.headers["location"])
    assert kept.json() == response.json()
    assert names(kept.json())[0] == "Composition/summary"
    codes = {each["code"] for each in kept.json()["meta"]["security"]}
    assert "SUD" in codes
    assert len(codes) > 1


async def test_what_is_kept_is_as_secret_as_what_is_in_it(
    county: httpx.AsyncClient,
    partner: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    summary: None,
) -> None:
    made = await county.post(URL, json=KEPT)
    place = made.headers["location"].partition("/_history")[0]
    for client in (partner, stranger):
        assert (await client.get(place)).status_code == 404
    own = await partner.post(URL, json=KEPT)
    assert own.status_code == 201, own.text
    assert b"sober" not in own.content


async def test_who_may_not_create_bundles_keeps_none(service: Service, summary: None) -> None:
    reader = await service.as_("provider-organization", COUNTY, scope="system/*.rs")
    refused(await reader.post(URL, json=KEPT), 403, "forbidden")
    assert (await reader.get(URL)).status_code == 200


@pytest.mark.parametrize("own", ["summary", "Composition/summary", "{base}/Composition/summary"])
async def test_a_composition_is_named_by_id_or_url(
    service: Service, county: httpx.AsyncClient, summary: None, own: str
) -> None:
    named = own.format(base=service.settings.base_url)
    answer = await county.get("/Composition/$document", params={"id": named})
    assert names(answer.json()) == names((await county.get(URL)).json())
    parameters = [{"name": "id", "valueUri": named}, *KEPT["parameter"]]
    asked = {"resourceType": "Parameters", "parameter": parameters}
    kept = await county.post("/Composition/$document", json=asked)
    assert kept.status_code == 201, kept.text
    assert (await county.get(kept.headers["location"])).json() == kept.json()


@pytest.mark.parametrize(
    ("path", "code", "where"),
    [
        ("/Composition/$document", "required", []),
        (
            "/Composition/$document?id=https://elsewhere.example/fhir/Composition/x",
            "not-supported",
            ["id"],
        ),
        ("/Composition/$document?id=Goal/ada-goal-1", "not-supported", ["id"]),
        ("/Composition/$document?id=a+b", "not-supported", ["id"]),
        (f"{URL}?id=summary", "invalid", ["id"]),
        (f"{URL}?graph=https://county.example/GraphDefinition/a", "not-supported", ["graph"]),
    ],
)
async def test_a_composition_that_cannot_be_meant_is_refused(
    county: httpx.AsyncClient, summary: None, path: str, code: str, where: list[str]
) -> None:
    refused(await county.get(path), 400, code, *where)


async def test_it_is_said_that_no_graph_is_followed(stranger: httpx.AsyncClient) -> None:
    said = (await stranger.get("/metadata")).json()["rest"][0]["resource"]
    [composition] = [one for one in said if one["type"] == "Composition"]
    [own] = [one for one in composition["operation"] if one["name"] == "document"]
    assert "graph" in own["documentation"]


async def test_a_composition_named_by_id_is_as_hidden_as_any(
    stranger: httpx.AsyncClient, county: httpx.AsyncClient, summary: None
) -> None:
    hidden = await stranger.get("/Composition/$document?id=summary")
    none = await stranger.get("/Composition/$document?id=nothing")
    assert (hidden.status_code, none.status_code) == (404, 404)
    assert hidden.text.replace("summary", "nothing") == none.text


@pytest.mark.parametrize("query", ["?persist=true", "?graph=x", "?persist=maybe"])
async def test_what_it_does_not_know_is_refused(
    county: httpx.AsyncClient, summary: None, query: str
) -> None:
    assert (await county.get(URL + query)).status_code == 400


async def test_a_document_is_fhir_only(
    county: httpx.AsyncClient, stranger: httpx.AsyncClient, summary: None
) -> None:
    assert (await county.get(URL, headers={"Accept": "text/html"})).status_code == 406
    response = await county.get(URL, headers={"Accept": "application/fhir+xml"})
    assert b"<Composition" in response.content
    assert (await stranger.get(URL)).status_code == 404
    assert (await county.get("/Goal/ada-goal-1/$document")).status_code == 404


BY_LAW = {
    "url": "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-basis",
    "valueCoding": {"system": ACT, "code": "42CFRPart2"},
}


@pytest.mark.parametrize("label", [(ACT, "ETHUD"), (LEVEL, "R")])
async def test_what_is_kept_is_sealed_by_the_law_that_seals_what_is_in_it(
    county: httpx.AsyncClient,
    operator: httpx.AsyncClient,
    database: Database,
    summary: None,
    label: tuple[str, str],
) -> None:
    """A label without its basis on one goal does not take the place of that with it on another."""
    coding = {"system": label[0], "code": label[1]}
    plain = {"security": [coding, {"system": ACT, "code": "NORDSCLCD"}]}
    sealed = {"security": [coding | {"extension": [BY_LAW]}]}
    metas = {"ada-goal-1": plain, "ada-goal-2": sealed, "sober": plain}
    await load(operator, *(goal(id_, meta=meta) for id_, meta in metas.items()))
    made = await county.post(URL, json=KEPT)
    assert made.status_code == 201, made.text
    seals = "SELECT seals FROM resource WHERE type = 'Bundle'"
    assert await database.fetchval(seals) == ["42CFRPart2"]


async def test_what_is_kept_bears_the_kinds_that_were_once_levels(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, summary: None
) -> None:
    await load(operator, goal(meta={"security": [{"system": LEVEL, "code": "HIV"}]}))
    kept = (await county.post(URL, json=KEPT)).json()["meta"]["security"]
    assert {"system": LEVEL, "code": "HIV"} in kept
    assert [each["code"] for each in kept if each["code"] in {*"ULMNRV"}] == ["R"]
