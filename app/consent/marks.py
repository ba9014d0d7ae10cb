"""Resource → Marks: its labels, and what a consent can name it by. Pure.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision.data
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from app.consent.labels import Pair, labels
from app.fhir import json
from app.fhir.context import Resource
from app.fhir.marks import Marks
from app.fhir.references import among, local
from app.fhir.search.parameters.date import EARLIEST, LATEST, interval
from app.fhir.search.parameters.keys import key

TYPES = "http://hl7.org/fhir/resource-types"
"""The code system of resource types, as Consent.provision.class names them."""

UNITS = "http://unitsofmeasure.org"

AUTHORS = ("author", "performer", "asserter", "recorder")
"""Elements that name who made a resource; their value is a Reference or has an `actor`."""

_NAMES = """
effectiveDateTime effectivePeriod effectiveInstant onsetDateTime onsetPeriod
performedDateTime performedPeriod occurrenceDateTime occurrencePeriod
period executionPeriod billablePeriod startDate recordedDate authoredOn authored date sent created
start
"""
CLINICAL = _NAMES.split()
"""Elements that tell the time a resource is about, the first that is there."""


def references_key(reference: str) -> int:
    """The trait of whatever refers to "Type/id"."""
    return key("refers", reference)


def author_key(reference: str) -> int:
    """The trait of what "Type/id" has made."""
    return key("author", reference)


def class_key(system: str, code: str) -> int:
    """The trait of a resource type, of a profile by its URL, or of a kind of document."""
    if system == TYPES:
        return key("type", code)
    return profile_key(code) if code.startswith("http") else code_key(system, code)


def profile_key(url: str) -> int:
    """The trait of what claims a profile, whatever its version."""
    return key("profile", url.partition("|")[0])


def code_key(system: str, code: str) -> int:
    """The trait of what holds a coding anywhere."""
    return key("code", system, code)


def marks(resource: Resource, base_url: str) -> Marks:
    """What decisions need to know of a resource; `base_url` tells which references are local."""
    meta = json.objects(resource.get("meta"))
    within = json.objects({k: v for k, v in resource.items() if k != "meta"})
    pairs = sorted({(each["system"], each["code"]) for each in within if _is_coding(each)})
    found = labels(resource, pairs)
    lo, hi = clinical(resource)
    own = references_key(f"{resource['resourceType']}/{resource['id']}")
    named = (each["reference"] for each in among(chain(meta, within)))
    traits = dict.fromkeys([own, *_traits(resource, pairs, named, base_url)])
    return Marks(found.confidentiality, found.sensitivities, found.seals, tuple(traits), lo, hi)


def _traits(
    resource: Resource, pairs: list[Pair], named: Iterable[str], base_url: str
) -> Iterator[int]:
    yield key("type", resource["resourceType"])
    for profile in resource.get("meta", {}).get("profile", ()):
        yield profile_key(profile)
    for system, code in pairs:
        yield code_key(system, code)
    for each in named:
        if reference := local(each, base_url):
            yield references_key(str(reference))
    for author in authors(resource, base_url):
        yield author_key(author)


def authors(resource: Resource, base_url: str) -> Iterator[str]:
    """Who made the resource, each as "Type/id"; of a Provenance, whom it says did."""
    if resource["resourceType"] == "Provenance":
        elements = [agent.get("who") for agent in resource.get("agent", ()) if _is_author(agent)]
    else:
        elements = [each for name in AUTHORS for each in _several(resource.get(name))]
    for element in elements:
        at = element.get("actor", element) if isinstance(element, dict) else {}
        if reference := local(at.get("reference"), base_url):
            yield str(reference)


def _is_author(agent: Any) -> bool:
    codings = agent.get("type", {}).get("coding", ())
    return not codings or any(coding.get("code") == "author" for coding in codings)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_coding(each: Resource) -> bool:
    code = each.get("code")
    if type(code) is not str:
        return False
    system = each.get("system")
    return type(system) is str and system != UNITS


def clinical(resource: Resource) -> tuple[datetime | None, datetime | None]:
    """The range [lo, hi) of instants the resource is about."""
    for name in CLINICAL:
        value = resource.get(name)
        if value is not None:
            try:
                return span(value)
            except (ValueError, TypeError):
                continue
    return None, None


def span(value: Any) -> tuple[datetime, datetime]:
    """The range of a date or Period; an absent end is open. Raises ValueError, TypeError."""
    if isinstance(value, str):
        return interval(value)
    lo = interval(value["start"])[0] if "start" in value else EARLIEST
    hi = interval(value["end"])[1] if "end" in value else LATEST
    return lo, hi
