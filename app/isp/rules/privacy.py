"""Privacy: labels of substance-use data, and consents that are complete (C63, C64)."""

from collections.abc import Iterator

from app.fhir.context import Resource
from app.isp import codes as code
from app.isp.element import codes, extensions, members
from app.isp.plan import Plan
from app.isp.rules.rule import Clock, Place, Rule, at

SUBSTANCE_CODES = ("F10", "F11", "F12", "F13", "F14", "F15", "F16", "F18", "F19")
"""ICD-10-CM: mental and behavioral disorders due to psychoactive substance use, but tobacco."""

SUBSTANCE_CONCEPTS = frozenset({"66214007", "7200002", "75544000", "191816009", "26416006"})
"""SNOMED CT: substance, alcohol, opioid dependence and drug abuse."""


def unlabelled(plan: Plan, _: Clock) -> Iterator[Place]:
    """Data on substance use carries no label, or one that anybody may read."""
    for one in plan.resources.values():
        labels = codes(one.get("meta", {}).get("security"))
        is_told = labels & code.SUBSTANCE_USE
        if (is_told and not labels & code.RESTRICTED) or (not is_told and _is_substance_use(one)):
            yield at(one, "meta.security")


def _is_substance_use(resource: Resource) -> bool:
    if resource["resourceType"] != "Condition":
        return False
    found = codes(resource.get("code"))
    return bool(found & SUBSTANCE_CONCEPTS) or any(one.startswith(SUBSTANCE_CODES) for one in found)


def unbased(plan: Plan, _: Clock) -> Iterator[Place]:
    """A substance-use label does not say that 42 CFR Part 2 is what it rests on."""
    for one in plan.resources.values():
        labels = members(one.get("meta", {}).get("security"))
        told = [label for label in labels if label.get("code") in code.SUBSTANCE_USE]
        bases = {
            basis.get("valueCoding", {}).get("code")
            for label in labels
            for basis in extensions(label, "extension-sec-label-basis")
        }
        if told and code.PART_2 not in bases | codes(labels):
            yield at(one, "meta.security")


def incomplete(plan: Plan, _: Clock) -> Iterator[Place]:
    """A consent does not say who gave it, when, to whom it was given, or on which paper."""
    for consent in _active(plan):
        for element in ("dateTime", "performer", "organization"):
            if not consent.get(element):
                yield at(consent, element)
        if not consent.get("sourceReference") and not consent.get("sourceAttachment"):
            yield at(consent, "source")


def incomplete_for_part_2(plan: Plan, _: Clock) -> Iterator[Place]:
    """A consent lacks one of the elements that 42 CFR 2.31 asks for."""
    for consent in _active(plan):
        root = consent.get("provision", {})
        every = [root, *members(root.get("provision"))]
        if not any(p.get(key) for p in every for key in ("class", "code", "securityLabel", "data")):
            yield at(consent, "provision.securityLabel")
        if not any(p.get("purpose") for p in every):
            yield at(consent, "provision.purpose")
        if not root.get("period", {}).get("end"):
            yield at(consent, "provision.period.end")
        if not any(p.get("actor") for p in every) and not _is_for_care(every):
            yield at(consent, "provision.actor")


def _is_for_care(provisions: list[Resource]) -> bool:
    """One consent for all treatment, payment and operations may name its recipients by class."""
    purposes = codes([one for provision in provisions for one in provision.get("purpose", ())])
    return bool(purposes) and purposes <= {"TREAT", "HPAYMT", "HOPERAT"}


def _active(plan: Plan) -> Iterator[Resource]:
    for consent in plan.of("Consent"):
        permits = consent.get("provision", {}).get("type", "permit") == "permit"
        if consent.get("status") == "active" and permits:
            yield consent


RULES = (
    Rule(
        "C63",
        "privacy",
        unlabelled,
        "R75 R77 · 42 CFR 2.12",
        "Label what is about substance use (sensitivity SUD, confidentiality R).",
    ),
    Rule(
        "C63-basis",
        "privacy",
        unbased,
        "R77 · 42 CFR 2.32",
        "Say on the label that 42 CFR Part 2 applies.",
    ),
    Rule(
        "C64",
        "privacy",
        incomplete,
        "R76",
        "Complete the consent: who gave it, when, to which organization, on which paper.",
    ),
    Rule(
        "C64-part2",
        "privacy",
        incomplete_for_part_2,
        "R77 · 42 CFR 2.31(a)",
        "Complete the consent: what may be told, to whom, for which purpose, until which day.",
    ),
)
