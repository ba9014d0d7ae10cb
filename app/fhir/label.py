"""Labels that go out with what leaves: the level of a Bundle, the notice of 42 CFR Part 2. Pure.

A Bundle bears the highest level of what it carries and no more: kinds of information and what may
not be done with them stay on the resources, since the envelope must not tell what is in it.
https://hl7.org/fhir/uv/security-label-ds4p/detailed_specifications.html
"""

from collections.abc import Iterable
from typing import Any

from app.fhir.context import Resource
from app.storage.sql import Row

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
DS4P = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition"
BASIS = f"{DS4P}/extension-sec-label-basis"
JUSTIFIED = f"{DS4P}/extension-sec-label-related-artifact"
DISPLAY = f"{DS4P}/extension-display"

LEVELS = "ULMNRV"
"""The order of confidentiality, https://hl7.org/fhir/R4/v3/ConfidentialityClassification/vs.html"""

PART_2 = "42CFRPart2"
REFRAIN = "NORDSCLCD"
NOTICE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
"""The second statement of 42 CFR 2.32(a), word by word."""


def security(level: int) -> list[dict[str, str]]:
    """A level as meta.security has it."""
    return [{"system": CONFIDENTIALITY, "code": LEVELS[level]}]


def highest(levels: Iterable[int | None]) -> int | None:
    """The highest of the levels (0..5), None where there is none."""
    return max((level for level in levels if level is not None), default=None)


def is_sealed(row: Row) -> bool:
    """Whether a row is a record of a 42 CFR Part 2 program."""
    return PART_2 in (row["seals"] or ())


def noticed(resource: Resource, consents: Iterable[str]) -> Resource:
    """A copy with the notice and the label that must go with each disclosure of such a record.

    `consents` are the URLs of the Consents that permit it. https://www.ecfr.gov/current/title-42/section-2.32
    """
    meta = resource["meta"]
    labels = [each for each in meta.get("security", ()) if not _is_refrain(each)]
    said = [each for each in meta.get("extension", ()) if each.get("url") != DISPLAY]
    notice = {"url": DISPLAY, "valueAnnotation": {"text": NOTICE}}
    made = {
        **meta,
        "extension": [*said, notice],
        "security": [*labels, _refrain(consents)],
    }
    return {**resource, "meta": made}


def grounds_of(resource: Resource) -> list[str] | None:
    """The URLs of the Consents that a notice on the resource names; None where it bears none."""
    meta = resource.get("meta", {})
    if not any(each.get("url") == DISPLAY for each in meta.get("extension", ())):
        return None
    return [
        part["valueRelatedArtifact"]["url"]
        for coding in meta.get("security", ())
        if _is_refrain(coding)
        for part in coding.get("extension", ())
        if part.get("url") == JUSTIFIED
    ]


def _is_refrain(coding: Any) -> bool:
    return (coding.get("system"), coding.get("code")) == (ACT_CODE, REFRAIN)


def _refrain(consents: Iterable[str]) -> Resource:
    """No disclosure onward without the person's consent, and what this disclosure rests on."""
    law = {"url": BASIS, "valueCoding": {"system": ACT_CODE, "code": PART_2}}
    grounds = [
        {"url": JUSTIFIED, "valueRelatedArtifact": {"type": "justification", "url": url}}
        for url in consents
    ]
    return {"extension": [law, *grounds], "system": ACT_CODE, "code": REFRAIN}
