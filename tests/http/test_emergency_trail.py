"""What an emergency leaves behind names whose record it was, and nobody else's. 42 CFR 2.51(c)"""

import httpx
import pytest

from tests.build import care_team, consent, organization, patient, reference
from tests.http.conftest import COUNTY, Service, found, load, refused
from tests.http.emergency import CLINIC, WHY, alerts, clinician, record
from tests.http.trail import events

__all__ = ["clinician", "record"]


async def overrides(operator: httpx.AsyncClient) -> list[str]:
    """The Consents that stood beside the record, by the events of the override; "" for none."""
    told = []
    for event in await events(operator, subtype="110127"):
        named = [each.get("what", {}).get("reference", "") for each in event["entity"]]
        told.append("".join(each for each in named if each.startswith("Consent/")))
    return sorted(told)


async def test_it_names_each_consent_of_the_person_that_is_in_force(
    record: httpx.AsyncClient, clinician: httpx.AsyncClient
) -> None:
    await load(
        record,
        patient("ben", COUNTY),
        *(consent(COUNTY, id_=id_) for id_ in ("one", "two", "gone")),
        consent(COUNTY, id_="over", status="inactive"),
        consent(COUNTY, id_="bens", patient="Patient/ben"),
    )
    assert (await record.delete("/Consent/gone")).status_code == 204
    assert (await clinician.get("/Goal/plain", headers=WHY)).status_code == 200
    assert await overrides(record) == ["Consent/one", "Consent/two"]


async def test_where_there_is_no_consent_it_is_told_all_the_same(
    record: httpx.AsyncClient, clinician: httpx.AsyncClient
) -> None:
    assert (await clinician.get("/Goal/plain", headers=WHY)).status_code == 200
    assert await overrides(record) == [""]


async def test_a_record_that_a_directory_leads_to_is_told_on(
    record: httpx.AsyncClient, clinician: httpx.AsyncClient
) -> None:
    url = "/Organization?_id=county&_revinclude=Patient:organization"
    assert found(await clinician.get(url, headers=WHY), "include") == ["Patient/ada"]
    [task] = await alerts(record)
    assert task["for"] == reference("Patient/ada")


@pytest.mark.parametrize(
    "url",
    [
        "/Goal?patient=ada&_count=0",
        "/Goal?patient=ada&_count=00",
        "/Goal?patient=ada&_summary=count",
        "/Goal?patient=ada&_total=accurate",
        "/Organization?_has:Patient:organization:_id=ada",
    ],
)
async def test_nothing_is_counted_in_an_emergency(clinician: httpx.AsyncClient, url: str) -> None:
    assert "no counts" in refused(await clinician.get(url, headers=WHY), 403, "forbidden")


async def test_who_asks_for_no_total_counts_nothing(
    record: httpx.AsyncClient, clinician: httpx.AsyncClient
) -> None:
    url = "/Goal?patient=ada&_total=none&_count=10&_summary=false"
    assert (await clinician.get(url, headers=WHY)).status_code == 200
    assert len(await alerts(record)) == 1


async def test_the_task_names_who_asked_and_who_keeps_the_record(
    service: Service, record: httpx.AsyncClient
) -> None:
    """A system without a person; a record that no organization manages."""
    ward = await service.as_("ehr-system", CLINIC)
    assert (await ward.get("/Goal/plain", headers=WHY)).status_code == 200
    [task] = await alerts(record)
    assert (task["requester"], task["owner"]) == (reference(CLINIC), reference(COUNTY))
    await load(record, patient("eve", None), organization("clinic"))
    await load(record, care_team(CLINIC, id_="eve-team", patient="Patient/eve"))
    assert (await ward.get("/Patient/eve", headers=WHY)).status_code == 200
    [hers] = [each for each in await alerts(record) if each["for"] == reference("Patient/eve")]
    assert "owner" not in hers
