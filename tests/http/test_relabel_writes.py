"""The labels of a record are lowered by who decides about it, and by nobody else."""

import httpx
import pytest

from tests.build import (
    ACT,
    HL7,
    LEVEL,
    SUD,
    care_team,
    concept,
    consent,
    goal,
    organization,
    reference,
)
from tests.http.conftest import COUNTY, PARTNER, Json, Service, change, load, refused

URL = "/Goal/sensitive"
WHERE = "Goal.meta.security"
PROGRAM = {"system": ACT, "code": "42CFRPart2"}
RESTRICTED = {"system": LEVEL, "code": "R"}


def labelled(*labels: Json) -> Json:
    return goal("sensitive", meta={"security": list(labels)})


def letting_in() -> Json:
    """The partner may see and correct everything, by Ada's consent."""
    paper = consent(PARTNER)
    actions = [concept(f"{HL7}/consentaction", code) for code in ("access", "correct")]
    return paper | {"provision": paper["provision"] | {"action": actions}}


def signed_for_a_program() -> list[Json]:
    """The same, with what 42 CFR 2.31 asks for, so that it opens what that law seals."""
    form = {"resourceType": "DocumentReference", "id": "signed", "status": "current"}
    form |= {"subject": reference("Patient/ada"), "content": [{"attachment": {"title": "Form"}}]}
    paper = letting_in() | {"id": "program", "policyRule": concept(ACT, "42CFRPart2")}
    paper |= {"performer": [reference("Patient/ada")], "organization": [reference(COUNTY)]}
    paper["sourceReference"] = reference("DocumentReference/signed")
    treatment = {"system": f"{HL7}/v3-ActReason", "code": "TREAT"}
    labels = [RESTRICTED, *SUD["meta"]["security"]]
    paper["provision"] |= {"purpose": [treatment], "securityLabel": labels}
    return [form, paper]


@pytest.fixture
async def member(
    service: Service, operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> httpx.AsyncClient:
    """The clinic, in the team, to which nothing sensitive is open."""
    await load(operator, organization("clinic"), care_team("Organization/clinic"), letting_in())
    return await service.as_("provider-organization", "Organization/clinic")


@pytest.mark.parametrize(
    "security",
    [SUD["meta"]["security"], [RESTRICTED], [RESTRICTED, *SUD["meta"]["security"]]],
    ids=["kind", "level", "both"],
)
async def test_who_was_let_in_opens_it_to_nobody_else(
    operator: httpx.AsyncClient,
    partner: httpx.AsyncClient,
    member: httpx.AsyncClient,
    security: list[Json],
) -> None:
    await load(operator, labelled(*security))
    shown = (await partner.get(URL)).json()
    bare = {name: value for name, value in shown.items() if name != "meta"}
    refused(await partner.put(URL, json=bare), 422, "business-rule", WHERE)
    lower = bare | {"meta": {"security": [RESTRICTED | {"code": "N"}]}}
    refused(await partner.put(URL, json=lower), 422, "business-rule", WHERE)
    gone = {"name": "meta", "valueMeta": {"security": security}}
    asked = {"resourceType": "Parameters", "parameter": [gone]}
    refused(await partner.post(f"{URL}/$meta-delete", json=asked), 422, "business-rule", WHERE)
    patch = [{"op": "remove", "path": "/meta/security"}]
    kind = {"Content-Type": "application/json-patch+json"}
    answer = await partner.patch(URL, json=patch, headers=kind)
    refused(answer, 422, "business-rule", WHERE)
    refused(await member.get(URL), 404, "not-found")


@pytest.mark.parametrize(
    "labels",
    [[RESTRICTED, *SUD["meta"]["security"]], [RESTRICTED, *SUD["meta"]["security"], PROGRAM]],
    ids=["kind", "law"],
)
async def test_one_label_of_several_stays_as_well(
    operator: httpx.AsyncClient,
    partner: httpx.AsyncClient,
    member: httpx.AsyncClient,
    labels: list[Json],
) -> None:
    await load(operator, labelled(*labels), *signed_for_a_program())
    shown = (await partner.get(URL)).json()
    without = shown | {"meta": {"security": labels[:-1]}}
    refused(await partner.put(URL, json=without), 422, "business-rule", WHERE)
    await change(partner, shown | {"meta": {"security": labels}}, lifecycleStatus="completed")


async def test_what_is_labelled_is_deleted_by_who_keeps_it(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, labelled(RESTRICTED))
    assert (await county.delete(URL)).status_code == 204


async def test_who_was_let_in_changes_the_rest_and_adds_labels(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, member: httpx.AsyncClient
) -> None:
    await load(operator, labelled(RESTRICTED))
    shown = (await partner.get(URL)).json()
    await change(partner, shown, lifecycleStatus="completed")
    higher = {"security": [RESTRICTED | {"code": "V"}, *SUD["meta"]["security"]]}
    await change(partner, shown, meta=higher)


async def test_who_keeps_the_record_and_the_person_take_labels_away(
    service: Service, operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    person = await service.as_(
        "individual", None, "user/*.cruds", fhir_user="Patient/ada", user="ada"
    )
    for client in (county, person):
        await load(operator, labelled(RESTRICTED, PROGRAM))
        assert (await client.put(URL, json=goal("sensitive"))).status_code == 200


async def test_what_was_not_labelled_is_changed_as_before(
    operator: httpx.AsyncClient, member: httpx.AsyncClient
) -> None:
    await load(operator, goal("sensitive"))
    await change(member, goal("sensitive"), lifecycleStatus="completed")
