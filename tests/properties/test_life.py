"""Whatever is asked for, in whatever order, alone or at once: a plan in force lacks nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.fhir.instant import to_text
from app.isp.codes import ISP
from tests.build import care_team, concept, goal, organization, patient, reference
from tests.http.conftest import COUNTY, Service, load, serving
from tests.http.plan_life import draft, review
from tests.properties.plans import astray, broken

Json = dict[str, Any]
EMPTY: Json = {"resourceType": "Parameters"}
PLANS = ("one", "two", "bare")
TASK_STATES = ("cancelled", "completed", "requested")
STATES = ("draft", "active", "on-hold", "completed", "revoked", "entered-in-error")
number = count()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with two signed drafts and a bare one; who works for them, and they themselves."""

    id: str
    worker: httpx.AsyncClient
    own: httpx.AsyncClient


@dataclass(frozen=True, slots=True)
class Step:
    """Something that somebody tries: what, with which plan, and which of several ways."""

    what: str
    plan: str
    way: int


async def _get(person: Person, url: str) -> Json | None:
    response = await person.worker.get(url)
    found: Json = response.json()
    return found if response.status_code == 200 else None


async def _put(person: Person, resource: Json | None, **elements: Any) -> httpx.Response | None:
    if resource is None:
        return None
    made = {k: v for k, v in (resource | elements).items() if v is not None}
    url = f"/{made['resourceType']}/{made['id']}"
    return await person.worker.put(url, json=made)


CALLS: dict[str, tuple[Sequence[str], dict[str, str]]] = {
    "move": (("activate", "suspend", "revoke", "activate"), {"reason": "So."}),
    "review": (("review",), {}),
    "renew": (("renew",), {}),
    "discharge": (("discharge",), {"reason": "So.", "summary": "Well."}),
    "ask": (("request-review",), {"reason": "I want to."}),
    "sign": (("sign",), {}),
    "propose": (("propose",), {}),
}


async def _call(person: Person, plan: Json | None, id_: str, step: Step) -> httpx.Response:
    names, given = CALLS[step.what]
    parts = [{"name": name, "valueString": value} for name, value in given.items()]
    body = EMPTY | ({"parameter": parts} if parts else {})
    headers = {"If-Match": f'W/"{plan["meta"]["versionId"]}"'} if plan else {}
    client = person.own if step.what == "sign" else person.worker
    url = f"/CarePlan/{id_}/$isp-{names[step.way % len(names)]}"
    return await client.post(url, json=body, headers=headers)


async def _put_forward(person: Person, id_: str, way: int) -> httpx.Response | None:
    """Say of a draft that it is put before those who sign, or taken back, as any client can."""
    plan = await _get(person, f"/CarePlan/{id_}")
    if plan is None or plan["status"] != "draft":
        return None
    version = f"CarePlan/{id_}/_history/{plan['meta']['versionId']}"
    said: Json = {"resourceType": "Provenance", "target": [reference(version)]}
    said |= {"activity": concept(ISP, ("withdraw", "propose")[way % 2])}
    said |= {"recorded": to_text(datetime.now(UTC)), "agent": [{"who": reference(COUNTY)}]}
    return await person.worker.post("/Provenance", json=said)


EDITS: Sequence[Json] = ({"period": None}, {"careTeam": None}, {"title": "New"})


async def perform(person: Person, step: Step) -> httpx.Response | None:
    """Try it; whatever comes back but a failure of the server is well."""
    id_, who, way = f"{person.id}-{step.plan}", f"Patient/{person.id}", step.way
    urls = (f"/CarePlan/{id_}", f"/Task/{id_}-review", f"/CareTeam/{person.id}-team")
    if step.what in CALLS:
        return await _call(person, await _get(person, urls[0]), id_, step)
    if step.what == "put":
        return await _put_forward(person, id_, way)
    if step.what == "delete":
        return await person.worker.delete(urls[way % 3])
    edits: dict[str, tuple[Json | None, Json]] = {
        "status": (await _get(person, urls[0]), {"status": STATES[way % len(STATES)]}),
        "edit": (await _get(person, urls[0]), EDITS[way % 3]),
        "task": (await _get(person, urls[1]), {"status": TASK_STATES[way % 3]}),
        "team": (await _get(person, urls[2]), {"status": ("inactive", "active")[way % 2]}),
        "goal": (goal(f"{person.id}-goal", who), {"note": [{"text": str(way)}]}),
    }
    resource, elements = edits[step.what]
    return await _put(person, resource, **elements)


WHAT = ("status", "move", "sign", "edit", "goal", "team", "task", "delete", "review", "renew")
STEPS = st.builds(
    Step,
    st.sampled_from((*WHAT, "move", "sign", "discharge", "ask")),
    st.sampled_from(PLANS),
    st.integers(0, 11),
)
ALONE = st.one_of(STEPS, st.builds(Step, st.just("put"), st.sampled_from(PLANS), st.integers(0, 1)))
"""Of what is said at once nobody can tell which came first."""


@pytest.fixture(scope="module")
async def running(dsn: str) -> AsyncIterator[Service]:
    async with serving(dsn) as service:
        await load(await service.as_("operator"), organization("county"))
        yield service


async def newcomer(service: Service) -> Person:
    """Somebody with an id of their own, so that many fit into one database."""
    id_, operator = f"life{next(number)}", await service.as_("operator")
    who, goals = f"Patient/{id_}", [reference(f"Goal/{id_}-goal")]
    frame = {"patient": who, "goal": goals, "careTeam": [reference(f"CareTeam/{id_}-team")]}
    plans = [draft(f"{id_}-{name}", **frame) for name in PLANS]
    tasks = [review(f"{id_}-{name}") | {"for": reference(who)} for name in PLANS[:2]]
    people = [patient(id_, COUNTY), care_team(id_=f"{id_}-team", patient=who)]
    await load(operator, *people, goal(f"{id_}-goal", who), *plans, *tasks)
    own = await service.as_("individual", None, "patient/*.cruds", fhir_user=who, patient=id_)
    person = Person(id_, await service.as_("provider-organization", COUNTY), own)
    for name in PLANS[:2]:
        signed = await person.own.post(f"/CarePlan/{id_}-{name}/$isp-sign", json=EMPTY)
        assert signed.status_code == 201, signed.text
    return person


async def _found(client: httpx.AsyncClient, url: str) -> list[Json]:
    response = await client.get(f"{url}&_count=500")
    assert response.status_code == 200, response.text
    return [entry["resource"] for entry in response.json().get("entry", [])]


async def check(service: Service, person: Person) -> None:
    """What the operator sees of the person, now and in the histories of the plans."""
    operator = await service.as_("operator")
    plans = await _found(operator, f"/CarePlan?patient={person.id}")
    world = list(plans)
    for url in (
        f"/CareTeam?patient={person.id}",
        f"/Task?patient={person.id}",
        f"/Provenance?target={','.join('CarePlan/' + plan['id'] for plan in plans)}",
    ):
        world += await _found(operator, url) if plans else []
    assert list(broken(world, datetime.now(UTC).date())) == []
    for plan in plans:
        history = (await operator.get(f"/CarePlan/{plan['id']}/_history")).json()["entry"]
        states = [one["resource"]["status"] for one in reversed(history) if "resource" in one]
        assert astray(states) == []


def is_well(response: httpx.Response | None) -> bool:
    return response is None or response.status_code < 500


FEW = settings(
    max_examples=6,
    # To shorten what went wrong would take longer than to read it.
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FEW
@given(steps=st.lists(ALONE, min_size=8, max_size=20))
async def test_no_sequence_of_steps_breaks_an_invariant(
    running: Service, steps: Sequence[Step]
) -> None:
    person = await newcomer(running)
    for step in steps:
        response = await perform(person, step)
        assert is_well(response), (step, response and response.text)
        await check(running, person)


@FEW
@given(rounds=st.lists(st.lists(STEPS, min_size=3, max_size=5), min_size=2, max_size=5))
async def test_no_steps_at_once_break_an_invariant(
    running: Service, rounds: Sequence[Sequence[Step]]
) -> None:
    person = await newcomer(running)
    for steps in rounds:
        answers = await asyncio.gather(*(perform(person, step) for step in steps))
        assert all(map(is_well, answers)), [one and one.text for one in answers]
        await check(running, person)


async def check_taken_back(running: Service) -> None:
    """What was signed and taken back begins when it is put forward again."""
    person = await newcomer(running)
    steps = (("put", 0, 201), ("move", 0, 422), ("put", 1, 201), ("move", 0, 200))
    for what, way, expected in steps:
        response = await perform(person, Step(what, "one", way))
        assert response is not None
        assert response.status_code == expected, response.text
    await check(running, person)


async def test_the_steps_lead_through_a_whole_life(running: Service) -> None:
    """The judge would see nothing, if nothing ever came into force."""
    person = await newcomer(running)
    life = [("move", "one", 0), ("move", "one", 1), ("move", "one", 3), ("renew", "one", 0)]
    for what, plan, way in (*life, ("status", "two", 1), ("move", "one", 2), ("move", "two", 0)):
        response = await perform(person, Step(what, plan, way))
        expected = 422 if (what, plan) == ("status", "two") else 200 + (what == "renew")
        assert response is not None
        assert response.status_code == expected, response.text
    await check(running, person)
    unsigned = {"id": "x", "resourceType": "CarePlan", "status": "active", "category": "none"}
    found = list(broken([unsigned, unsigned], datetime.now(UTC).date()))
    assert found[0] == "two plans in force"
    assert len(found) == 11
    await check_taken_back(running)
    assert astray(["draft", "active", "draft"]) == [("active", "draft")]
