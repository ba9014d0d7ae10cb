"""A world: one person, their plan, and everything it hangs together with, put down in a few lines.

Every method adds one resource and returns its reference. Elements given by keyword replace those of
the builder. Days are as in the story: the plan begins on 1 September 2025 unless it says otherwise.
"""

from dataclasses import dataclass, field
from typing import Any

from app.isp import codes as code
from app.isp.rules.law import CHOICES
from tests.build import (
    HL7,
    Resource,
    care_plan,
    concept,
    condition,
    consent,
    patient,
    reference,
    related_person,
)

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


@dataclass
class World:
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

    changes: Resource = field(default_factory=dict)

    def _team(self) -> list[Resource]:
        if not self.participants:
            return []
        team = {"resourceType": "CareTeam", "id": self.who, "status": "active"}
        return [team | {"subject": reference(self.me), "participant": self.participants}]

    # The person, and who they are with.

    def person(self, **elements: Any) -> str:
        speaks = [{"language": concept("urn:ietf:bcp:47", "en"), "preferred": True}]
        known = [{"system": f"{FORMS}/people", "value": self.who}]
        born = {"identifier": known, "gender": "unknown", "birthDate": "1990-05-17"}
        born["communication"] = speaks
        return self.put(patient(self.who, None, **(born | elements)))

    def relative(self, id_: str, role: str = "SIS", **elements: Any) -> str:
        return self.put(related_person(id_, self.me, role, **elements))

    def allows(self, actor: str, **elements: Any) -> str:
        given = {
            "performer": [reference(self.me)],
            "organization": [reference("Organization/agency")],
            "sourceReference": reference("DocumentReference/release-form"),
        }
        id_ = f"allows-{actor.rpartition('/')[2]}"
        return self.put(consent(actor, id_=id_, patient=self.me, **(given | elements)))

    def staff(self, id_: str, at: str = "Organization/agency", what: str = "Staff") -> str:
        acts = {"practitioner": reference(f"Practitioner/{id_}"), "organization": reference(at)}
        role = {"resourceType": "PractitionerRole", "id": id_, "active": True, **acts}
        return self.put(role | {"code": [{"text": what}]})

    def member(self, who: str, role: str = "", key: bool = False) -> str:
        one: Resource = {"member": reference(who), "period": {"start": BEFORE}}
        if role:
            one["role"] = [{"text": role}]
        if key:
            one["role"] = [concept(SNOMED, code.CARE_COORDINATOR) | {"text": "Key worker"}]
        self.participants.append(one)
        return who

    # What the plan rests on.

    def assessment(self, on: str = "2025-08-10", **elements: Any) -> str:
        form = {
            "resourceType": "QuestionnaireResponse",
            "id": f"{self.who}-assessment",
            "questionnaire": f"{FORMS}/comprehensive-assessment",
            "status": "completed",
            "subject": reference(self.me),
            "authored": on,
            "author": reference(self.worker),
            "source": reference(self.me),
            "item": [{"linkId": part} for part in PARTS],
        }
        own = self.put(form | elements, "supportingInfo")
        self.provenance(f"{self.who}-assessment-signed", own, signer=self.worker)
        return own

    def observe(self, id_: str, text: str, what: Resource, **elements: Any) -> str:
        made = {"resourceType": "Observation", "id": id_, "status": "final", "code": what}
        made |= {"subject": reference(self.me), "effectiveDateTime": "2025-08-12"}
        made |= {"performer": [reference(self.worker)], "valueString": text} | elements
        return self.put(made)

    def support(self, own: str) -> str:
        self.links.setdefault("supportingInfo", []).append(own)
        return own

    def functioning(self, text: str) -> str:
        survey = [concept(f"{HL7}/observation-category", "survey")]
        survey.append(
            concept("http://hl7.org/fhir/us/core/CodeSystem/us-core-category", "functional-status")
        )
        what = {"text": "What I can do, and what is hard"}
        return self.support(self.observe(f"{self.who}-functioning", text, what, category=survey))

    def strength(self, text: str) -> str:
        what = concept(f"{ELTSS}/eltss-observation-codes-temporary", "strength")
        return self.support(self.observe(f"{self.who}-strength", text, what, category=SOCIAL))

    def preference(self, text: str) -> str:
        what = concept(LOINC, "95541-9")
        return self.support(self.observe(f"{self.who}-preference", text, what, category=SOCIAL))

    def need(self, id_: str, text: str, **elements: Any) -> str:
        kinds = [
            concept("http://hl7.org/fhir/us/core/CodeSystem/condition-category", "health-concern")
        ]
        kinds.append(concept(f"{ELTSS}/eltss-condition-category-code", "assessed-need"))
        made = condition(id_, self.me, category=kinds, code={"text": text})
        return self.put(made | elements, "addresses")

    def diagnosis(self, id_: str, text: str, **elements: Any) -> str:
        sure = concept(f"{HL7}/condition-ver-status", "confirmed")
        kinds = [concept(f"{HL7}/condition-category", "encounter-diagnosis")]
        made = condition(id_, self.me, code={"text": text}, category=kinds)
        made["verificationStatus"] = sure
        return self.put(made | {"severity": {"text": "Moderate"}} | elements, "addresses")

    def risk(self, id_: str, text: str, mitigation: str | None) -> str:
        made = {"resourceType": "RiskAssessment", "id": id_, "status": "final"}
        made |= {"subject": reference(self.me), "prediction": [{"outcome": {"text": text}}]}
        return self.put(made | ({"mitigation": mitigation} if mitigation else {}), "supportingInfo")

    def diet(self, text: str) -> str:
        made = {"resourceType": "NutritionOrder", "id": f"{self.who}-diet", "status": "active"}
        made |= {"intent": "plan", "patient": reference(self.me), "dateTime": BEFORE}
        return self.put(made | {"oralDiet": {"type": [{"text": text}]}}, "activity")

    # Goals, and what is done for them.

    def goal(
        self, id_: str, text: str, need: str, due: str, value: int = 2, **elements: Any
    ) -> str:
        """A goal in the person's own words, agreed to, with measure, baseline and a note."""
        accepted = {
            "url": f"{EXTENSION}/goal-acceptance",
            "extension": [{"url": "status", "valueCode": "agree"}],
        }
        baseline = {
            "url": f"{code.EXTENSION}/goal-baseline",
            "extension": [{"url": "value", "valueQuantity": {"value": 0}}],
        }
        made: Resource = {"resourceType": "Goal", "id": id_, "lifecycleStatus": "active"}
        made["extension"] = [accepted, baseline]
        made["achievementStatus"] = concept(f"{HL7}/goal-achievement", "in-progress")
        made["category"] = [concept("https://isp-fhir.example/CodeSystem/life-domain", "social")]
        made |= {
            "description": {"text": text},
            "subject": reference(self.me),
            "startDate": self.start,
        }
        measure = {
            "measure": {"text": "How often"},
            "detailQuantity": {"value": value, "unit": "a week"},
        }
        made["target"] = [measure | {"dueDate": due}]
        made |= {"expressedBy": reference(self.me), "addresses": [reference(need)]}
        made["priority"] = concept(f"{HL7}/goal-priority", "high-priority")
        made["note"] = [{"time": "2025-12-15T10:00:00Z", "text": "Talked about it."}]
        return self.put(made | elements, "goal")

    def step(self, id_: str, text: str, to: str, due: str, value: int = 2, **elements: Any) -> str:
        """A milestone on the way to a goal, of the same need."""
        [need] = (one["reference"] for one in self[to]["addresses"])
        own = self.goal(id_, text, need, due, value, **elements)
        kind = concept(f"{HL7}/goal-relationship-type", "milestone")
        parts = [
            {"url": "type", "valueCodeableConcept": kind},
            {"url": "target", "valueReference": reference(to)},
        ]
        self[own].setdefault("extension", []).append(
            {"url": f"{EXTENSION}/goal-relationship", "extension": parts}
        )
        return own

    def service(
        self, id_: str, text: str, by: str, goals: list[str], need: str, **elements: Any
    ) -> str:
        """An hour a week of something paid for, all through the plan."""
        made: Resource = {
            "resourceType": "ServiceRequest",
            "id": id_,
            "status": "active",
            "intent": "plan",
        }
        made["extension"] = [_pertains(goal) for goal in goals]
        made["code"] = concept(HCPCS, id_.upper()[:5]) | {"text": text}
        made["subject"] = reference(self.me)
        bounds = {"boundsPeriod": days(self.start, self.end)}
        made["occurrenceTiming"] = {
            "repeat": bounds | {"frequency": 1, "period": 1, "periodUnit": "wk"}
        }
        made |= {"performer": [reference(by)], "reasonReference": [reference(need)]}
        made["insurance"] = [reference("Coverage/medicaid")]
        return self.put(made | elements, "activity")

    def task(
        self, id_: str, kind: str, owner: str | None, status: str = "in-progress", **elements: Any
    ) -> str:
        made: Resource = {"resourceType": "Task", "id": id_, "status": status, "intent": "plan"}
        made |= {"code": local(kind), "for": reference(self.me), "focus": reference(self.plan)}
        made["authoredOn"] = "2025-08-25T10:00:00Z"
        if owner:
            made["owner"] = reference(owner)
        return self.put(made | elements)

    def helps(self, id_: str, owner: str, goal: str, *, informed: bool = True) -> str:
        """What a relative or friend does, unpaid."""
        own = self.task(id_, code.NATURAL_SUPPORT, owner, extension=[_pertains(goal)])
        self.links.setdefault("activity", []).append(own)
        if informed:
            self.task(f"{id_}-informed", code.INFORM, owner, "completed")
        return own

    # Plans within the plan.

    def part(self, kind: str, text: str, *activity: str, **elements: Any) -> str:
        made = care_plan(id_=f"{self.who}-{kind}", patient=self.me, description=text)
        made["category"].append(local(kind))
        made |= {
            "partOf": [reference(self.plan)],
            "period": days(self.start, self.end),
            "created": BEFORE,
        }
        if activity:
            made["activity"] = [{"reference": reference(one)} for one in activity]
        return self.put(made | elements)

    def crisis(self, text: str, kind: str = "crisis-plan") -> str:
        step = self.task(f"{self.who}-{kind}-step", code.STEP, self.worker, "ready")
        return self.part(kind, text, step)

    def discharge(self, text: str) -> str:
        return self.part("discharge-plan", text)

    # Meetings, choice, episodes.

    def meeting(self, on: str = "2025-08-20") -> str:
        made: Resource = {
            "resourceType": "Encounter",
            "id": f"{self.who}-meeting",
            "status": "finished",
        }
        made["class"] = {"system": f"{HL7}/v3-ActCode", "code": "AMB"}
        made |= {"subject": reference(self.me), "period": days(on, on)}
        own = self.put(made | {"episodeOfCare": [reference(f"EpisodeOfCare/{self.who}")]})
        self.changes["encounter"] = reference(own)
        return own

    def episode(self, start: str = "2025-08-01", **elements: Any) -> str:
        made: Resource = {"resourceType": "EpisodeOfCare", "id": self.who, "status": "active"}
        made |= {"patient": reference(self.me), "period": days(start, None)}
        return self.put(made | {"careManager": reference(self.worker)} | elements)

    def choices(self, *answered: str, **elements: Any) -> str:
        """The informed-choice form; all seven questions unless it says which."""
        asked = answered or CHOICES
        form = {
            "resourceType": "QuestionnaireResponse",
            "id": f"{self.who}-choice",
            "status": "completed",
        }
        form |= {"questionnaire": f"{FORMS}/informed-choice", "subject": reference(self.me)}
        form |= {"authored": BEFORE, "source": reference(self.me)}
        form["item"] = [{"linkId": one, "answer": [{"valueBoolean": True}]} for one in asked]
        return self.put(form | elements, "supportingInfo")

    # Agreement and clock.

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

    def signs(self, *people: str, version: str | None = None) -> None:
        target = f"{self.plan}/_history/{version or self.version}"
        for one in people:
            self.provenance(f"{self.who}-signed-{one.rpartition('/')[2]}", target, one)

    def refuses(self, who: str, reason: str | None) -> str:
        said = local(code.REFUSED) | ({"text": reason} if reason else {})
        kind = concept(f"{HL7}/provenance-participant-type", "attester")
        agent = [{"type": kind, "who": reference(who)}]
        target = f"{self.plan}/_history/{self.version}"
        return self.provenance(f"{self.who}-refused", target, reason=[said], agent=agent)

    def explains(self) -> str:
        made: Resource = {
            "resourceType": "Communication",
            "id": f"{self.who}-explained",
            "status": "completed",
        }
        made |= {"topic": local(code.EXPLAINED), "subject": reference(self.me)}
        made["recipient"] = [one["member"] for one in self.participants]
        return self.put(made | {"about": [reference(self.plan)], "sent": "2025-08-28T10:00:00Z"})

    def reviews(self, due: str = "2026-02-27", status: str = "requested", **elements: Any) -> str:
        last = {"restriction": {"period": {"end": due}}}
        return self.task(
            f"{self.who}-review-{due}", code.REVIEW, self.worker, status, **(last | elements)
        )

    def meets(self, on: str = "2026-02-20") -> str:
        made: Resource = {
            "resourceType": "Appointment",
            "id": f"{self.who}-meeting-{on}",
            "status": "booked",
        }
        made |= {"start": f"{on}T15:00:00Z", "end": f"{on}T16:00:00Z"}
        return self.put(
            made | {"participant": [{"actor": reference(self.me), "status": "accepted"}]}
        )

    def notes(self, on: str, *goals: str) -> str:
        made: Resource = {
            "resourceType": "DocumentReference",
            "id": f"{self.who}-note-{on}",
            "status": "current",
        }
        made |= {
            "type": concept(LOINC, "11506-3"),
            "subject": reference(self.me),
            "date": f"{on}T10:00:00Z",
        }
        made["content"] = [{"attachment": {"contentType": "text/plain", "title": "Progress note"}}]
        if goals:
            made["context"] = {"related": [reference(goal) for goal in goals]}
        return self.put(made)


def _pertains(goal: str) -> Resource:
    return {"url": f"{EXTENSION}/resource-pertainsToGoal", "valueReference": reference(goal)}
