"""Which consents close old versions: those that ask what is in a resource, to whom they are for."""

import httpx
import pytest

from tests.build import HL7, concept, consent, goal, patient, reference
from tests.http.conftest import COUNTY, Json, Service, change, load
from tests.http.test_consent_conditions import ACT, LEVEL, NOTES, PARTNER, of_class, partner, world

__all__ = ["partner", "world"]

OLD, CURRENT = "/Goal/plain/_history/1", "/Goal/plain/_history/2"


@pytest.fixture
async def changed(world: httpx.AsyncClient, partner: httpx.AsyncClient) -> httpx.AsyncClient:
    """A goal of Ada's that the partner sees both versions of."""
    await change(world, goal("plain"), lifecycleStatus="completed")
    assert [await status(partner, url) for url in (OLD, CURRENT)] == [200, 200]
    return world


async def status(client: httpx.AsyncClient, url: str) -> int:
    return (await client.get(url)).status_code


def limited(kind: str, **limits: object) -> Json:
    paper = consent(PARTNER, kind)
    paper["provision"] |= limits
    return paper


KIND = {"securityLabel": [{"system": ACT, "code": "SUD"}]}
OTHERS = of_class({}, "Observation")


@pytest.mark.parametrize("kind", ["permit", "deny"])
async def test_a_consent_of_somebody_else_closes_no_versions(
    changed: httpx.AsyncClient, partner: httpx.AsyncClient, kind: str
) -> None:
    await load(changed, limited(kind, **OTHERS) | {"patient": {"reference": "Patient/ben"}})
    assert await status(partner, OLD) == 200


@pytest.mark.parametrize(
    "limits",
    [
        {"actor": consent(COUNTY)["provision"]["actor"]},
        {"purpose": [{"system": f"{HL7}/v3-ActReason", "code": "HRESCH"}]},
        {"action": [concept(f"{HL7}/consentaction", "disclose")]},
        {"period": {"start": "2020-01-01", "end": "2024-12-31"}},
    ],
    ids=["others", "purpose", "action", "over"],
)
async def test_a_provision_that_does_not_apply_closes_no_versions(
    changed: httpx.AsyncClient, partner: httpx.AsyncClient, limits: Json
) -> None:
    await load(changed, limited("deny", **OTHERS, **limits))
    assert await status(partner, OLD) == 200


async def test_a_consent_that_is_about_everything_closes_no_versions(
    changed: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    await load(changed, consent(PARTNER))
    assert await status(partner, OLD) == 200


async def test_a_denial_of_one_kind_closes_no_versions_of_another(
    changed: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    await load(changed, limited("deny", **KIND))
    assert await status(partner, OLD) == 200


async def test_a_permission_for_one_kind_opens_no_version_that_was_of_none(
    changed: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    """Or what was not labelled yet when it was written would be open by its later label."""
    await load(changed, limited("permit", **KIND))
    assert [await status(partner, url) for url in (OLD, CURRENT)] == [404, 200]


async def test_a_person_sees_their_old_versions_whatever_is_denied(
    service: Service, changed: httpx.AsyncClient
) -> None:
    everyone = limited("deny", **of_class({}, "Goal"))
    del everyone["provision"]["actor"]
    await load(changed, everyone)
    ada = await service.as_("individual", scope="user/*.rs", fhir_user="Patient/ada")
    assert [await status(ada, url) for url in (OLD, CURRENT)] == [200, 200]


async def test_notes_that_a_person_may_see_are_open_as_far_as_that_goes(
    service: Service, changed: httpx.AsyncClient
) -> None:
    """Psychotherapy notes are closed even to the person, but for what a Consent names."""
    notes = {"meta": {"security": [NOTES]}}
    await load(changed, goal("plain", **notes, startDate="2020-01-01"))
    await load(changed, goal("plain", **notes, startDate="2026-01-01"))
    paper = consent("Patient/ada") | {"policyRule": concept(f"{HL7}/v3-ActCode", "HIPAAPsyNotes")}
    paper["provision"]["dataPeriod"] = {"start": "2025-01-01", "end": "2027-12-31"}
    ada = await service.as_("individual", scope="user/*.rs", fhir_user="Patient/ada")
    assert await status(ada, "/Goal/plain") == 404
    await load(changed, paper)
    urls = [f"/Goal/plain/_history/{version}" for version in (1, 2, 3, 4)]
    assert [await status(ada, url) for url in urls] == [404, 404, 404, 200]


V, N = ({"system": LEVEL, "code": code} for code in "VN")


@pytest.mark.parametrize(
    "security",
    [[V], [{"system": ACT, "code": "ETH"}, N], [{"system": ACT, "code": "42CFRPart2"}]],
    ids=["level", "kind", "seal"],
)
async def test_a_version_that_was_more_sensitive_is_not_shown(
    world: httpx.AsyncClient, partner: httpx.AsyncClient, security: list[Json]
) -> None:
    """Whoever may see the current one: they are judged by that, and it tells of no such thing."""
    for each in ({"meta": {"security": security}}, {}, {"lifecycleStatus": "completed"}):
        await load(world, goal("was", **each))
    assert [await status(partner, f"/Goal/was/_history/{n}") for n in (1, 2, 3)] == [404, 200, 200]
    for url in ("/Goal/was/_history", "/Goal/_history", "/_history"):
        entries = (await partner.get(url)).json().get("entry", [])
        urls = [each["fullUrl"] + str(each.get("response")) for each in entries]
        assert not any("Goal/was" in each and 'W/"1"' in each for each in urls), url
    everything = await world.get("/Goal/was/_history/1")
    assert everything.status_code == 404


def meeting(*people: str) -> Json:
    """An Appointment of these people."""
    made: Json = {"resourceType": "Appointment", "id": "meeting", "status": "booked"}
    made |= {"start": "2026-01-05T10:00:00Z", "end": "2026-01-05T11:00:00Z"}
    actors = [{"actor": reference(f"Patient/{who}"), "status": "accepted"} for who in people]
    return made | {"participant": actors}


async def test_a_version_that_was_about_others_as_well_is_not_shown(
    world: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    await load(world, patient("eve", COUNTY))
    for people in (["ada", "eve"], ["ada"], ["ada", "ben"]):
        await load(world, meeting(*people))
    url = "/Appointment/meeting/_history"
    assert [await status(partner, f"{url}/{number}") for number in (1, 2, 3)] == [404, 404, 200]
    assert "Patient/eve" not in (await partner.get(url)).text
    await load(world, meeting("ben", "ada"))
    assert await status(partner, f"{url}/3") == 200
