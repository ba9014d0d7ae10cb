"""42 CFR Part 2: what a written consent must hold before it opens records of a Part 2 program.

https://www.ecfr.gov/current/title-42/chapter-I/subchapter-A/part-2/subpart-C/section-2.31
"""

from collections.abc import Iterator
from typing import Any

from app.consent.provisions import recipients
from app.consent.purpose import OPERATIONS, broader
from app.fhir.context import Resource

POLICIES = frozenset({"42CFRPart2", "42CFRPart2CD", "mdhhs-5515", "MDHHS-5515Part2"})
"""Policies by which a Consent claims to open such records."""

DESCRIPTION = ("securityLabel", "class", "code", "dataPeriod", "data")
DISCLOSER = "CST"
LEGAL = "HLEGAL"


def missing(consent: Resource) -> list[str]:
    """The elements of 2.31(a) that a Consent lacks, each as what to add; empty when complete."""
    return list(_missing(consent, consent.get("provision", {})))


def _missing(consent: Resource, root: dict[str, Any]) -> Iterator[str]:
    parts = list(_walk(root))
    purposes = {c.get("code") for part in parts for c in part.get("purpose", ())} - {None}
    if not consent.get("patient"):
        yield "patient: whose records"
    if not consent.get("organization") and not _has_actor(parts, {DISCLOSER}):
        yield "organization: who discloses"
    if not any(name in part for part in parts for name in DESCRIPTION):
        yield "provision.securityLabel, class, code or data: which information"
    if not purposes:
        yield "provision.purpose: what for"
    elif LEGAL in purposes and len(purposes) > 1:
        yield "a consent of its own for legal proceedings"
    if not _names_recipient(parts) and not _is_operations(purposes):
        yield "provision.actor: the recipient, unless only for treatment, payment and operations"
    if "end" not in root.get("period", {}) and not _is_operations(purposes):
        yield "provision.period.end: when it expires"
    if not consent.get("performer") or not _has_source(consent):
        yield "performer and source: who signed what"
    if not consent.get("dateTime"):
        yield "dateTime: when it was signed"


def _walk(provision: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield provision
    for nested in provision.get("provision", ()):
        yield from _walk(nested)


def _has_actor(parts: list[dict[str, Any]], roles: set[str]) -> bool:
    return any(
        coding.get("code") in roles
        for part in parts
        for actor in part.get("actor", ())
        for coding in actor.get("role", {}).get("coding", ())
    )


def _names_recipient(parts: list[dict[str, Any]]) -> bool:
    return any(recipients(part.get("actor", ())) for part in parts)


def _is_operations(purposes: set[Any]) -> bool:
    return bool(purposes) and all(OPERATIONS & set(broader(code)) for code in purposes)


def _has_source(consent: Resource) -> bool:
    return "sourceReference" in consent or "sourceAttachment" in consent
