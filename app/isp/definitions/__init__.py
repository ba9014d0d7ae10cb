"""What this room publishes, as JSON: profiles, extensions, codes, and its operations.

Profiles are written as differentials; their snapshots are made when they are asked for. The codes
of the checks are those of the table of checks, so that they cannot differ from it.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from app.fhir.context import Resource
from app.fhir.errors import Issue
from app.fhir.validation.snapshot import snapshot
from app.isp.codes import CHECK
from app.isp.rules.table import RULES

FOLDER = Path(__file__).parent


@cache
def definitions() -> Mapping[str, Resource]:
    """Every definition by url; profiles without snapshot."""
    found = [json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))]
    return {one["url"]: one for one in [*found, checks()]}


def complete(one: Resource, known: Mapping[str, Resource]) -> Resource:
    """The definition as it is published: a profile with its snapshot."""
    if one["resourceType"] != "StructureDefinition" or "snapshot" in one:
        return one
    rest = dict(one)
    differential = rest.pop("differential")
    return {
        **rest,
        "snapshot": {"element": snapshot(one["url"], known)},
        "differential": differential,
    }


def own(known: Mapping[str, Resource], resource: Resource) -> Iterator[Issue]:
    """A rule: what is at the url of one of the known definitions is that, and nothing else."""
    one = known.get(str(resource.get("url")))
    if one is not None:
        sent = {key: value for key, value in resource.items() if key not in ("meta", "text")}
        if sent != complete(one, known):
            said = f"{one['url']} comes with this server: use a url of your own."
            yield Issue("business-rule", said, (f"{resource['resourceType']}.url",))


def checks() -> dict[str, Any]:
    """The code system of the checks."""
    concepts = {
        rule.id: {"code": rule.id, "display": rule.section, "definition": rule.write}
        for rule in RULES
    }
    return {
        "resourceType": "CodeSystem",
        "id": "isp-check",
        "url": CHECK,
        "version": "1",
        "name": "IspCheck",
        "title": "Checks of a service plan",
        "status": "active",
        "experimental": False,
        "date": "2026-11-22",
        "description": "What $isp-validate looks at: the section as display, what to write as"
        " definition.",
        "caseSensitive": True,
        "content": "complete",
        "count": len(concepts),
        "concept": list(concepts.values()),
    }
