"""Conditions of `visible` that a mutation took away and no test minded (docs/mutation.md)."""

import httpx
import pytest

from tests.build import (
    ACT,
    HL7,
    LEVEL,
    care_team,
    concept,
    consent,
    goal,
    organization,
    patient,
    practitioner,
    practitioner_role,
    reference,
    related_person,
)
from tests.http.conftest import COUNTY, Json, Service, change, load

PARTNER = "Organization/partner"
SENSITIVE = [{"system": ACT, "code": "ETH"}, {"system": LEVEL, "code": "R"}]
PROGRAM = [{"system": ACT, "code": "42CFRPart2"}, *SENSITIVE]
NOTES = {"system": ACT, "code": "PSYTHPN"}


@pytest.fixture
async def world(operator: httpx.AsyncClient) -> httpx.AsyncClient:
    """Ada and Ben are of the county; the partner is in the team of both."""
    await load(
        operator,
        organization("county"),
        organization("partner"),
        *(patient(who, COUNTY) for who in ("ada", "ben")),
        *(
            care_team(PARTNER, id_=f"{who}-team", patient=f"Patient/{who}")
            for who in ("ada", "ben")
        ),
        goal("plain"),
        {"resourceType": "Task", "id": "todo", "status": "requested", "intent": "plan"}
        | {"for": reference("Patient/ada")},
    )
    return operator


@pytest.fixture
async def partner(service: Service, world: httpx.AsyncClient) -> httpx.AsyncClient:
    return await service.as_("partner-system", PARTNER, purpose="TREAT")


def complete(who: str) -> list[Json]:
    """A Consent with all that 42 CFR 2.31 asks for, and the form that was signed."""
    whose = reference(f"Patient/{who}")
    form = {"resourceType": "DocumentReference", "id": f"{who}-form", "status": "current"}
    content = [{"attachment": {"title": "Signed form"}}]
    paper = consent(PARTNER, id_=f"{who}-program", patient=f"Patient/{who}")
    paper["provision"]["purpose"] = [{"system": f"{HL7}/v3-ActReason", "code": "TREAT"}]
    paper["provision"]["securityLabel"] = SENSITIVE
    signed = {
        "policyRule": concept(ACT, "42CFRPart2"),
        "performer": [whose],
        "organization": [reference(COUNTY)],
        "sourceReference": reference(f"DocumentReference/{who}-form"),
    }
    return [form | {"subject": whose, "content": content}, paper | signed]


def of_class(provision: Json, *types: str) -> Json:
    """The provision for these types of resources only."""
    system = "http://hl7.org/fhir/resource-types"
    return provision | {"class": [{"system": system, "code": type_} for type_ in types]}


async def test_an_exception_from_a_denial_takes_back_no_more_than_it_names(
    world: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    paper = consent(PARTNER, "deny")
    inner = of_class(consent(PARTNER)["provision"], "Goal")
    paper["provision"]["provision"] = [inner]
    await load(world, paper)
    assert (await partner.get("/Goal/plain")).status_code == 200
    assert (await partner.get("/Task/todo")).status_code == 404


async def test_an_exception_for_the_ordinary_opens_nothing_restricted(
    service: Service, world: httpx.AsyncClient
) -> None:
    """Who keeps the record would see all of it, but for the denial."""
    paper = consent(COUNTY, "deny")
    ordinary = [{"system": LEVEL, "code": "N"}]
    paper["provision"]["provision"] = [consent(COUNTY)["provision"] | {"securityLabel": ordinary}]
    await load(world, goal("restricted", meta={"security": SENSITIVE}), paper)
    county = await service.as_("provider-organization", COUNTY)
    assert (await county.get("/Goal/plain")).status_code == 200
    assert (await county.get("/Goal/restricted")).status_code == 404


async def test_an_exception_opens_no_seal_that_it_cannot_open(
    service: Service, world: httpx.AsyncClient
) -> None:
    paper = consent(COUNTY, "deny")
    paper["provision"]["provision"] = [consent(COUNTY)["provision"]]
    await load(world, goal("program", meta={"security": PROGRAM}), paper)
    county = await service.as_("provider-organization", COUNTY)
    assert (await county.get("/Goal/plain")).status_code == 200
    assert (await county.get("/Goal/program")).status_code == 404


async def test_a_denial_within_a_denial_takes_nothing_back(
    service: Service, world: httpx.AsyncClient
) -> None:
    """It is for somebody who works for whom the outer one is for."""
    paper = consent(COUNTY, "deny")
    paper["provision"]["provision"] = [consent("Practitioner/grace", "deny")["provision"]]
    await load(world, practitioner(), practitioner_role(organization=COUNTY), paper)
    county = await service.as_("provider-organization", COUNTY)
    assert (await county.get("/Goal/plain")).status_code == 404


async def test_a_guardian_of_one_is_denied_by_another(
    service: Service, world: httpx.AsyncClient
) -> None:
    parent = "RelatedPerson/parent"
    await load(
        world,
        related_person("parent", "Patient/ben", role="GUARD"),
        goal("of-ben", "Patient/ben"),
        care_team(PARTNER, parent),
    )
    client = await service.as_("guardian", None, "user/*.rs", fhir_user=parent, user="u")
    statuses = {url: (await client.get(url)).status_code for url in ("/Goal/plain", "/Goal/of-ben")}
    assert statuses == {"/Goal/plain": 200, "/Goal/of-ben": 200}
    await load(world, consent(parent, "deny"), consent(parent, "deny", "bens", "Patient/ben"))
    assert (await client.get("/Goal/plain")).status_code == 404
    assert (await client.get("/Goal/of-ben")).status_code == 200


async def test_a_narrow_denial_closes_old_versions_to_those_it_is_for(
    service: Service, world: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    """Of an old version nobody knows whether it was what the denial names."""
    await change(world, goal("plain"), lifecycleStatus="completed")
    assert (await partner.get("/Goal/plain/_history/1")).status_code == 200
    paper = consent(PARTNER, "deny")
    paper["provision"] = of_class(paper["provision"], "Observation")
    await load(world, paper)
    assert (await partner.get("/Goal/plain/_history/1")).status_code == 404
    assert (await partner.get("/Goal/plain")).status_code == 200


async def test_what_bears_two_seals_needs_both_opened(
    world: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    await load(
        world,
        goal("program", meta={"security": PROGRAM}),
        goal("both", meta={"security": [*PROGRAM, NOTES]}),
        *complete("ada"),
    )
    assert (await partner.get("/Goal/program")).status_code == 200
    assert (await partner.get("/Goal/both")).status_code == 404


async def test_the_notice_names_the_consents_of_this_person_that_open_it(
    world: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    await load(
        world,
        goal("program", meta={"security": PROGRAM}),
        *complete("ada"),
        *complete("ben"),
        consent(PARTNER, id_="ada-other"),
    )
    text = (await partner.get("/Goal/program")).text
    assert "Consent/ada-program" in text
    assert "Consent/ben-program" not in text
    assert "Consent/ada-other" not in text


async def test_the_notice_names_those_for_the_caller_that_extend_to_it(
    world: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    form, mine = complete("ada")
    narrow = mine | {"id": "ada-narrow", "provision": of_class(mine["provision"], "Observation")}
    for_others = consent(COUNTY)["provision"]["actor"]
    theirs = mine | {"id": "ada-theirs", "provision": mine["provision"] | {"actor": for_others}}
    goals = mine | {"id": "ada-goals", "provision": of_class(mine["provision"], "Goal")}
    kind = [{"system": ACT, "code": "HIV"}]
    of_another = mine["provision"] | {"securityLabel": kind}
    other = mine | {"id": "ada-other", "provision": of_another}
    papers = [form, mine, narrow, theirs, goals, other]
    await load(world, goal("program", meta={"security": PROGRAM}), *papers)
    text = (await partner.get("/Goal/program")).text
    assert {paper["id"] for paper in papers if f"Consent/{paper['id']}" in text} == {
        "ada-program",
        "ada-goals",
    }


async def test_a_denied_time_begins_when_it_begins(
    world: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    paper = consent(PARTNER, "deny")
    paper["provision"]["dataPeriod"] = {"start": "2025-02-01", "end": "2025-02-28"}
    await load(world, observed("before", "2025-01-31"), observed("within", "2025-02-01"), paper)
    assert (await partner.get("/Observation/before")).status_code == 200
    assert (await partner.get("/Observation/within")).status_code == 404


def observed(id_: str, until: str) -> Json:
    made: Json = {"resourceType": "Observation", "id": id_, "status": "final"}
    made["subject"] = reference("Patient/ada")
    made["code"] = {"text": "Days without a crisis"}
    return made | {"effectivePeriod": {"start": "2025-01-01", "end": until}}
