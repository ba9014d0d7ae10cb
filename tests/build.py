"""Builders of resources as plain dicts: each is valid, each element replaceable by keyword."""

from typing import Any
from uuid import uuid4

Resource = dict[str, Any]

HL7 = "http://terminology.hl7.org/CodeSystem"
ACT, LEVEL = f"{HL7}/v3-ActCode", f"{HL7}/v3-Confidentiality"
ORGANIZATION = "Organization/agency"
SUD: Resource = {"meta": {"security": [{"system": ACT, "code": "SUD"}]}}
"""Of a resource: it is about substance use."""

LONG_AGO, FAR_AHEAD = "2020-01-01", "2090-12-31"


def reference(target: str) -> Resource:
    return {"reference": target}


def concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def organization(id_: str = "agency", **elements: Any) -> Resource:
    return {"resourceType": "Organization", "id": id_, "active": True, "name": id_} | elements


def practitioner(id_: str = "grace", **elements: Any) -> Resource:
    name = [{"family": id_.capitalize()}]
    return {"resourceType": "Practitioner", "id": id_, "active": True, "name": name} | elements


def practitioner_role(
    id_: str = "grace-key-worker",
    practitioner: str = "Practitioner/grace",
    organization: str = ORGANIZATION,
    **elements: Any,
) -> Resource:
    role = {"resourceType": "PractitionerRole", "id": id_, "active": True}
    acts = {"practitioner": reference(practitioner), "organization": reference(organization)}
    return role | acts | elements


def patient(id_: str = "ada", organization: str | None = ORGANIZATION, **elements: Any) -> Resource:
    person: Resource = {"resourceType": "Patient", "id": id_, "active": True}
    person["name"] = [{"family": id_.capitalize(), "given": ["Test"]}]
    if organization:
        person["managingOrganization"] = reference(organization)
    return person | elements


def related_person(
    id_: str = "ines", patient: str = "Patient/ada", role: str = "SIS", **elements: Any
) -> Resource:
    """`role`: a code of v3-RoleCode; GUARD makes a guardian."""
    person = {"resourceType": "RelatedPerson", "id": id_, "active": True}
    ties = {"patient": reference(patient), "relationship": [concept(f"{HL7}/v3-RoleCode", role)]}
    return person | ties | elements


def goal(id_: str = "ada-goal-1", patient: str = "Patient/ada", **elements: Any) -> Resource:
    wish: Resource = {"resourceType": "Goal", "id": id_, "lifecycleStatus": "active"}
    wish["achievementStatus"] = concept(f"{HL7}/goal-achievement", "in-progress")
    wish["description"] = {"text": "I walk to the library every week."}
    wish["subject"] = reference(patient)
    wish["startDate"] = "2025-09-01"
    wish["target"] = [
        {
            "measure": {"text": "Walks in a week"},
            "detailQuantity": {"value": 1, "unit": "walk"},
            "dueDate": "2026-03-01",
        }
    ]
    return wish | elements


def condition(id_: str = "ada-need", patient: str = "Patient/ada", **elements: Any) -> Resource:
    need: Resource = {"resourceType": "Condition", "id": id_, "subject": reference(patient)}
    need["clinicalStatus"] = concept(f"{HL7}/condition-clinical", "active")
    need["code"] = {"text": "Few people to be with during the week"}
    return need | elements


def care_team(
    *members: str, id_: str = "ada-team", patient: str = "Patient/ada", **elements: Any
) -> Resource:
    """An active team of the patient and `members` (references), since long ago."""
    team: Resource = {"resourceType": "CareTeam", "id": id_, "status": "active"}
    team["subject"] = reference(patient)
    team["participant"] = [
        {"member": reference(member), "period": {"start": LONG_AGO}}
        for member in (patient, *members)
    ]
    return team | elements


def care_plan(
    *goals: str, id_: str = "ada-plan", patient: str = "Patient/ada", **elements: Any
) -> Resource:
    plan: Resource = {"resourceType": "CarePlan", "id": id_, "status": "active", "intent": "plan"}
    plan["category"] = [
        concept("http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan"),
        concept("http://snomed.info/sct", "734163000"),
    ]
    plan["title"] = "My plan"
    plan["subject"] = reference(patient)
    plan["period"] = {"start": "2025-09-01", "end": "2026-08-31"}
    if goals:
        plan["goal"] = [reference(goal) for goal in goals]
    return plan | elements


def consent(
    actor: str,
    kind: str = "permit",
    id_: str = "ada-consent",
    patient: str = "Patient/ada",
    **elements: Any,
) -> Resource:
    """An active privacy Consent; `kind`: permit or deny; `actor`: a reference."""
    paper: Resource = {"resourceType": "Consent", "id": id_, "status": "active"}
    paper["scope"] = concept(f"{HL7}/consentscope", "patient-privacy")
    paper["category"] = [concept(f"{HL7}/v3-ActCode", "IDSCL")]
    paper["patient"] = reference(patient)
    paper["dateTime"] = LONG_AGO
    paper["policyRule"] = concept(f"{HL7}/consentpolicycodes", "hipaa-auth")
    recipient = concept(f"{HL7}/v3-ParticipationType", "IRCP")
    paper["provision"] = {
        "type": kind,
        "period": {"start": LONG_AGO, "end": FAR_AHEAD},
        "actor": [{"role": recipient, "reference": reference(actor)}],
    }
    return paper | elements


def plan(
    *members: str, person: str = "ada", goals: int = 2, organization: str = ORGANIZATION
) -> list[Resource]:
    """A person with everything their plan hangs together with: team, need, goals and plan."""
    who = f"Patient/{person}"
    ids = [f"{person}-goal-{number}" for number in range(1, goals + 1)]
    team = care_team(*members, id_=f"{person}-team", patient=who)
    need = condition(f"{person}-need", who)
    frame = {
        "careTeam": [reference(f"CareTeam/{person}-team")],
        "addresses": [reference(f"Condition/{person}-need")],
    }
    main = care_plan(*(f"Goal/{id_}" for id_ in ids), id_=f"{person}-plan", patient=who, **frame)
    return [patient(person, organization), team, need, *(goal(id_, who) for id_ in ids), main]


def transaction(*resources: Resource) -> Resource:
    """A transaction that puts resources with an id in place and creates the others."""
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [_entry(resource) for resource in resources],
    }


def _entry(resource: Resource) -> Resource:
    type_, id_ = resource["resourceType"], resource.get("id")
    full_url = f"http://example.org/fhir/{type_}/{id_}" if id_ else f"urn:uuid:{uuid4()}"
    request = (
        {"method": "PUT", "url": f"{type_}/{id_}"} if id_ else {"method": "POST", "url": type_}
    )
    return {"fullUrl": full_url, "resource": resource, "request": request}
