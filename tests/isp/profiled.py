"""The project's own profiles without a server, and which of them a resource should follow."""

from collections.abc import Iterator
from typing import Any

from app.fhir.errors import Issue
from app.fhir.registry import read
from app.fhir.terminology.code_system import read as read_code_system
from app.fhir.terminology.held import Held, code_system_of_r4, of_r4
from app.fhir.validation.constraint import Definitions
from app.fhir.validation.profile import Judge
from app.isp import codes as code
from app.isp.definitions import definitions
from app.isp.element import codes

Resource = dict[str, Any]
PARTS = ("treatment", "crisis", "backup", "behavior-support", "discharge")


def known(*more: Resource) -> Definitions:
    """Ours, those of R4, and these."""
    ours = {**definitions(), **{one["url"]: one for one in more}}
    profiles = {url: of_r4("StructureDefinition", url) for url in read("extensions")}
    sets = {url: of_r4("ValueSet", url) for url in read("value-sets")}
    systems = {url: code_system_of_r4(url) for url in read("code-systems")}
    for url, one in ours.items():
        if one["resourceType"] == "StructureDefinition":
            profiles[url] = one
        elif one["resourceType"] == "ValueSet":
            sets[url] = one
        elif one["resourceType"] == "CodeSystem":
            systems[url] = read_code_system(one)
    stamp = tuple(str(id(one)) for one in more)
    return Definitions(profiles, Held(sets, systems), stamp)  # type: ignore[arg-type]


KNOWN = known()


def judged(resource: Resource, profile: str) -> list[Issue]:
    """What one of our profiles finds."""
    return list(Judge(KNOWN, resource).resource(f"{code.EXTENSION}/{profile}"))


def errors(resource: Resource, profile: str) -> list[str]:
    return [one.diagnostics for one in judged(resource, profile) if one.severity == "error"]


def expected(resource: Resource) -> Iterator[str]:
    """The profiles that a resource of a plan should follow, told by its codes."""
    match resource["resourceType"]:
        case "CarePlan":
            parts = [one for one in PARTS if f"{one}-plan" in codes(resource.get("category"))]
            yield f"isp-{parts[0]}-plan" if parts else "isp-care-plan"
        case "Goal":
            yield "isp-goal"
            yield "isp-milestone" if "milestone" in str(resource) else "isp-long-term-goal"
        case "CareTeam" | "Consent" | "ServiceRequest" | "RiskAssessment" as type_:
            yield BY_TYPE[type_]
        case "Condition" if code.ASSESSED_NEED in codes(resource.get("category")):
            yield "isp-need"
        case "Task" if code.REVIEW in codes(resource.get("code")):
            yield "isp-review"
        case "Observation":
            yield from _of_observation(resource)


BY_TYPE = {
    "CareTeam": "isp-care-team",
    "Consent": "isp-consent",
    "ServiceRequest": "isp-service",
    "RiskAssessment": "isp-risk",
}


def _of_observation(resource: Resource) -> Iterator[str]:
    own = codes(resource["code"])
    if code.STRENGTH in own:
        yield "isp-strength"
    elif own & code.PREFERENCES:
        yield "isp-preference"
    elif code.BARRIER in own:
        yield "isp-barrier"
    elif "focus" in resource:
        yield "isp-progress"
