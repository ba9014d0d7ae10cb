"""Search values of the synthetic population, as every layout of bench/layouts.py stores them.

Stands in for the service's own extraction: same counts per resource, same skew, no FHIRPath.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from bench.population import ORDER, Resource, goal_status, plan_status, resources

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
SAMPLES = 300
TOKENS: dict[str, tuple[str, ...]] = {
    "Patient": ("gender|female", "active|true", "telecom|home", "phone|home", "deceased|false"),
    "Condition": ("clinical-status|active", "verification-status|confirmed", "category|problem"),
    "CareTeam": ("status|active", "category|longitudinal"),
    "Goal": ("achievement-status|improving", "category|behavioral"),
    "CarePlan": ("intent|plan", "category|outpatient"),
}
PRESENT: dict[str, tuple[str, ...]] = {
    "Patient": ("name", "family", "given", "birthdate", "address", "address-city", "gender"),
    "Condition": ("subject", "code", "recorded-date", "category"),
    "CareTeam": ("subject", "date", "participant", "status"),
    "Goal": ("subject", "start-date", "target-date", "lifecycle-status", "category"),
    "CarePlan": ("subject", "date", "goal", "care-team", "condition", "status", "category"),
}


@lru_cache(maxsize=4096)
def common_key(text: str) -> int:
    """The 64-bit key of a value that many resources share."""
    return key(text)


def key(text: str) -> int:
    """The signed 64-bit key of a search value."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


@lru_cache(maxsize=256)
def param(text: str) -> int:
    """The 31-bit number of a search parameter, "Type.code"."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") >> 1


@dataclass(frozen=True, slots=True)
class Row:
    """One resource and what is indexed of it; `seeks` holds one key a value, `keys` every form."""

    rid: int
    type: str
    id: str
    patient: str
    last_updated: datetime
    keys: list[int]
    seeks: list[int]
    references: list[tuple[int, str]]
    dates: list[tuple[int, datetime, datetime]]
    strings: list[tuple[int, str]]
    body: str


@lru_cache(maxsize=SAMPLES)
def _sample(n: int) -> list[str]:
    marks = [f"{type_}/@{slot}@" for slot, type_ in enumerate(ORDER)]
    made = resources(n, marks)
    return [_stored(resource, slot) for slot, resource in enumerate(made)]


def _stored(resource: Resource, slot: int) -> str:
    meta = {"versionId": "1", "lastUpdated": "2025-01-01T00:00:00.000Z"}
    whole = {"resourceType": resource["resourceType"], "id": f"@{slot}@", "meta": meta, **resource}
    return json.dumps(whole, separators=(",", ":"))


def logical_id(n: int, slot: int) -> str:
    """A time-ordered id of 36 characters."""
    return f"{n:08x}-{slot:04x}-7000-8000-{(n * 7919 + slot) % 2**48:012x}"


def person(n: int, base: int = 0) -> list[Row]:
    """The seven rows of person n, their rids counted from `base`."""
    ids = [logical_id(n, slot) for slot in range(len(ORDER))]
    bodies = _sample(n % SAMPLES)
    return [_row(n, slot, ids, base, _filled(bodies[slot], ids)) for slot in range(len(ORDER))]


def _filled(body: str, ids: list[str]) -> str:
    for slot, id_ in enumerate(ids):
        body = body.replace(f"@{slot}@", id_)
    return body


def _row(n: int, slot: int, ids: list[str], base: int, body: str) -> Row:
    type_ = ORDER[slot]
    shared = list(_shared_values(n, slot))
    own = [f"{type_}.identifier|https://bench.example.net/{type_}|{n:08d}-{slot}"]
    keys = {common_key(form) for value in shared for form in _forms(value)}
    keys |= {key(form) for value in own for form in _forms(value)}
    keys |= {common_key(f"{type_}.{name}") for name in ("identifier", *PRESENT[type_])}
    seeks = {common_key(_forms(value)[1]) for value in shared} | {key(_forms(own[0])[1])}
    return Row(
        base + n * len(ORDER) + slot,
        type_,
        ids[slot],
        ids[0],
        EPOCH + timedelta(seconds=(base + n) * 7, microseconds=slot),
        sorted(keys),
        sorted(seeks),
        list(_references(slot, ids)),
        list(_dates(n, slot)),
        list(_strings(n, slot)),
        body,
    )


def _forms(value: str) -> tuple[str, str, str]:
    """The forms a token is sought by: system and code, code alone, system alone."""
    name, system, code = value.split("|")
    return value, f"{name}||{code}", f"{name}|{system}|"


def _shared_values(n: int, slot: int) -> Iterator[str]:
    type_ = ORDER[slot]
    for value in TOKENS[type_]:
        name, code = value.split("|")
        yield f"{type_}.{name}|https://terminology.example.net/{name}|{code}"
    if type_ == "Goal":
        yield f"Goal.lifecycle-status|goal-status|{goal_code(n, slot - 3)}"
    if type_ == "CarePlan":
        yield f"CarePlan.status|request-status|{plan_status(n)}"
    if type_ == "Condition":
        yield f"Condition.code|snomed|{n % 400}"


def goal_code(n: int, index: int) -> str:
    """The lifecycle status; one person in 5,000 has a rejected goal, the rare token."""
    return "rejected" if n % 5000 == 1234 and index == 0 else goal_status(n, index)


def _references(slot: int, ids: list[str]) -> Iterator[tuple[int, str]]:
    type_ = ORDER[slot]
    if type_ == "Patient":
        yield param("Patient.organization"), "Organization/bench"
        return
    yield param(f"{type_}.subject"), f"Patient/{ids[0]}"
    yield param(f"{type_}.patient"), f"Patient/{ids[0]}"
    if type_ == "CareTeam":
        yield param("CareTeam.participant"), f"Patient/{ids[0]}"
    if type_ == "CarePlan":
        yield param("CarePlan.condition"), f"Condition/{ids[1]}"
        yield param("CarePlan.care-team"), f"CareTeam/{ids[2]}"
        yield from ((param("CarePlan.goal"), f"Goal/{ids[i]}") for i in (3, 4, 5))


def _dates(n: int, slot: int) -> Iterator[tuple[int, datetime, datetime]]:
    start = datetime(2022, 1, 1, tzinfo=UTC) + timedelta(days=n * 31 % 1400)
    day = timedelta(days=1)
    type_ = ORDER[slot]
    if type_ == "Patient":
        yield param("Patient.birthdate"), start - day * 12000, start - day * 11999
    elif type_ == "Goal":
        due = start + day * (180 + 30 * (slot - 3))
        yield param("Goal.start-date"), start, start + day
        yield param("Goal.target-date"), due, due + day
    elif type_ == "CarePlan":
        yield param("CarePlan.date"), start, start + day * 365
    else:
        yield param(f"{type_}.date"), start, start + day


def _strings(n: int, slot: int) -> Iterator[tuple[int, str]]:
    if ORDER[slot] == "Patient":
        yield param("Patient.family"), f"family{n % 5000}"
        yield param("Patient.given"), f"given{n % 700}"
        yield param("Patient.name"), f"family{n % 5000}"
        yield param("Patient.name"), f"given{n % 700}"


def changed(row: Row, stamp: datetime) -> Row:
    """The same resource an instant later, nothing indexed but lastUpdated different."""
    return replace(row, last_updated=stamp)
