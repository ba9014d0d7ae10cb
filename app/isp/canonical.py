"""The canonical form of what is agreed to: a list of hashes, one for each resource. Pure.

What is not part of an agreement leaves the hash as it is: meta, narrative, whether a thing has
begun, how it goes, and that the person accepts a goal.
"""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import orjson

from app.fhir.context import Resource
from app.fhir.references import walk
from app.isp.element import extensions, inner, name
from app.isp.plan import Plan

HEAD = "isp-closure sha-256"
"""First line of the list; each other line is a hash in hex, a space, and Type/id."""

PROGRESS = frozenset(
    {
        "meta",
        "text",
        "note",
        "statusDate",
        "statusReason",
        "achievementStatus",
        "outcomeCode",
        "outcomeReference",
    }
)
"""Elements that tell how things go, not what was agreed."""

GOING = frozenset(
    {"draft", "proposed", "planned", "accepted", "active", "on-hold", "completed", "suspended"}
)
"""Statuses between which a plan, its goals and services move without being changed."""


def agreed(plan: Plan) -> Iterable[Resource]:
    """The plan and its parts, goals, services and team, as far as they were given."""
    services = (plan.resources.get(service.name) for service in plan.services)
    return (*plan.whole, *plan.goals, *(one for one in services if one), *plan.teams)


def digest(resource: Resource) -> str:
    """SHA-256 of the canonical JSON of what is agreed to in a resource, in hex."""
    kept = {key: _still(key, value) for key, value in resource.items() if key not in PROGRESS}
    if kept.get("extension") == []:
        del kept["extension"]
    text = orjson.dumps(kept, default=float, option=orjson.OPT_SORT_KEYS)
    return sha256(text).hexdigest()


def _still(key: str, value: Any) -> Any:
    if key in ("status", "lifecycleStatus") and value in GOING:
        return "going"
    if key == "activity" and isinstance(value, list):
        return [{k: v for k, v in one.items() if k != "progress"} for one in value]
    if key == "extension" and isinstance(value, list):
        return [one for one in value if not _is_consent(one)]
    return value


def _is_consent(extension: Any) -> bool:
    """Whether it says that the person wants the goal, or has not decided: no change of it."""
    is_acceptance = any(True for _ in extensions({"extension": [extension]}, "goal-acceptance"))
    return is_acceptance and inner(extension, "status").get("valueCode") != "disagree"


def sealed(plan: Plan) -> str:
    """The list of hashes of all that is agreed to, in base64: Signature.data."""
    hashes = {name(one): digest(one) for one in agreed(plan)}
    lines = [HEAD, *(f"{hashes[own]} {own}" for own in sorted(hashes))]
    return b64encode("\n".join(lines).encode()).decode()


def opened(data: object) -> Mapping[str, str] | None:
    """The hash by Type/id of such a list; None for any other signature."""
    try:
        text = b64decode(str(data), validate=True).decode()
    except (Error, ValueError):
        return None
    head, *lines = text.split("\n")
    if head != HEAD:
        return None
    return {own: hash_ for hash_, _, own in (line.partition(" ") for line in lines)}


def changed(plan: Plan, data: object) -> list[str] | None:
    """The Type/id of all that is not as it was signed; None where the signature does not tell.

    What the signer or the reader may not see is not held against the signature: what a plan lists
    cannot be added to it without changing the plan itself.
    """
    hashes = opened(data)
    return None if hashes is None else differing(plan, hashes)


def differing(plan: Plan, hashes: Mapping[str, str]) -> list[str]:
    """The Type/id of all that has another hash than here, or is not among them."""
    listed = {reference["reference"] for one in plan.whole for reference in walk(one)}
    added = {name(one) for one in agreed(plan)} - hashes.keys() - listed
    known = {own: plan.resources[own] for own in hashes if own in plan.resources}
    return sorted(added | {own for own, one in known.items() if digest(one) != hashes[own]})
