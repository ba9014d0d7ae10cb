"""The goals of a world, what is done for them, and the plans within the plan."""

from typing import Any

from app.isp import codes as code
from tests.build import HL7, Resource, care_plan, concept, reference
from tests.worlds.frame import BEFORE, EXTENSION, HCPCS, Frame, days, local, pertains


class Wishes(Frame):
    """Goals, what is done for them, and plans within the plan."""

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
        made["extension"] = [pertains(goal) for goal in goals]
        made["code"] = concept(HCPCS, id_.upper()[:5]) | {"text": text}
        made["subject"] = reference(self.me)
        bounds = {"boundsPeriod": days(self.start, self.end)}
        made["occurrenceTiming"] = {
            "repeat": bounds | {"frequency": 1, "period": 1, "periodUnit": "wk"}
        }
        made |= {"performer": [reference(by)], "reasonReference": [reference(need)]}
        made["insurance"] = [reference("Coverage/medicaid")]
        return self.put(made | elements, "activity")

    def helps(self, id_: str, owner: str, goal: str, *, informed: bool = True) -> str:
        """What a relative or friend does, unpaid."""
        own = self.task(id_, code.NATURAL_SUPPORT, owner, extension=[pertains(goal)])
        self.links.setdefault("activity", []).append(own)
        if informed:
            self.task(f"{id_}-informed", code.INFORM, owner, "completed")
        return own

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
