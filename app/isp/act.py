"""An act on a plan: who does it, and when; and the Provenance of what came of it. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from app.fhir.context import Resource
from app.fhir.errors import Unprocessable
from app.fhir.instant import to_text
from app.isp.codes import ISP
from app.isp.element import name

Reference = dict[str, str]


@dataclass(frozen=True, slots=True)
class Act:
    """Who acts (a Reference), when, for whom, and where the ids of new resources come from."""

    who: Reference
    now: datetime
    new_id: Callable[[], str]
    organization: Reference | None = None

    @property
    def today(self) -> date:
        return self.now.date()


def provenance(
    act: Act, activity: str, written: Iterable[Resource], reason: str | None = None
) -> Resource:
    """Who made these versions, and why. A resource that has a version gets the next one."""
    made: Resource = {
        "resourceType": "Provenance",
        "target": [{"reference": _next_version(one)} for one in written],
        "recorded": to_text(act.now),
        "activity": {"coding": [{"system": ISP, "code": activity}]},
        "agent": [agent(act.who, act.organization)],
    }
    return made | ({"reason": [{"text": reason}]} if reason else {})


def agent(who: Reference, organization: Reference | None) -> Resource:
    """Who did it; a practitioner for their organization, which a role tells already.

    http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance, provenance-1
    """
    is_staff = organization is not None and who["reference"].startswith("Practitioner/")
    return {"who": who} | ({"onBehalfOf": organization} if is_staff else {})


def _next_version(resource: Resource) -> str:
    version = int(resource.get("meta", {}).get("versionId", 0)) + 1
    return f"{name(resource)}/_history/{version}"


def refuse(rule: str, sentence: str, *expression: str) -> Unprocessable:
    """The refusal of what a rule does not let pass."""
    return Unprocessable(f"{rule}: {sentence}", code="business-rule", expression=list(expression))


def concept(text: str, *coding: tuple[str, str]) -> Resource:
    """A CodeableConcept of these (system, code), in these words."""
    codes = [{"system": system, "code": code} for system, code in coding]
    return ({"coding": codes} if codes else {}) | ({"text": text} if text else {})
