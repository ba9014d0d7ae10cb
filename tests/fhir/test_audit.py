"""What an AuditEvent says, against IHE BALP 1.1.4 and the official structure of R4."""

from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.fhir import json
from app.fhir.audit import Audited, AuditRow, audit_row, audit_rows, outcome_of
from app.fhir.context import Agent
from app.fhir.search.parameters import extract
from app.fhir.search.parameters.audit_target import points
from app.fhir.search.parameters.keys import key, keys_after, param
from app.fhir.search.parameters.token import extract as extract_token
from app.fhir.validation.structure import validate

BASE = "https://plans.example.org/fhir"
NOW = datetime(2026, 3, 4, 5, 6, 7, 891_234, UTC)
SYSTEM = Agent("ehr", "ehr-system", "Organization/agency", purpose="TREAT", address="10.1.2.3")
PERSON = Agent(
    "portal", "key-worker", "Organization/agency", "grace", "Practitioner/grace", "CAREMGT", "jti-1"
)
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"

# Profile, action, client, server, user: from the published StructureDefinitions.
BALP = {
    "create": ("Create", "C", f"{DICOM}|110153", f"{DICOM}|110152", f"{PARTICIPATION}|AUT"),
    "read": ("Read", "R", f"{DICOM}|110152", f"{DICOM}|110153", f"{PARTICIPATION}|IRCP"),
    "vread": ("Read", "R", f"{DICOM}|110152", f"{DICOM}|110153", f"{PARTICIPATION}|IRCP"),
    "update": ("Update", "U", f"{DICOM}|110153", f"{DICOM}|110152", f"{PARTICIPATION}|AUT"),
    "delete": (
        "Delete",
        "D",
        f"{DICOM}|110150",
        f"{PARTICIPANT}|custodian",
        f"{PARTICIPATION}|AUT",
    ),
    "search-type": ("Query", "E", f"{DICOM}|110153", f"{DICOM}|110152", f"{PARTICIPATION}|IRCP"),
}


def recorded(audited: Audited, agent: Agent = PERSON, request: str = "request-1") -> dict[str, Any]:
    found: dict[str, Any] = json.parse(row(audited, agent, request).body.encode())
    return found


def row(audited: Audited, agent: Agent = PERSON, request: str = "request-1") -> AuditRow:
    return audit_row(agent, request, NOW, BASE, audited)


def succeeded(interaction: str, **more: Any) -> Audited:
    return Audited(interaction, "0", 200, "Goal", **({"id": "1", "version": "3"} | more))


def agents(event: dict[str, Any], coding: str) -> list[dict[str, Any]]:
    found = [(agent, agent["type"]["coding"][0]) for agent in event["agent"]]
    return [agent for agent, type_ in found if f"{type_['system']}|{type_['code']}" == coding]


def entities(event: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [entity for entity in event["entity"] if entity["type"]["code"] == code]


@pytest.mark.parametrize("interaction", BALP)
@pytest.mark.parametrize("patients", [(), ("ada",)])
def test_a_success_conforms_to_the_profile_of_its_interaction(
    interaction: str, patients: tuple[str, ...]
) -> None:
    name, action, client, server, user = BALP[interaction]
    event = recorded(succeeded(interaction, patients=patients, query="status=active"))
    kind = ("Patient" if patients else "") + name
    profile = f"https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.{kind}"
    assert event["meta"]["profile"] == [profile]
    assert event["type"]["code"] == "rest"
    assert [subtype["code"] for subtype in event["subtype"]] == [interaction]
    assert (event["action"], event["outcome"]) == (action, "0")
    for coding in (client, server):
        (machine,) = agents(event, coding)
        assert machine["who"]
        assert machine["network"]
        assert "media" not in machine
    (human,) = agents(event, user)
    assert human["requestor"] is True
    assert human["who"] == {"reference": "Practitioner/grace"}
    assert "network" not in human
    assert [e["what"]["reference"] for e in entities(event, "1")] == [
        f"Patient/{p}" for p in patients
    ]
    assert len(entities(event, "2")) == 1
    (request,) = entities(event, "XrequestId")
    assert request["what"]["identifier"]["value"] == "request-1"


@pytest.mark.parametrize("interaction", [*BALP, "history-instance", "history-type", "transaction"])
@pytest.mark.parametrize("agent", [SYSTEM, PERSON, Agent("cli", "operator")])
@pytest.mark.parametrize("status", [200, 404, 500])
def test_an_event_is_a_valid_audit_event(interaction: str, agent: Agent, status: int) -> None:
    audited = Audited(interaction, outcome_of(status), status, "Goal", "1", query="_count=2")
    assert validate(recorded(audited, agent), "AuditEvent") == []


def test_a_token_is_a_user_authentication_and_no_interaction() -> None:
    event = recorded(Audited("token", "0", 200))
    assert event["type"] == {"system": DICOM, "code": "110114"}
    assert event["subtype"] == [{"system": "urn:ihe:event-type-code", "code": "ITI-71"}]
    assert validate(event, "AuditEvent") == []


def test_exactly_one_agent_asked_for_it_and_says_why() -> None:
    for agent, who in (
        (SYSTEM, {"identifier": {"value": "ehr"}}),
        (PERSON, {"reference": "Practitioner/grace"}),
    ):
        (asked,) = [
            found for found in recorded(succeeded("read"), agent)["agent"] if found["requestor"]
        ]
        assert asked["who"] == who
        assert asked["role"][0]["coding"][0]["code"] == agent.role
        assert asked["purposeOfUse"][0]["coding"][0]["code"] == agent.purpose


def test_a_read_names_the_version_that_was_disclosed() -> None:
    (data,) = entities(recorded(succeeded("read")), "2")
    assert data["what"]["reference"] == "Goal/1/_history/3"
    assert data["role"]["code"] == "4"


def test_a_search_leaves_an_event_for_each_patient_found_and_keeps_what_was_asked() -> None:
    audited = succeeded("search-type", id=None, patients=("ada", "ben"), query="x=\ud800é&y=2")
    rows = audit_rows(PERSON, "request-1", NOW, BASE, audited)
    assert [made.patients for made in rows] == [("ada",), ("ben",), ()]
    assert len({made.id for made in rows}) == 3
    event, other, asked = (json.parse(made.body.encode()) for made in rows)
    [about] = entities(other, "1")
    assert about["what"]["reference"] == "Patient/ben"
    (query,) = entities(event, "2")
    assert b64decode(query["query"]).decode() == "Goal?"
    (query,) = entities(asked, "2")
    assert query["role"]["code"] == "24"
    assert b64decode(query["query"]).decode() == "Goal?x=\\ud800é&y=2"
    assert entities(asked, "1") == []
    assert [e["what"]["reference"] for e in entities(event, "1")] == ["Patient/ada"]
    assert event["meta"]["profile"][0].endswith("IHE.BasicAudit.PatientQuery")


def test_what_was_about_nobody_leaves_one_event() -> None:
    [made] = audit_rows(PERSON, "request-1", NOW, BASE, succeeded("search-type", id=None))
    assert made.patients == ()


def test_the_criteria_of_a_conditional_write_are_a_detail_of_the_resource() -> None:
    (data,) = entities(recorded(succeeded("update", query="identifier=a|b")), "2")
    assert b64decode(data["detail"][0]["valueBase64Binary"]) == b"identifier=a|b"


def test_a_refusal_claims_no_profile_and_says_why() -> None:
    event = recorded(Audited("read", outcome_of(404), 404, "Goal", "secret", reason="not-found"))
    assert "profile" not in event["meta"]
    assert event["outcome"] == "4"
    assert event["outcomeDesc"] == "404 not-found"
    assert entities(event, "2")[0]["what"]["reference"] == "Goal/secret"


def test_a_refused_create_still_says_of_which_type() -> None:
    event = recorded(Audited("create", "4", 422, "Goal", reason="processing"))
    assert entities(event, "2")[0]["what"] == {"display": "Goal"}


def test_what_a_caller_wrote_cannot_break_out_of_its_place() -> None:
    nasty = 'a"},{"x":"\\\x00\ud800\n'
    event = recorded(
        Audited("read", "4", 400, "Goal", nasty, reason=nasty, query=nasty), request=nasty
    )
    assert set(event) >= {"resourceType", "entity", "agent", "outcomeDesc"}
    assert "x" not in event


def test_the_instant_of_an_event_is_that_of_its_row() -> None:
    made = row(succeeded("read"))
    event = json.parse(made.body.encode())
    assert event["recorded"] == event["meta"]["lastUpdated"] == "2026-03-04T05:06:07.891Z"
    assert made.last_updated == NOW.replace(microsecond=891_000)


IDS = st.text("abcXYZ019-.", min_size=1, max_size=8)
AUDITED = st.builds(
    Audited,
    interaction=st.sampled_from([*BALP, "patch", "search-compartment", "history-system", "batch"]),
    outcome=st.sampled_from(["0", "4", "8"]),
    status=st.just(200),
    type=st.sampled_from([None, "Goal", "Patient", "Organization"]),
    id=st.none() | IDS,
    version=st.none() | st.just("2"),
    patients=st.lists(IDS, max_size=3, unique=True).map(tuple),
    query=st.none() | st.just("") | st.text(max_size=9),
    reason=st.none() | st.text(max_size=9),
)
AGENTS = st.builds(
    Agent,
    client=IDS,
    role=st.sampled_from(["operator", "family"]),
    organization=st.none() | IDS.map("Organization/{}".format),
    user=st.none() | IDS,
    fhir_user=st.none() | IDS.map("Patient/{}".format) | IDS.map("Practitioner/{}".format),
    purpose=st.none() | st.just("TREAT"),
    token=st.none() | IDS,
    address=st.none() | st.just("::1"),
)


@settings(max_examples=300, deadline=None)
@given(AUDITED, AGENTS, IDS)
def test_the_index_of_a_row_is_what_extraction_finds_in_the_event(
    audited: Audited, agent: Agent, request: str
) -> None:
    made = row(audited, agent, request)
    event = json.parse(made.body.encode())
    found = extract(event, BASE)
    assert {int(key) for key in made.keys.strip("{}").split(",")} == set(found.keys)
    assert {int(key) for key in made.targets.strip("{}").split(",")} == pointed(event, found)


SEVERAL = st.lists(IDS, min_size=2, max_size=4, unique=True).map(tuple)


@settings(max_examples=200, deadline=None)
@given(AUDITED, SEVERAL, st.lists(st.tuples(IDS, IDS), max_size=3), AGENTS, IDS)
def test_the_event_of_one_of_many_is_what_it_would_be_of_them_alone(
    audited: Audited,
    patients: tuple[str, ...],
    others: list[tuple[str, str]],
    agent: Agent,
    request: str,
) -> None:
    pairs = [(patients[0], "first"), *others, (patients[0], "second"), (patients[1], "third")]
    consents = tuple(f"{patient}/{id_}" for patient, id_ in pairs)
    many = replace(audited, patients=patients, consents=consents, query=None)
    found = audit_rows(agent, request, NOW, BASE, many)
    assert len({made.id for made in found}) == len(patients)
    for patient, made in zip(patients, found, strict=True):
        alone = row(replace(many, patients=(patient,)), agent, request)
        assert made == alone._replace(id=made.id, body=alone.body.replace(alone.id, made.id, 1))


def pointed(event: dict[str, Any], found: Any) -> set[int]:
    codes = {param("AuditEvent", code): code for code in ("agent", "entity", "patient", "source")}
    targets = {points(codes[at], target) for at, target in found.references}
    for code, whos in (
        ("agent", [agent["who"] for agent in event["agent"]]),
        ("entity", [entity["what"] for entity in event["entity"] if "what" in entity]),
    ):
        named = [("Identifier", who["identifier"]) for who in whos if "identifier" in who]
        targets.update(extract_token(f"AuditEvent.{code}:identifier", named))
    return targets


@pytest.mark.parametrize("last", ["", "request-1", "Zoë", "a\x1fb"])
def test_a_key_that_is_not_kept_is_the_same_key(last: str) -> None:
    assert keys_after("AuditEvent.entity", "code")(last) == key("AuditEvent.entity", "code", last)
