"""A signature says who the token says, whichever way it is written."""

from typing import Any

import httpx
import pytest

from tests.build import practitioner, practitioner_role, reference, related_person
from tests.http.conftest import COUNTY, Json, Service, load, refused

ADA, GRACE, CLERK = "Patient/ada", "Practitioner/grace", "PractitionerRole/clerk"
KIND = {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.7"}
WHEN = "2026-01-01T09:00:00Z"
WHO = "Provenance.signature[0].who"


def proof(who: Json | str, **elements: Any) -> Json:
    """A Provenance that the plan was signed, to be created."""
    named = reference(who) if isinstance(who, str) else who
    return {
        "resourceType": "Provenance",
        "target": [reference("CarePlan/ada-plan/_history/1")],
        "recorded": WHEN,
        "agent": [{"who": reference(GRACE)}],
        "signature": [{"type": [KIND], "when": WHEN, "who": named}],
    } | elements


def behalf(whom: str, who: str = GRACE) -> Json:
    made = proof(who)
    made["signature"][0]["onBehalfOf"] = reference(whom)
    return made


@pytest.fixture
async def people(operator: httpx.AsyncClient, ada: str) -> None:
    await load(
        operator,
        practitioner("grace"),
        practitioner("hopper"),
        practitioner_role("clerk", practitioner=GRACE, organization=COUNTY),
        practitioner_role("other", practitioner="Practitioner/hopper", organization=COUNTY),
        related_person("gus", role="GUARD"),
    )


@pytest.fixture
async def grace(service: Service, people: None) -> httpx.AsyncClient:
    return await service.as_("key-worker", COUNTY, "user/*.cruds", fhir_user=GRACE, user="grace")


@pytest.mark.parametrize("who", [GRACE, CLERK])
async def test_people_sign_as_themselves_in_whatever_role(
    grace: httpx.AsyncClient, who: str
) -> None:
    assert (await grace.post("/Provenance", json=proof(who))).status_code == 201


@pytest.mark.parametrize(
    "who",
    [
        ADA,
        COUNTY,
        "Practitioner/hopper",
        "PractitionerRole/other",
        {"display": "Ada Lovelace"},
        {"reference": "https://elsewhere.example/Practitioner/grace"},
    ],
)
async def test_nobody_signs_as_somebody_else(grace: httpx.AsyncClient, who: Json | str) -> None:
    refused(await grace.post("/Provenance", json=proof(who)), 422, "business-rule", WHO)


async def test_the_second_signature_is_judged_as_well(grace: httpx.AsyncClient) -> None:
    both = proof(GRACE)["signature"] + proof(ADA)["signature"]
    answer = await grace.post("/Provenance", json=proof(GRACE, signature=both))
    refused(answer, 422, "business-rule", "Provenance.signature[1].who")


async def test_an_entry_of_a_transaction_is_judged_alike(grace: httpx.AsyncClient) -> None:
    entry = {"resource": proof(ADA), "request": {"method": "POST", "url": "Provenance"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    at = f"Bundle.entry[0].resource{WHO.removeprefix('Provenance')}"
    refused(await grace.post("", json=bundle), 422, "business-rule", at)


async def test_people_sign_on_behalf_of_whom_they_act_for(
    service: Service, grace: httpx.AsyncClient
) -> None:
    assert (await grace.post("/Provenance", json=behalf(COUNTY))).status_code == 201
    guardian = await service.as_(
        "guardian", None, "user/*.cruds", fhir_user="RelatedPerson/gus", user="gus"
    )
    made = behalf(ADA, "RelatedPerson/gus")
    assert (await guardian.post("/Provenance", json=made)).status_code == 201


async def test_and_of_nobody_else(grace: httpx.AsyncClient) -> None:
    at = "Provenance.signature[0].onBehalfOf"
    refused(await grace.post("/Provenance", json=behalf(ADA)), 422, "business-rule", at)
    agent = [{"who": reference(GRACE), "onBehalfOf": reference(ADA)}]
    answer = await grace.post("/Provenance", json=proof(GRACE, agent=agent))
    refused(answer, 422, "business-rule", "Provenance.agent[0].onBehalfOf")


async def test_a_system_signs_for_no_person(service: Service, people: None) -> None:
    system = await service.as_("ehr-system", COUNTY)
    refused(await system.post("/Provenance", json=proof(GRACE)), 422, "business-rule", WHO)
    assert (await system.post("/Provenance", json=proof(COUNTY))).status_code == 201


async def test_a_refusal_to_sign_is_judged_alike(grace: httpx.AsyncClient) -> None:
    isp = "https://isp-fhir.example/CodeSystem/isp"
    said = [{"coding": [{"system": isp, "code": "signature-refused"}], "text": "No."}]
    made = {k: v for k, v in proof(GRACE, reason=said).items() if k != "signature"}
    assert (await grace.post("/Provenance", json=made)).status_code == 201
    other = made | {"agent": [{"who": reference(ADA)}]}
    answer = await grace.post("/Provenance", json=other)
    refused(answer, 422, "business-rule", "Provenance.agent[0].who")


async def test_what_others_signed_cannot_be_turned_into_another_signature(
    operator: httpx.AsyncClient, grace: httpx.AsyncClient
) -> None:
    await load(operator, proof(ADA, id="signed"))
    stored = (await grace.get("/Provenance/signed")).json()
    moved = stored | {"target": [reference("CarePlan/ada-plan/_history/2")]}
    refused(await grace.put("/Provenance/signed", json=moved), 422, "business-rule", WHO)
    patch = [{"op": "replace", "path": "/signature/0/when", "value": "2026-02-01T09:00:00Z"}]
    kind = {"Content-Type": "application/json-patch+json"}
    answer = await grace.patch("/Provenance/signed", json=patch, headers=kind)
    refused(answer, 422, "business-rule", WHO)
    kept = stored | {"policy": ["https://county.example/policies/signing"]}
    assert (await grace.put("/Provenance/signed", json=kept)).status_code == 200


async def test_what_others_signed_or_refused_is_not_taken_away(
    operator: httpx.AsyncClient, grace: httpx.AsyncClient
) -> None:
    isp = "https://isp-fhir.example/CodeSystem/isp"
    said = [{"coding": [{"system": isp, "code": "signature-refused"}], "text": "No."}]
    no = {k: v for k, v in proof(ADA, id="no", reason=said).items() if k != "signature"}
    await load(operator, proof(ADA, id="yes"), no | {"agent": [{"who": reference(ADA)}]})
    for id_, element in (("yes", "signature"), ("no", "reason")):
        refused(await grace.delete(f"/Provenance/{id_}"), 422, "business-rule", "Provenance")
        stored = (await grace.get(f"/Provenance/{id_}")).json()
        less = {k: v for k, v in stored.items() if k != element}
        answer = await grace.put(f"/Provenance/{id_}", json=less)
        refused(answer, 422, "business-rule", "Provenance")
    own = (await grace.post("/Provenance", json=proof(GRACE))).json()
    assert (await grace.delete(f"/Provenance/{own['id']}")).status_code == 204


async def test_a_provenance_without_a_signature_names_whom_it_likes(
    grace: httpx.AsyncClient,
) -> None:
    made = proof(GRACE, agent=[{"who": reference(ADA)}])
    del made["signature"]
    assert (await grace.post("/Provenance", json=made)).status_code == 201


async def test_an_operator_loads_what_was_signed_elsewhere(
    operator: httpx.AsyncClient, people: None
) -> None:
    assert (await operator.post("/Provenance", json=proof(ADA))).status_code == 201
