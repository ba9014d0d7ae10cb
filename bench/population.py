"""Synthetic people with a plan, a team, three goals and a condition, the same for every run.

`resources(n)` depends on n alone: two runs, or two servers, are given the same bytes.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

Resource = dict[str, Any]

SYSTEM = "https://bench.example.net/person-number"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
SNOMED = "http://snomed.info/sct"
ORDER = ("Patient", "Condition", "CareTeam", "Goal", "Goal", "Goal", "CarePlan")
GIVEN = ("Alma", "Bram", "Cleo", "Dario", "Edda", "Finn", "Gita", "Hugo", "Ida", "Jori", "Kaja")
FAMILY = (
    "Aalto",
    "Brandt",
    "Corvo",
    "Dahl",
    "Esposito",
    "Fiala",
    "Greco",
    "Holm",
    "Ibsen",
    "Jansky",
)
CONDITIONS = (
    ("110359009", "Intellectual disability"),
    ("128188000", "Cerebral palsy"),
    ("408856003", "Autistic disorder"),
    ("84757009", "Epilepsy"),
)
ROLES = (("224571005", "Case manager"), ("106292003", "Nurse"), ("133932002", "Caregiver"))
AIMS = (
    "Travels to the day centre by bus without being accompanied",
    "Prepares two warm meals a week in the own kitchen",
    "Keeps contact with the sister by a weekly telephone call",
)
SUPPORTS = (
    "Travel training",
    "Cooking group",
    "Respite at weekends",
    "Speech therapy",
    "Job coach",
)
PROSE = (
    "morning routine goes well with picture cards; staff wait and let the person choose; noise is"
    " tiring, so breaks are offered early; family visits on Sundays are looked forward to; the bus"
    " was late twice, which the provider discussed; progress is steady and the next step agreed"
)
WORDS = PROSE.split()


def concept(system: str, code: str, display: str) -> Resource:
    """A CodeableConcept with one coding."""
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def goal_status(n: int, index: int) -> str:
    """Most goals are active; one person in fifty has a goal on hold."""
    if index < 2:
        return "active"
    return "on-hold" if n % 50 == 7 else "completed"


def plan_status(n: int) -> str:
    """Seven plans in eight are active."""
    return "completed" if n % 8 == 5 else "active"


def bundle(n: int) -> Resource:
    """A transaction Bundle that creates the seven resources of person n."""
    urls = [f"urn:uuid:{uuid}" for uuid in _uuids(n)]
    entries = [
        {
            "fullUrl": url,
            "resource": resource,
            "request": {"method": "POST", "url": resource["resourceType"]},
        }
        for url, resource in zip(urls, resources(n, urls), strict=True)
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@dataclass(frozen=True, slots=True)
class _Life:
    """What the resources of one person share."""

    n: int
    rng: random.Random
    start: date
    references: list[str]

    @property
    def person(self) -> Resource:
        return {"reference": self.references[0]}

    @property
    def condition(self) -> list[Resource]:
        return [{"reference": self.references[1]}]

    def prose(self, words: int) -> str:
        return " ".join(self.rng.choice(WORDS) for _ in range(words)).capitalize() + "."

    def identifier(self, suffix: str) -> list[Resource]:
        return [{"system": f"{SYSTEM}{suffix}", "value": f"{self.n:08d}{suffix}"}]


def resources(n: int, references: list[str]) -> list[Resource]:
    """The seven resources of person n in ORDER, referring to each other by `references`."""
    start = date(2022, 1, 1) + timedelta(days=n * 31 % 1400)
    life = _Life(n, random.Random(n), start, references)
    goals = [_goal(life, index) for index in range(3)]
    return [_patient(life), _condition(life), _team(life), *goals, _plan(life)]


def _uuids(n: int) -> Iterator[str]:
    rng = random.Random(-n - 1)
    for _ in ORDER:
        text = f"{rng.getrandbits(128):032x}"
        yield f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _narrative(text: str) -> Resource:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{text}</p></div>'
    return {"status": "generated", "div": div}


def _patient(life: _Life) -> Resource:
    given, family = life.rng.choice(GIVEN), life.rng.choice(FAMILY)
    born = date(1950, 1, 1) + timedelta(days=life.rng.randrange(20000))
    return {
        "resourceType": "Patient",
        "text": _narrative(f"{given} {family}, born {born}. {life.prose(40)}"),
        "identifier": [
            *life.identifier(""),
            {
                "system": "https://bench.example.net/medicaid",
                "value": f"{life.rng.randrange(10**10):010d}",
            },
        ],
        "active": True,
        "name": [{"use": "official", "family": family, "given": [given]}],
        "telecom": [{"system": "phone", "value": f"+1 555 {life.n % 10**7:07d}", "use": "home"}],
        "gender": life.rng.choice(("female", "male", "other")),
        "birthDate": born.isoformat(),
        "address": [
            {
                "line": [f"{life.rng.randrange(1, 400)} Orchard Lane"],
                "city": "Milltown",
                "state": "PA",
                "postalCode": f"{life.rng.randrange(10**5):05d}",
            }
        ],
    }


def _condition(life: _Life) -> Resource:
    code, display = CONDITIONS[life.n % len(CONDITIONS)]
    return {
        "resourceType": "Condition",
        "text": _narrative(f"{display}. {life.prose(40)}"),
        "identifier": life.identifier("-c"),
        "clinicalStatus": concept(f"{TERMINOLOGY}/condition-clinical", "active", "Active"),
        "verificationStatus": concept(
            f"{TERMINOLOGY}/condition-ver-status", "confirmed", "Confirmed"
        ),
        "category": [
            concept(f"{TERMINOLOGY}/condition-category", "problem-list-item", "Problem List Item")
        ],
        "code": concept(SNOMED, code, display),
        "subject": life.person,
        "recordedDate": life.start.isoformat(),
        "note": [{"text": life.prose(60)}],
    }


def _team(life: _Life) -> Resource:
    members = [
        {
            "role": [concept(SNOMED, code, display)],
            "member": {"display": f"{life.rng.choice(GIVEN)} {life.rng.choice(FAMILY)}"},
            "period": {"start": life.start.isoformat()},
        }
        for code, display in ROLES
    ]
    return {
        "resourceType": "CareTeam",
        "text": _narrative(f"Circle of support. {life.prose(40)}"),
        "identifier": life.identifier("-t"),
        "status": "active",
        "name": "Circle of support",
        "subject": life.person,
        "period": {"start": life.start.isoformat()},
        "participant": [
            {"role": [concept(SNOMED, "116154003", "Patient")], "member": life.person},
            *members,
        ],
    }


def _goal(life: _Life, index: int) -> Resource:
    return {
        "resourceType": "Goal",
        "text": _narrative(f"{AIMS[index]}. {life.prose(40)}"),
        "identifier": life.identifier(f"-g{index}"),
        "lifecycleStatus": goal_status(life.n, index),
        "achievementStatus": concept(f"{TERMINOLOGY}/goal-achievement", "improving", "Improving"),
        "category": [concept(f"{TERMINOLOGY}/goal-category", "behavioral", "Behavioral")],
        "priority": concept(f"{TERMINOLOGY}/goal-priority", "medium-priority", "Medium Priority"),
        "description": {"text": AIMS[index]},
        "subject": life.person,
        "startDate": life.start.isoformat(),
        "target": [
            {
                "measure": {"text": "Weeks in which the aim was reached"},
                "detailString": "achieved in four weeks out of five",
                "dueDate": (life.start + timedelta(days=180 + 30 * index)).isoformat(),
            }
        ],
        "addresses": life.condition,
        "note": [{"text": life.prose(60)}],
    }


def _plan(life: _Life) -> Resource:
    supports = [
        {
            "detail": {
                "kind": "ServiceRequest",
                "code": {"text": support},
                "status": "in-progress",
                "scheduledString": f"{life.rng.randrange(1, 6)} hours a week",
                "description": life.prose(16),
            }
        }
        for support in SUPPORTS
    ]
    return {
        "resourceType": "CarePlan",
        "text": _narrative(f"Individualized service plan. {life.prose(100)}"),
        "identifier": life.identifier("-p"),
        "status": plan_status(life.n),
        "intent": "plan",
        "category": [concept(SNOMED, "736271009", "Outpatient care plan")],
        "title": "Individualized service plan",
        "description": "Agreed with the person and the circle of support; revision 0",
        "subject": life.person,
        "period": {
            "start": life.start.isoformat(),
            "end": (life.start + timedelta(days=364)).isoformat(),
        },
        "created": life.start.isoformat(),
        "careTeam": [{"reference": life.references[2]}],
        "addresses": life.condition,
        "goal": [{"reference": goal} for goal in life.references[3:6]],
        "activity": supports,
        "note": [{"text": life.prose(80)}],
    }
