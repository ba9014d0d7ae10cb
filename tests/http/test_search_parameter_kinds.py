"""What can be registered to search by: parameters of US Core, of every type, of any expression."""

from typing import Any

import httpx
import pytest

from tests.build import goal, patient, reference
from tests.http.conftest import COUNTY, Service, found, load
from tests.http.redacted import eyes, plans
from tests.http.registering import RACE, US_CORE, forgotten, parameter, racial, register, told

__all__ = ["eyes", "forgotten"]


async def test_those_of_us_core_are_searched_by(
    service: Service, operator: httpx.AsyncClient, county: httpx.AsyncClient
) -> None:
    asserted = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"
    race = parameter("race", f"Patient.extension.where(url = '{RACE}').extension.value.code")
    dated = parameter(
        "asserted-date",
        f"Condition.extension.where(url = '{asserted}').valueDateTime",
        "date",
        base=["Condition"],
        url=f"{US_CORE}/SearchParameter/us-core-condition-asserted-date",
    )
    role = parameter("role", "CareTeam.participant.role", base=["CareTeam"])
    status = parameter("clinical-status", "Condition.clinicalStatus", base=["Condition"])
    status["derivedFrom"] = "http://hl7.org/fhir/SearchParameter/Condition-clinical-status"
    same = parameter("name", "Patient.name", "string", base=["Patient"])
    await load(operator, racial("ines"), patient("ada", COUNTY))
    need = {"resourceType": "Condition", "id": "need", "subject": reference("Patient/ines")}
    need["extension"] = [{"url": asserted, "valueDateTime": "2026-03-04"}]
    await load(operator, need)
    assert found(await operator.get("/Condition?asserted-date=2026-03")) == ["Condition/need"]
    await register(service, operator, race | {"base": ["Patient"]}, dated, role, status, same)
    assert found(await operator.get("/Patient?race=2028-9")) == ["Patient/ines"]
    assert found(await operator.get("/Patient?race:missing=true&active=true")) == ["Patient/ada"]
    assert found(await operator.get("/Condition?asserted-date=2026-03")) == ["Condition/need"]
    assert found(await operator.get("/Condition?asserted-date=gt2026-04")) == []
    assert found(await operator.get("/Condition?patient.race=2028-9")) == ["Condition/need"]
    assert {*(await told(operator))} == {"race"}


KINDS = [
    ("token", "Goal.target.detail", None),
    ("string", "Goal.note.text", "Goal?own=hard"),
    ("reference", "Goal.expressedBy", "Goal?own=Patient/ada"),
    ("date", "Goal.note.time", "Goal?own=2026-01"),
    ("quantity", "Goal.target.detail.ofType(Quantity)", "Goal?own=gt6"),
    ("number", "Goal.target.select(iif(detail.exists(), 5, 3))", "Goal?own=5"),
    ("uri", "Goal.instantiates", None),
    ("token", "Goal.note.exists()", "Goal?own=true"),
    ("token", "Goal.note.where(text.startsWith('hard')).author", None),
    ("string", "Goal.note.where(time > @2020).text.upper()", "Goal?own=HARD"),
]


@pytest.mark.parametrize("case", KINDS)
async def test_every_type_of_parameter_is_indexed(
    service: Service, operator: httpx.AsyncClient, ada: str, case: Any
) -> None:
    kind, expression, url = case
    note = {"text": "hard", "time": "2026-01-02T00:00:00Z", "authorString": "Ada"}
    target = {"measure": {"text": "walks"}, "detailQuantity": {"value": 7, "unit": "walk"}}
    one = goal("full", note=[note], target=[target], expressedBy=reference("Patient/ada"))
    bare = {key: value for key, value in goal("bare").items() if key != "target"}
    await load(operator, one, bare)
    await register(service, operator, parameter("own", expression, kind))
    if url is not None:
        assert "Goal/full" in found(await operator.get(url))
        assert "Goal/bare" not in found(await operator.get(url))
    assert (await operator.get("/Goal?own:missing=true")).status_code == 200


async def test_a_reference_that_is_plain_is_followed(
    service: Service, operator: httpx.AsyncClient, ada: str
) -> None:
    said = parameter("said-by", "Goal.expressedBy", "reference", target=["Patient"])
    await load(operator, goal("said", expressedBy=reference("Patient/ada")))
    await register(service, operator, said)
    assert found(await operator.get("/Goal?said-by.family=Ada")) == ["Goal/said"]
    assert found(await operator.get("/Patient?_has:Goal:said-by:_id=said")) == ["Patient/ada"]
    answer = await operator.get("/Goal?_id=said&_include=Goal:said-by")
    assert found(answer, "include") == ["Patient/ada"]


async def test_an_expression_that_fails_stops_nobody_and_is_counted(
    service: Service, operator: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, goal("two", note=[{"text": "a"}, {"text": "b"}]))
    await register(service, operator, parameter("own", "Goal.note.text + '!'", "string"))
    assert (await told(operator))["own"]["failed"] == 1
    await load(operator, goal("three", note=[{"text": "a"}, {"text": "b"}, {"text": "c"}]))
    assert (await told(operator))["own"]["failed"] == 2
    assert found(await operator.get("/Goal?own=a")) == []


async def test_by_what_is_hidden_nothing_is_found(
    service: Service, operator: httpx.AsyncClient, eyes: Any
) -> None:
    county, partner = eyes
    doing = parameter("doing", "CarePlan.activity.detail.code", base=["CarePlan"])
    sly = parameter(
        "sly",
        "CarePlan.goal.where(reference = 'Goal/sober').exists()",
        base=["CarePlan"],
    )
    named = parameter("named", "CarePlan.goal.reference", "string", base=["CarePlan"])
    await register(service, operator, doing, sly, named)
    for url in ("doing=quitting", "doing=walking", "sly=true", "named=Goal/sober"):
        assert len(await plans(county, f"/CarePlan?{url}")) == 1, url
        answer = (await partner.get(f"/CarePlan?{url}")).json()
        assert "entry" not in answer, url
    assert (await partner.get("/CarePlan?_sort=named")).status_code == 400
