"""https://hl7.org/fhir/R4/http.html#vread"""

import httpx
import pytest

from tests.build import (
    HL7,
    care_team,
    consent,
    goal,
    organization,
    patient,
    practitioner,
    reference,
)
from tests.http.conftest import COUNTY, PARTNER, Json, Service, change, load, refused


async def test_every_version_stays_as_it_was(county: httpx.AsyncClient, ada: str) -> None:
    first = (await county.get("/Goal/ada-goal-1")).content
    await change(county, goal(), lifecycleStatus="completed")
    await change(county, goal(), lifecycleStatus="cancelled")
    old = await county.get("/Goal/ada-goal-1/_history/1")
    assert (old.content, old.headers["etag"]) == (first, 'W/"1"')
    second = await county.get("/Goal/ada-goal-1/_history/2")
    assert second.json()["lifecycleStatus"] == "completed"
    assert second.json()["meta"]["versionId"] == "2"


@pytest.mark.parametrize("version", ["0", "2", "01", "x", "1.0", "99999999999999999999"])
async def test_a_version_that_never_was_is_not_found(
    county: httpx.AsyncClient, ada: str, version: str
) -> None:
    refused(await county.get(f"/Goal/ada-goal-1/_history/{version}"), 404, "not-found")


async def test_the_version_that_deleted_is_gone_and_the_one_before_is_not(
    county: httpx.AsyncClient, ada: str
) -> None:
    await county.delete("/Goal/ada-goal-1")
    assert (await county.get("/Goal/ada-goal-1/_history/1")).status_code == 200
    refused(await county.get("/Goal/ada-goal-1/_history/2"), 410, "deleted")


async def test_a_version_is_hidden_as_the_resource_is(
    stranger: httpx.AsyncClient, ada: str
) -> None:
    hidden = await stranger.get("/Goal/ada-goal-1/_history/1")
    unknown = await stranger.get("/Goal/ada-goal-9/_history/1")
    refused(hidden, 404, "not-found")
    assert hidden.text.replace("ada-goal-1", "ada-goal-9") == unknown.text


async def test_a_version_about_another_patient_than_today_is_not_shown(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    """A goal entered under the wrong name was corrected; the new team must not see the old one."""
    await load(operator, patient("ben", COUNTY), consent(PARTNER, patient="Patient/ben"))
    await change(operator, goal(), subject={"reference": "Patient/ben"})
    assert (await partner.get("/Goal/ada-goal-1")).status_code == 200
    refused(await partner.get("/Goal/ada-goal-1/_history/1"), 404, "not-found")


async def test_a_version_can_be_asked_for_conditionally(
    county: httpx.AsyncClient, ada: str
) -> None:
    url = "/Goal/ada-goal-1/_history/1"
    assert (await county.get(url, headers={"If-None-Match": 'W/"1"'})).status_code == 304
    assert (await county.get(url, headers={"If-None-Match": 'W/"2"'})).status_code == 200


SECRET = {"coding": [{"system": "http://snomed.info/sct", "code": "77386006"}]}


def measured(code: Json) -> Json:
    about = {"subject": reference("Patient/ada"), "status": "final", "code": code}
    return {"resourceType": "Observation", "id": "o", **about}


NARROW = {
    "a code": {"code": [SECRET]},
    "a time of data": {"dataPeriod": {"start": "2026-01-01", "end": "2026-01-31"}},
    "what it refers to": {
        "data": [{"meaning": "dependents", "reference": reference("Practitioner/grace")}]
    },
}


@pytest.mark.parametrize("narrow", NARROW.values(), ids=NARROW)
@pytest.mark.parametrize("kind", ["deny", "permit"])
async def test_an_old_version_that_a_provision_tells_apart_is_not_shown(
    service: Service, operator: httpx.AsyncClient, ada: str, kind: str, narrow: Json
) -> None:
    """Consents are weighed for the current version, and the old one is not about the same."""
    await load(operator, organization("partner"), practitioner("grace"))
    denied, open_ = measured(SECRET), measured({"text": "Steps"})
    open_ |= {"effectiveDateTime": "2026-03-10"}
    denied |= {"effectiveDateTime": "2026-01-10", "performer": [reference("Practitioner/grace")]}
    first, second = (denied, open_) if kind == "deny" else (open_, denied)
    paper = consent(PARTNER, kind)
    paper["provision"] |= narrow
    team = care_team(PARTNER) if kind == "deny" else care_team()
    await load(operator, team, paper, first)
    partner = await service.as_("partner-system", PARTNER)
    assert (await partner.get("/Observation/o")).status_code == 404
    await load(operator, second)
    assert (await partner.get("/Observation/o")).status_code == 200
    refused(await partner.get("/Observation/o/_history/1"), 404, "not-found")
    for url in ("/Observation/o/_history", "/Observation/_history", "/_history"):
        shown = (await partner.get(url)).json()["entry"]
        versions = [e["resource"]["meta"]["versionId"] for e in shown if is_o(e)]
        assert versions == ["2"], url
    county = await service.as_("provider-organization", COUNTY)
    assert (await county.get("/Observation/o/_history/1")).status_code == 200


async def test_an_old_version_without_the_label_that_opens_the_resource_is_not_shown(
    service: Service, operator: httpx.AsyncClient, ada: str
) -> None:
    """A permission for one kind of information opens nothing else, however harmless it looks."""
    hiv = {"system": f"{HL7}/v3-ActCode", "code": "HIV"}
    paper = consent(PARTNER)
    paper["provision"] |= {"securityLabel": [hiv]}
    plain = measured({"text": "Steps"})
    await load(operator, organization("partner"), care_team(), paper, plain)
    partner = await service.as_("partner-system", PARTNER)
    assert (await partner.get("/Observation/o")).status_code == 404
    await load(operator, plain | {"meta": {"security": [hiv]}})
    assert (await partner.get("/Observation/o")).status_code == 200
    refused(await partner.get("/Observation/o/_history/1"), 404, "not-found")


def is_o(entry: Json) -> bool:
    return "Observation/o" in entry["fullUrl"]
