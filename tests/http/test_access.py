"""Who may see a patient at all, whatever the scopes. docs/interactions/index.md"""

import httpx
import pytest

from tests.build import (
    FAR_AHEAD,
    HL7,
    LONG_AGO,
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
from tests.http.conftest import (
    COUNTY,
    PARTNER,
    Json,
    Service,
    change,
    found,
    load,
    refused,
)

LONG_OVER = "2021-01-01"
OVER = {"start": LONG_AGO, "end": LONG_OVER}
TO_COME = {"start": "2089-01-01", "end": FAR_AHEAD}
GRACE, ROLE = "Practitioner/grace", "PractitionerRole/grace-key-worker"


def role(**elements: object) -> Json:
    return practitioner_role(organization=PARTNER, **elements)


def team(member: str = PARTNER, period: Json | None = None, **elements: object) -> Json:
    made = care_team(id_="new-team", **elements)
    made["participant"] = [{"member": reference(member), "period": period or {"start": LONG_AGO}}]
    return made


def permit(period: Json | None = None, **elements: object) -> Json:
    return _with_period(consent(PARTNER, id_="yes"), period) | elements


def deny(period: Json | None = None, **elements: object) -> Json:
    return _with_period(consent(PARTNER, "deny", id_="no"), period) | elements


def _with_period(paper: Json, period: Json | None) -> Json:
    return paper | {"provision": paper["provision"] | ({"period": period} if period else {})}


TREATMENT = {"system": f"{HL7}/v3-ActReason", "code": "TREAT"}
RESEARCH = {"system": f"{HL7}/v3-ActReason", "code": "HRESCH"}


def nested(*provisions: Json, kind: str | None = None) -> Json:
    """A Consent whose root provision is `kind` for everyone, and what differs from it."""
    root: Json = {"type": kind} if kind else {}
    parts: Json = {"provision": list(provisions)} if provisions else {}
    return {**consent(PARTNER, id_="nested"), "provision": root | parts}


def to(actor: str, kind: str, **elements: object) -> Json:
    given: Json = consent(actor, kind)["provision"] | elements
    return given


STAFF = [practitioner(), role()]
OPENS = {
    "a care team": [team()],
    "a member's role": [*STAFF, team(ROLE)],
    "a member who works here": [*STAFF, team(GRACE)],
    "a consent": [permit()],
    "a consent without a period": [permit({"start": LONG_AGO})],
    "a consent that is refused to another": [
        permit(),
        consent("Organization/other", "deny", id_="n"),
    ],
    "a refusal that is over": [team(), deny(OVER)],
    "a refusal to come": [team(), deny(TO_COME)],
    "a refusal withdrawn": [team(), deny(status="inactive")],
    "a refusal of everyone else": [team(), nested(to(PARTNER, "permit"), kind="deny")],
}
OPENS_NOT = {
    "nothing": [],
    "a draft of a care team": [team(status="proposed")],
    "a care team that ended": [team(status="inactive")],
    "a care team whose time is over": [team() | {"period": OVER}],
    "a care team to come": [team() | {"period": TO_COME}],
    "a membership that ended": [team(period=OVER)],
    "a membership to come": [team(period=TO_COME)],
    "a role that ended": [practitioner(), role(period=OVER), team(ROLE)],
    "a role withdrawn": [practitioner(), role(active=False), team(ROLE)],
    "a role elsewhere": [practitioner(), practitioner_role(organization=COUNTY), team(ROLE)],
    "a member who works elsewhere": [
        practitioner(),
        practitioner_role(organization=COUNTY),
        team(GRACE),
    ],
    "another's care team": [patient("ben", COUNTY), team(patient="Patient/ben")],
    "a consent that is over": [permit(OVER)],
    "a consent to come": [permit(TO_COME)],
    "a draft of a consent": [permit(status="draft")],
    "a consent withdrawn": [permit(status="inactive")],
    "a consent to research": [permit(scope=concept(f"{HL7}/consentscope", "research"))],
    "a consent to a part": [nested(to(PARTNER, "permit", purpose=[RESEARCH]))],
    "another's consent": [patient("ben", COUNTY), consent(PARTNER, patient="Patient/ben")],
    "a refusal": [deny()],
    "a refusal beats a care team": [team(), deny()],
    "a refusal beats a member's role": [*STAFF, team(ROLE), deny()],
    "a refusal beats a consent": [permit(), deny()],
    "a refusal of a part": [team(), nested(to(PARTNER, "deny", purpose=[TREATMENT]))],
    "a refusal of everyone": [team(), nested(kind="deny")],
    "a refusal of everyone but another": [
        organization("other"),
        team(),
        nested(to("Organization/other", "permit"), kind="deny"),
    ],
    "a refusal whose exception is over": [
        team(),
        nested(to(PARTNER, "permit", period=OVER), kind="deny"),
    ],
}


@pytest.fixture
async def ada(operator: httpx.AsyncClient, ada: str) -> str:
    await load(operator, organization("other"))
    return ada


async def sees(client: httpx.AsyncClient) -> bool:
    """Whether the client sees Ada; every way of looking must agree."""
    answers = {
        (await client.get("/Patient/ada")).status_code == 200,
        (await client.get("/Goal/ada-goal-1")).status_code == 200,
        found(await client.get("/Goal?patient=ada&_id=ada-goal-1")) == ["Goal/ada-goal-1"],
        (await client.get("/Patient?_id=ada&_summary=count")).json()["total"] == 1,
    }
    assert len(answers) == 1, answers
    return answers.pop()


@pytest.mark.parametrize("name", OPENS)
async def test_the_partner_sees_ada_by(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str, name: str
) -> None:
    assert not await sees(partner)
    await load(operator, *OPENS[name])
    assert await sees(partner)


@pytest.mark.parametrize("name", OPENS_NOT)
async def test_the_partner_does_not_see_ada_by(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str, name: str
) -> None:
    if OPENS_NOT[name]:
        await load(operator, *OPENS_NOT[name])
    assert not await sees(partner)


async def test_who_manages_the_record_sees_it_until_it_is_handed_over(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    assert await sees(county)
    await change(operator, patient("ada", PARTNER))
    assert not await sees(county)
    assert await sees(partner)


async def test_a_refusal_beats_even_who_manages_the_record(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, consent(COUNTY, "deny"))
    assert not await sees(county)


async def test_a_change_counts_at_once(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, team())
    assert await sees(partner)
    await change(operator, team(period=OVER))
    assert not await sees(partner)
    await change(operator, team())
    assert await sees(partner)
    await operator.delete("/CareTeam/new-team")
    assert not await sees(partner)


@pytest.mark.parametrize(
    "case",
    [
        ("Patient/ada", [], True),
        ("Patient/ben", [], False),
        ("Patient/ada", [nested(kind="deny")], True),
        ("RelatedPerson/ines", [related_person(role="GUARD")], True),
        ("RelatedPerson/ines", [related_person(role="GUARD"), nested(kind="deny")], True),
        ("RelatedPerson/ines", [related_person(role="GUARD", active=False)], False),
        ("RelatedPerson/ines", [related_person(role="GUARD", period=OVER)], False),
        ("RelatedPerson/ines", [related_person(role="SIS")], False),
        ("RelatedPerson/ines", [related_person(), team("RelatedPerson/ines")], True),
        (
            "RelatedPerson/ines",
            [related_person(), team("RelatedPerson/ines"), nested(kind="deny")],
            False,
        ),
        (
            "RelatedPerson/ines",
            [
                related_person(role="GUARD", period=OVER),
                team("RelatedPerson/ines"),
                nested(kind="deny"),
            ],
            False,
        ),
        ("Practitioner/grace", [practitioner(), team(GRACE)], True),
        ("Practitioner/grace", [practitioner(), team(COUNTY)], False),
        ("Practitioner/grace", [practitioner(), consent(GRACE)], True),
        ("Practitioner/grace", [practitioner(), team(GRACE), consent(GRACE, "deny")], False),
    ],
)
async def test_a_person_sees_whom_they_are_or_support(
    service: Service, operator: httpx.AsyncClient, ada: str, case: tuple[str, list[Json], bool]
) -> None:
    person, given, expected = case
    await load(operator, patient("ben", COUNTY), *given)
    client = await service.as_("individual", None, "user/*.rs", fhir_user=person, user="u")
    assert await sees(client) is expected


async def test_a_token_for_nobody_sees_nobody(service: Service, ada: str) -> None:
    for name in ("provider-organization", "clinician", "ehr-system", "privacy-officer"):
        client = await service.as_(name, None)
        for url in ("/Patient/ada", "/Goal?patient=ada", "/Organization", "/AuditEvent", "/Group"):
            refused(await client.get(url), 403, "forbidden")
        refused(await client.post("/Goal", json=goal()), 403, "forbidden")


async def test_a_role_alone_opens_nothing(service: Service, ada: str) -> None:
    client = await service.as_("supervisor", "Organization/other")
    assert not await sees(client)


async def test_what_is_about_several_is_seen_by_who_supports_them_all(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    both = [{"entity": reference("Patient/ada")}, {"entity": reference("Patient/ben")}]
    group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True, "member": both}
    empty = {"resourceType": "Group", "id": "e", "type": "person", "actual": True}
    await load(operator, patient("ben", COUNTY), group, empty, permit())
    assert found(await partner.get("/Group")) == []
    refused(await partner.get("/Group/g"), 404, "not-found")
    await load(operator, consent(PARTNER, patient="Patient/ben", id_="ben-yes"))
    assert found(await partner.get("/Group")) == ["Group/g"]
    await load(operator, consent(PARTNER, "deny", patient="Patient/ben", id_="ben-no"))
    assert found(await partner.get("/Group")) == []


async def test_a_provenance_is_hidden_as_what_it_is_about(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, stranger: httpx.AsyncClient, ada: str
) -> None:
    mark = {
        "resourceType": "Provenance",
        "id": "mark",
        "target": [reference("Goal/ada-goal-1")],
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": reference(COUNTY)}],
    }
    await load(operator, mark, permit())
    assert (await partner.get("/Provenance/mark")).status_code == 200
    refused(await stranger.get("/Provenance/mark"), 404, "not-found")


async def test_what_is_about_nobody_known_is_for_operators(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, goal("lost", "Patient/ada") | {"subject": {"display": "Somebody"}})
    assert (await operator.get("/Goal/lost")).status_code == 200
    refused(await county.get("/Goal/lost"), 404, "not-found")
