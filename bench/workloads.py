"""What is asked of a server: the requests of each workload, and the check of their answers."""

import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from bench.client import Connection, Response, Step, request
from bench.population import ORDER, bundle, plan_status, resources
from bench.processes import Address

PATIENT, CONDITION, TEAM, GOAL, PLAN = 0, 1, 2, 3, 6
PULL = "&status=active&_include=CarePlan:goal&_include=CarePlan:care-team"
OK, CREATED = 200, 201


@dataclass(slots=True)
class World:
    """A server, the token to use, and the references of the persons loaded so far."""

    address: Address
    token: str | None = None
    people: dict[int, list[str]] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    fresh: Iterator[int] = field(default_factory=itertools.count)
    revisions: Iterator[int] = field(default_factory=itertools.count)

    def ask(self, method: str, url: str, body: bytes | None = None, **headers: str) -> bytes:
        """The bytes of a request to this server; `url` follows the base URL."""
        whole = f"{self.address.path}/{url}"
        return request(method, whole, self.address.netloc, self.token, body=body, **headers)

    def any_person(self, seed: int) -> Iterator[int]:
        """An endless row of persons, the same for the same seed."""
        known, rng = sorted(self.people), random.Random(seed)
        return (rng.choice(known) for _ in itertools.count())


def _logical(reference: str) -> str:
    return reference.partition("/")[2]


def _wrong(answer: Response, status: int = OK) -> str | None:
    return None if answer.status == status else f"status {answer.status}"


def transactions(world: World) -> Iterator[Step]:
    """POST a Bundle of the seven resources of a new person, and keep their references."""
    return (_transaction(world, n) for n in world.fresh)


def _transaction(world: World, n: int) -> Step:
    body = json.dumps(bundle(n), separators=(",", ":")).encode()

    async def step(connection: Connection) -> str | None:
        answer = await connection.ask(world.ask("POST", "", body))
        if wrong := _wrong(answer):
            return wrong
        entries = json.loads(answer.body)["entry"]
        places = [entry["response"]["location"].split("/_history/")[0] for entry in entries]
        world.people[n] = ["/".join(place.rsplit("/", 2)[-2:]) for place in places]
        return None if len(places) == len(ORDER) else "entries"

    return step


def reads(world: World) -> Iterator[Step]:
    """GET one CarePlan by its id."""
    for n in world.any_person(1):
        reference = world.people[n][PLAN]
        yield _get(world, reference, f'"{_logical(reference)}"'.encode())


def pulls(world: World) -> Iterator[Step]:
    """GET the active plans of a person with their goals and team."""
    for n in world.any_person(2):
        person, *_, team = world.people[n][: TEAM + 1]
        wanted = _logical(team) if plan_status(n) == "active" else '"searchset"'
        yield _get(world, f"CarePlan?patient={_logical(person)}{PULL}", wanted.encode())


def goals(world: World) -> Iterator[Step]:
    """GET the active goals of a person."""
    for n in world.any_person(3):
        person, goal = world.people[n][PATIENT], world.people[n][GOAL]
        url = f"Goal?patient={_logical(person)}&lifecycle-status=active"
        yield _get(world, url, _logical(goal).encode())


def dated(world: World) -> Iterator[Step]:
    """GET the twenty plans with the latest dates since a day."""
    rng = random.Random(4)
    while True:
        day = date(2022, 1, 1) + timedelta(days=rng.randrange(1200))
        yield _get(world, f"CarePlan?date=ge{day}&_sort=-date&_count=20", b'"CarePlan"')


def histories(world: World) -> Iterator[Step]:
    """GET the versions of one CarePlan."""
    for n in world.any_person(5):
        yield _get(world, f"{world.people[n][PLAN]}/_history", b'"history"')


def _get(world: World, url: str, wanted: bytes) -> Step:
    async def step(connection: Connection) -> str | None:
        answer = await connection.ask(world.ask("GET", url))
        return _wrong(answer) or (None if wanted in answer.body else "content")

    return step


def updates(world: World) -> Iterator[Step]:
    """PUT the next version of a CarePlan, with If-Match; each person's in turn."""
    for n in itertools.cycle(sorted(world.people)):
        plan = resources(n, world.people[n])[PLAN]
        plan["id"] = _logical(world.people[n][PLAN])
        plan["description"] += f".{next(world.revisions)}"
        yield _update(world, n, json.dumps(plan, separators=(",", ":")).encode())


def _update(world: World, n: int, body: bytes) -> Step:
    async def step(connection: Connection) -> str | None:
        version = world.versions.get(n, 1)
        put = world.ask("PUT", world.people[n][PLAN], body, If_Match=f'W/"{version}"')
        wrong = _wrong(await connection.ask(put))
        world.versions[n] = version + (wrong is None)
        return wrong

    return step


def creates(world: World) -> Iterator[Step]:
    """POST one Goal for a person."""
    for n in world.any_person(6):
        goal = resources(n, world.people[n])[GOAL]
        yield _create(world, json.dumps(goal, separators=(",", ":")).encode())


def _create(world: World, body: bytes) -> Step:
    async def step(connection: Connection) -> str | None:
        return _wrong(await connection.ask(world.ask("POST", "Goal", body)), CREATED)

    return step


WORKLOADS = {
    "read": reads,
    "plan pull": pulls,
    "goal search": goals,
    "date-sorted search": dated,
    "history": histories,
    "update": updates,
    "create": creates,
    "transaction of 7": transactions,
}
