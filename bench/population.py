"""Synthetic people with a plan, a team, three goals and a condition, the same for every run.

`resources(n)` depends on n alone: two runs, or two servers, are given the same bytes.
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

Resource = dict[str, Any]

SYSTEM = "https://bench.example.net/person-number"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
SNOMED = "http://snomed.info/sct"
ORDER = ("Patient", "Condition", "CareTeam", "Goal", "Goal", "Goal", "CarePlan")
GIVEN = ("Alma", "Bram", "Cleo", "Dario", "Edda", "Finn", "Gita", "Hugo", "Ida", "Jori", "Kaja")
FAMILY = ("Aalto", "Brandt", "Corvo", "Dahl", "Esposito", "Fiala", "Greco", "Holm", "Ibsen", "Jansky")
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
SUPPORTS = ("Travel training", "Cooking group", "Respite at weekends", "Speech therapy", "Job coach")
WORDS = (
    "morning routine goes well with picture cards; staff wait and let the person choose; noise is "
    "tiring, so breaks are offered early; family visits on Sundays are looked forward to; transport "
    "was late twice and was discussed with the provider; progress is steady and the next step agreed"
).split()


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


def resources(n: int, references: list[str]) -> list[Resource]:
    """The seven resources of person n in ORDER, referring to each other by `references`."""
    rng = random.Random(n)
    person, condition, team, *goals, _ = references
    start = date(2022, 1, 1) + timedelta(days=n * 31 % 1400)
    return [
        _patient(n, rng),
        _condition(n, rng, person, start),
        _team(n, rng, person, start),
        *(_goal(n, i, rng, person, condition, start) for i in range(3)),
        _plan(n, rng, person, condition, team, goals, start),
    ]


def _uuids(n: int) -> Iterator[str]:
    rng = random.Random(-n - 1)
    for _ in ORDER:
        text = f"{rng.getrandbits(128):032x}"
        yield f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _prose(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words)).capitalize() + "."


def _narrative(text: str) -> Resource:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{text}</p></div>'
    return {"status": "generated", "div": div}


def _identifier(n: int, suffix: str) -> list[Resource]:
    return [{"system": f"{SYSTEM}{suffix}", "value": f"{n:08d}{suffix}"}]


def _patient(n: int, rng: random.Random) -> Resource:
    given, family = rng.choice(GIVEN), rng.choice(FAMILY)
    born = date(1950, 1, 1) + timedelta(days=rng.randrange(20000))
    return {
        "resourceType": "Patient",
        "text": _narrative(f"{given} {family}, born {born}. {_prose(rng, 40)}"),
        "identifier": [
            *_identifier(n, ""),
            {"system": "https://bench.example.net/medicaid", "value": f"{rng.randrange(10**10):010d}"},
        ],
        "active": True,
        "name": [{"use": "official", "family": family, "given": [given]}],
        "telecom": [{"system": "phone", "value": f"+1 555 {n % 10**7:07d}", "use": "home"}],
        "gender": rng.choice(("female", "male", "other")),
        "birthDate": born.isoformat(),
        "address": [
            {
                "line": [f"{rng.randrange(1, 400)} Orchard Lane"],
                "city": "Milltown",
                "state": "PA",
                "postalCode": f"{rng.randrange(10**5):05d}",
            }
        ],
    }


def _condition(n: int, rng: random.Random, person: str, start: date) -> Resource:
    code, display = CONDITIONS[n % len(CONDITIONS)]
    return {
        "resourceType": "Condition",
        "text": _narrative(f"{display}. {_prose(rng, 40)}"),
        "identifier": _identifier(n, "-c"),
        "clinicalStatus": concept(f"{TERMINOLOGY}/condition-clinical", "active", "Active"),
        "verificationStatus": concept(f"{TERMINOLOGY}/condition-ver-status", "confirmed", "Confirmed"),
        "category": [
            concept(f"{TERMINOLOGY}/condition-category", "problem-list-item", "Problem List Item")
        ],
        "code": concept(SNOMED, code, display),
        "subject": {"reference": person},
        "recordedDate": start.isoformat(),
        "note": [{"text": _prose(rng, 60)}],
    }


def _team(n: int, rng: random.Random, person: str, start: date) -> Resource:
    members = [
        {
            "role": [concept(SNOMED, code, display)],
            "member": {"display": f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}"},
            "period": {"start": start.isoformat()},
        }
        for code, display in ROLES
    ]
    return {
        "resourceType": "CareTeam",
        "text": _narrative(f"Circle of support. {_prose(rng, 40)}"),
        "identifier": _identifier(n, "-t"),
        "status": "active",
        "name": "Circle of support",
        "subject": {"reference": person},
        "period": {"start": start.isoformat()},
        "participant": [
            {"role": [concept(SNOMED, "116154003", "Patient")], "member": {"reference": person}},
            *members,
        ],
    }


def _goal(
    n: int, index: int, rng: random.Random, person: str, condition: str, start: date
) -> Resource:
    return {
        "resourceType": "Goal",
        "text": _narrative(f"{AIMS[index]}. {_prose(rng, 40)}"),
        "identifier": _identifier(n, f"-g{index}"),
        "lifecycleStatus": goal_status(n, index),
        "achievementStatus": concept(f"{TERMINOLOGY}/goal-achievement", "improving", "Improving"),
        "category": [concept(f"{TERMINOLOGY}/goal-category", "behavioral", "Behavioral")],
        "priority": concept(f"{TERMINOLOGY}/goal-priority", "medium-priority", "Medium Priority"),
        "description": {"text": AIMS[index]},
        "subject": {"reference": person},
        "startDate": start.isoformat(),
        "target": [
            {
                "detailString": "achieved in four weeks out of five",
                "dueDate": (start + timedelta(days=180 + 30 * index)).isoformat(),
            }
        ],
        "addresses": [{"reference": condition}],
        "note": [{"text": _prose(rng, 60)}],
    }


def _plan(
    n: int,
    rng: random.Random,
    person: str,
    condition: str,
    team: str,
    goals: list[str],
    start: date,
) -> Resource:
    supports = [
        {
            "detail": {
                "kind": "ServiceRequest",
                "code": {"text": support},
                "status": "in-progress",
                "scheduledString": f"{rng.randrange(1, 6)} hours a week",
                "description": _prose(rng, 16),
            }
        }
        for support in SUPPORTS
    ]
    return {
        "resourceType": "CarePlan",
        "text": _narrative(f"Individualized service plan. {_prose(rng, 100)}"),
        "identifier": _identifier(n, "-p"),
        "status": plan_status(n),
        "intent": "plan",
        "category": [concept(SNOMED, "736271009", "Outpatient care plan")],
        "title": "Individualized service plan",
        "description": "Agreed with the person and the circle of support; revision 0",
        "subject": {"reference": person},
        "period": {
            "start": start.isoformat(),
            "end": (start + timedelta(days=364)).isoformat(),
        },
        "created": start.isoformat(),
        "careTeam": [{"reference": team}],
        "addresses": [{"reference": condition}],
        "goal": [{"reference": goal} for goal in goals],
        "activity": supports,
        "note": [{"text": _prose(rng, 80)}],
    }
