"""Consents and labelled resources in few words, for tables of cases."""

from typing import Any

from tests.build import HL7, care_team, concept, consent, patient, practitioner_role, reference

Resource = dict[str, Any]

ADA, COUNTY, PARTNER, NETWORK = (
    "Patient/ada",
    "Organization/county",
    "Organization/partner",
    "Organization/network",
)
OTHER = "Organization/other"
GRACE, INES = "Practitioner/grace", "RelatedPerson/ines"
ROLE = "PractitionerRole/grace-key-worker"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
LEVELS = "UMLNRV"

SYSTEMS = {
    "purpose": f"{HL7}/v3-ActReason",
    "action": f"{HL7}/consentaction",
    "sensitivity": f"{HL7}/v3-ActCode",
    "level": f"{HL7}/v3-Confidentiality",
    "type": "http://hl7.org/fhir/resource-types",
}


def coding(kind: str, code: str) -> Resource:
    return {"system": SYSTEMS.get(kind, kind), "code": code}


def label(code: str) -> Resource:
    return coding("level" if code in LEVELS else "sensitivity", code)


def recipient(target: str, role: str = "IRCP") -> Resource:
    return {"role": concept(f"{HL7}/v3-ParticipationType", role), "reference": reference(target)}


def rule(kind: str | None, *nested: Resource, **limits: Any) -> Resource:
    """A provision. Limits: to, purpose, action, label, type, code, time, data, period, and any
    element by its own name; codes as text, separated by spaces."""
    made: Resource = {"type": kind} if kind else {}
    for name, value in limits.items():
        element, read = READ.get(name, (name, lambda given: given))
        made[element] = read(value)
    return made | ({"provision": list(nested)} if nested else {})


def _period(text: str) -> Resource:
    start, _, end = text.partition("/")
    return {name: part for name, part in (("start", start), ("end", end)) if part}


READ: dict[str, Any] = {
    "to": ("actor", lambda text: [recipient(each) for each in text.split()]),
    "purpose": ("purpose", lambda text: [coding("purpose", each) for each in text.split()]),
    "action": ("action", lambda text: [{"coding": [coding("action", e)]} for e in text.split()]),
    "label": ("securityLabel", lambda text: [label(each) for each in text.split()]),
    "type_": ("class", lambda text: [coding("type", each) for each in text.split()]),
    "code": ("code", lambda text: [{"coding": [coding(*e.split("#"))]} for e in text.split()]),
    "time": ("dataPeriod", _period),
    "period": ("period", _period),
    "data": (
        "data",
        lambda text: [
            {"meaning": meaning, "reference": reference(target)}
            for meaning, _, target in (each.partition(":") for each in text.split())
        ],
    ),
}


def permit(*nested: Resource, **limits: Any) -> Resource:
    return rule("permit", *nested, **limits)


def deny(*nested: Resource, **limits: Any) -> Resource:
    return rule("deny", *nested, **limits)


def form(provision: Resource | None, policy: str | None = None, **elements: Any) -> Resource:
    """An active privacy consent of Ada; `policy`: a code of v3-ActCode instead of hipaa-auth."""
    made = consent(PARTNER) | {"id": "form"}
    del made["provision"]
    if provision is not None:
        made["provision"] = provision
    if policy:
        made["policyRule"] = concept(SYSTEMS["sensitivity"], policy)
    return made | elements


def one(
    provision: Resource | None, policy: str | None = None, **elements: object
) -> tuple[Resource, ...]:
    """A consent alone."""
    return (form(provision, policy, **elements),)


def only(**limits: object) -> tuple[Resource, ...]:
    """A permit to the partner within these limits, and nothing else."""
    return (form(permit(to=PARTNER, **limits)),)


def but(*exceptions: Resource) -> tuple[Resource, ...]:
    """A permit of everything to the partner, exceptions within."""
    return (form(permit(*exceptions, to=PARTNER, label="V")),)


def part_2(provision: Resource, **elements: Any) -> Resource:
    """A consent with all that 42 CFR 2.31(a) asks for, as far as its provision has it."""
    whole = {
        "performer": [reference(ADA)],
        "organization": [reference(COUNTY)],
        "sourceReference": reference("DocumentReference/signed"),
    }
    return form(provision, "42CFRPart2", **(whole | elements))


def record(type_: str = "Observation", labels: str = "", **elements: Any) -> Resource:
    """A resource about Ada with these labels."""
    made: Resource = {"resourceType": type_, "id": "it", "subject": reference(ADA)}
    if labels:
        made["meta"] = {"security": [label(each) for each in labels.split()]}
    return made | elements


def program(labels: str = "R SUD") -> Resource:
    """A record of a Part 2 program, labelled so by its author."""
    made = record("Observation", labels)
    made["meta"]["security"].append(coding("sensitivity", "42CFRPart2"))
    return made


def team(*members: str, **elements: Any) -> Resource:
    return care_team(*members, **elements)


MEMBER = (team(PARTNER),)


DIRECTORY = (
    practitioner_role(organization=PARTNER),
    {"resourceType": "Organization", "id": "partner", "partOf": reference(NETWORK)},
    {"resourceType": "Organization", "id": "network"},
    patient("ada", COUNTY),
)
"""Grace works at the partner, which is part of the network; the county keeps Ada's record."""
