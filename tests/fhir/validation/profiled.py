"""Profiles in few words, and what they find in a resource."""

from typing import Any

from app.fhir import guides
from app.fhir.validation.constraint import Definitions
from app.fhir.validation.profile import Judge
from tests.isp.profiled import known

Json = dict[str, Any]
CORE = "http://hl7.org/fhir/StructureDefinition/"
URL = "https://county.example/StructureDefinition/x"
LOINC = "http://loinc.org"

KNOWN = known(*guides.definitions().values())
"""The profiles of the guides that come with the server."""


def profile(type_: str, *elements: Json, url: str = URL, base: str = "") -> Json:
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "kind": "resource",
        "type": type_,
        "baseDefinition": base or CORE + type_,
        "derivation": "constraint",
        "differential": {"element": [{"id": type_, "path": type_}, *elements]},
    }


def at(id_: str, **said: Any) -> Json:
    path = ".".join(step.partition(":")[0] for step in id_.split("."))
    named = {"sliceName": id_.rpartition(":")[2]} if ":" in id_.rpartition(".")[2] else {}
    return {"id": id_, "path": path, **named, **said}


def sliced(id_: str, type_: str, path: str, rules: str = "open") -> Json:
    return at(id_, slicing={"discriminator": [{"type": type_, "path": path}], "rules": rules})


def judged(resource: Json, *profiles: Json) -> list[tuple[str, str]]:
    """The severity and the place of what the first profile finds."""
    definitions: Definitions = known(*profiles)
    found = Judge(definitions, resource).resource(profiles[0]["url"])
    return [(one.severity[0], one.expression[0]) for one in found]


def coded(code: str, system: str = LOINC) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def observation(**elements: Any) -> Json:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}} | elements
