"""The person of a world, who they are with, and what their plan rests on."""

from typing import Any

from app.isp import codes as code
from tests.build import (
    HL7,
    Resource,
    concept,
    condition,
    consent,
    patient,
    reference,
    related_person,
)
from tests.worlds.frame import BEFORE, ELTSS, FORMS, LOINC, PARTS, SNOMED, SOCIAL, Frame


class Person(Frame):
    """The person, who they are with, and what was found out about them."""

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
