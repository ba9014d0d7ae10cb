"""What every part of a world is put into: the resources, the plan and its team."""

from dataclasses import dataclass, field
from typing import Any

from app.isp import codes as code
from tests.build import HL7, Resource, care_plan, concept, reference

START, END = "2025-09-01", "2026-08-31"
BEFORE = "2025-08-20"
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
ELTSS = "http://hl7.org/fhir/us/eltss/CodeSystem"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
EXTENSION = "http://hl7.org/fhir/StructureDefinition"
FORMS = "https://isp-fhir.example/Questionnaire"
SOCIAL = [concept(f"{HL7}/observation-category", "social-history")]
PARTS = ("medical", "psychological", "social", "vocational")


def local(name: str) -> Resource:
    return concept(code.ISP, name)


def days(start: str | None, end: str | None) -> Resource:
    return {key: value for key, value in (("start", start), ("end", end)) if value}


def pertains(goal: str) -> Resource:
    return {"url": f"{EXTENSION}/resource-pertainsToGoal", "valueReference": reference(goal)}


@dataclass
class Frame:
    """`who` is the id of the person; `worker` the role of the key worker."""

    who: str
    worker: str = "PractitionerRole/eve"
    start: str = START
    end: str = END
    status: str = "active"
    version: str = "1"
    resources: dict[str, Resource] = field(default_factory=dict)
    participants: list[Resource] = field(default_factory=list)
    links: dict[str, list[str]] = field(default_factory=dict)
    changes: Resource = field(default_factory=dict)

    @property
    def me(self) -> str:
        return f"Patient/{self.who}"

    @property
    def plan(self) -> str:
        return f"CarePlan/{self.who}"

    def put(self, resource: Resource, *links: str) -> str:
        """Add a resource without its None elements, and link it from these elements of the plan."""
        resource = {key: value for key, value in resource.items() if value is not None}
        own = f"{resource['resourceType']}/{resource['id']}"
        self.resources[own] = resource
        for link in links:
            self.links.setdefault(link, []).append(own)
        return own

    def __getitem__(self, own: str) -> Resource:
        return self.resources[own]

    def all(self) -> list[Resource]:
        """Every resource, the plan and its team put together last."""
        return [*self.resources.values(), *self._team(), self._plan()]

    def _plan(self) -> Resource:
        made = care_plan(id_=self.who, patient=self.me, status=self.status)
        made["meta"] = {"versionId": self.version}
        made["category"].append(local(code.PLAN))
        made["period"] = days(self.start, self.end)
        made["created"] = BEFORE
        made["author"] = reference(self.worker)
        for link, targets in self.links.items():
            if link == "activity":
                made[link] = [{"reference": reference(target)} for target in targets]
            else:
                made[link] = [reference(target) for target in targets]
        if self.participants:
            made["careTeam"] = [reference(f"CareTeam/{self.who}")]
        return {key: one for key, one in (made | self.changes).items() if one is not None}

    def _team(self) -> list[Resource]:
        if not self.participants:
            return []
        team = {"resourceType": "CareTeam", "id": self.who, "status": "active"}
        return [team | {"subject": reference(self.me), "participant": self.participants}]

    def task(
        self, id_: str, kind: str, owner: str | None, status: str = "in-progress", **elements: Any
    ) -> str:
        made: Resource = {"resourceType": "Task", "id": id_, "status": status, "intent": "plan"}
        made |= {"code": local(kind), "for": reference(self.me), "focus": reference(self.plan)}
        made["authoredOn"] = "2025-08-25T10:00:00Z"
        if owner:
            made["owner"] = reference(owner)
        return self.put(made | elements)

    def provenance(self, id_: str, target: str, signer: str | None = None, **elements: Any) -> str:
        who = reference(signer or self.worker)
        made: Resource = {
            "resourceType": "Provenance",
            "id": id_,
            "recorded": "2025-08-28T10:00:00Z",
        }
        made["target"] = [reference(target)]
        made["agent"] = [
            {"type": concept(f"{HL7}/provenance-participant-type", "attester"), "who": who}
        ]
        if signer:
            kind = {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.7"}
            made["signature"] = [{"type": [kind], "when": "2025-08-28T10:00:00Z", "who": who}]
        return self.put(made | elements)
