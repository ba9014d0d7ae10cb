"""What was talked about, agreed and signed in a world, and what is due."""

from typing import Any

from app.isp import codes as code
from app.isp.rules.law import CHOICES
from tests.build import HL7, Resource, concept, reference
from tests.worlds.frame import BEFORE, FORMS, LOINC, Frame, days, local


class Agreement(Frame):
    """Meetings, choice, episodes, signatures, reviews and notes."""

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
