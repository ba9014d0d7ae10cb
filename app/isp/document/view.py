"""View: a plan with the words and the day it is read in; who its people are. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.fhir.context import Resource
from app.isp.codes import KEY_WORKER
from app.isp.element import codes, members, name, names
from app.isp.plan import Plan
from app.isp.words import Words, display_name, phones


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the plan: what they are called, in which role, from where, and their phone."""

    name: str
    role: str = ""
    organization: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What the sections of the document are made of."""

    plan: Plan
    words: Words
    today: date

    def person(self, reference: Any) -> Person:
        """Whom a Reference points to, as far as they are known to the reader."""
        for resource in self.plan.get(reference):
            found = self._known(resource)
            if found.name:
                return found
        [display] = [str(one.get("display", "")) for one in members(reference)][:1] or [""]
        return Person(display)

    def people(self, references: Any) -> str:
        """Whom References point to, comma by comma."""
        found = (self.person(one).name for one in members(references))
        return ", ".join(dict.fromkeys(one for one in found if one))

    def _known(self, resource: Resource) -> Person:
        phone, role = phones(resource.get("telecom")), ""
        if resource["resourceType"] == "PractitionerRole":
            return self._staff(resource, phone)
        if resource["resourceType"] == "RelatedPerson":
            role = self.words.concept(resource.get("relationship"), "role")
        return Person(display_name(resource) or role, role, phone=phone)

    def _staff(self, role: Resource, phone: str) -> Person:
        people = self.plan.get(role.get("practitioner"))
        called = next(filter(None, map(display_name, people)), "")
        if not called:
            called = next((o.get("display", "") for o in members(role.get("practitioner"))), "")
        own = next(filter(None, (phones(one.get("telecom")) for one in people)), "")
        what = self.words.concept(role.get("code"), "role")
        return Person(str(called) or what, what, self.organization(role), phone or own)

    def organization(self, role: Resource) -> str:
        """The organization that a role is for."""
        given = role.get("organization")
        known = next(filter(None, map(display_name, self.plan.get(given))), "")
        return known or next((str(o.get("display", "")) for o in members(given)), "")

    def titles(self, goals: Iterable[str]) -> list[str]:
        """The texts of goals of the plan, by their names."""
        texts = {name(one): self.words.concept(one.get("description")) for one in self.plan.goals}
        return [texts[one] for one in goals if one in texts]

    def team(self) -> Iterator[tuple[Resource, Person]]:
        """The participants on this day, each with the part they take in the team."""
        for _, _, one in self.plan.members(self.today):
            found = self.person(one.get("member"))
            part = self.words.concept(one.get("role"), "role") or found.role
            if found.name:
                yield one, Person(found.name, part, found.organization, found.phone)


def is_key(participant: Resource) -> bool:
    """Whether a participant of a team is the key worker."""
    said = [str(one.get("text", "")).lower() for one in members(participant.get("role"))]
    is_said = any(one.startswith("key worker") for one in said)
    return is_said or KEY_WORKER in codes(participant.get("role"))


def known_names(view: View, references: Any) -> tuple[str, ...]:
    """The Type/id of the references that lead to what the reader may see."""
    return tuple(one for one in names(references) if one in view.plan.resources)
