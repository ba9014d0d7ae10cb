"""Who guesses what is hidden learns nothing from whether the guess was right."""

import httpx
import pytest

from tests.build import SUD, condition, plan, reference
from tests.http.conftest import COUNTY, PARTNER, Json, load, refused

URL = "https://isp-fhir.example/StructureDefinition/any"
SCAN: Json = {
    "resourceType": "Binary",
    "id": "scan",
    "contentType": "application/pdf",
    "securityContext": reference("Patient/ada"),
    **SUD,
}
LETTER: Json = {
    "resourceType": "DocumentReference",
    "id": "letter",
    "status": "current",
    "subject": reference("Patient/ada"),
    "content": [
        {"attachment": {"contentType": "text/plain", "title": "Shown"}},
        {"attachment": {"contentType": "text/zebra", "title": "Covert", "url": "Binary/scan"}},
    ],
}


@pytest.fixture
async def member(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient
) -> httpx.AsyncClient:
    """A partner in Ada's team, who may not see what is about drugs."""
    *ada, mine = plan(PARTNER, organization=COUNTY)
    mine["addresses"].append(reference("Condition/drugs"))
    hidden = (condition("drugs", **SUD), condition("elsewhere", **SUD), SCAN)
    await load(operator, *ada, *hidden, mine, LETTER)
    return partner


def pointing(target: str) -> Json:
    """A merge patch that adds an extension which refers to the target."""
    return {"extension": [{"url": URL, "valueReference": reference(target)}]}


async def test_a_patch_may_not_repeat_a_reference_it_does_not_show(
    member: httpx.AsyncClient,
) -> None:
    for target in ("Condition/drugs", "Condition/elsewhere", "Condition/nowhere"):
        response = await member.patch(
            "/CarePlan/ada-plan",
            json=pointing(target),
            headers={"Content-Type": "application/merge-patch+json"},
        )
        refused(response, 422, "not-found", "CarePlan.extension[0].valueReference")
    kept = await member.patch(
        "/CarePlan/ada-plan",
        json={"title": "Ours"},
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert kept.status_code == 200, kept.text


@pytest.mark.parametrize(
    "query", ["_content=Covert", "contenttype=text/zebra", "location=Binary/scan"]
)
async def test_what_is_said_beside_a_hidden_attachment_is_not_found(
    member: httpx.AsyncClient, county: httpx.AsyncClient, operator: httpx.AsyncClient, query: str
) -> None:
    assert "Covert" not in (await member.get("/DocumentReference/letter")).text
    for client, total in ((operator, 1), (member, 0)):
        response = await client.get(f"/DocumentReference?{query}&_summary=count")
        assert response.json()["total"] == total


async def test_a_hidden_attachment_cannot_be_erased(
    member: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    shown = LETTER | {"content": LETTER["content"][:1]}
    refused(
        await member.put("/DocumentReference/letter", json=shown),
        422,
        "business-rule",
        "DocumentReference",
    )
    assert "Binary/scan" in (await operator.get("/DocumentReference/letter")).text
