"""The leak matrix: every exit, every reason to hide.

The world with the hidden resources must answer byte for byte as the world without them.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from app.fhir.dispatch import ROUTES
from app.fhir.routing import route
from app.main import OPERATIONS
from app.storage.database import Database
from tests.build import (
    HL7,
    care_plan,
    care_team,
    condition,
    consent,
    goal,
    organization,
    patient,
    plan,
    reference,
)
from tests.http.conftest import COUNTY, PARTNER, Json, Service, load, serving
from tests.security.answers import answer
from tests.security.exits import BY_HAND, Exit, entries, referring, showing, switchboard, writing

ELSEWHERE = "Organization/elsewhere"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is hidden: the token of the caller, and what they do not see."""

    scope: str
    hidden: list[Json]
    patient: str | None = None


def about(person: str, *more: Json) -> list[Json]:
    """The secret: resources of every kind about a person, and pointing at what is not secret."""
    who = f"Patient/{person}"
    return [
        condition("secret", who),
        goal("secret", who, startDate="1999-01-01", lifecycleStatus="completed"),
        care_plan("Goal/ada-goal-1", "Goal/secret", id_="secret", patient=who)
        | {"status": "revoked", "addresses": [reference("Condition/secret")]},
        task("secret", who, focus=reference("Goal/ada-goal-1")),
        task("secret-part", who, focus=reference("CarePlan/ada-plan"))
        | {"partOf": [reference("Task/secret")]},
        {"resourceType": "List", "id": "secret", "status": "current", "mode": "working"}
        | {"subject": reference(who), "entry": [{"item": reference("Goal/ada-goal-1")}]},
        *more,
    ]


def task(id_: str, who: str, **elements: Json) -> Json:
    made: Json = {"resourceType": "Task", "id": id_, "status": "requested", "intent": "plan"}
    return made | {"for": reference(who)} | elements


def labelled(resources: list[Json]) -> list[Json]:
    """The same, told to be about substance use, which the team does not see."""
    sud = {"security": [{"system": f"{HL7}/v3-ActCode", "code": "SUD"}]}
    return [{**each, "meta": sud} for each in resources]


EVE = patient("eve", ELSEWHERE)
TEAM = care_team(PARTNER, id_="eve-team", patient="Patient/eve")
DENIED = consent(PARTNER, "deny", id_="eve-no", patient="Patient/eve")
ALL = "system/*.cruds"
NARROW = (
    "system/Patient.cruds system/Organization.rs system/Goal.cruds?lifecycle-status=active"
    " system/CarePlan.cruds?status=active system/Condition.cruds?clinical-status=resolved"
)
REASONS = {
    "another organization": Reason(ALL, [EVE, *about("eve")]),
    "a refusal": Reason(ALL, [EVE, TEAM, DENIED, *about("eve")]),
    "an ended membership": Reason(ALL, [EVE, TEAM | {"status": "inactive"}, *about("eve")]),
    "the scope": Reason(NARROW, about("ada")),
    "a label": Reason(ALL, labelled(about("ada"))),
    "the compartment": Reason("patient/*.cruds", [EVE, TEAM, *about("eve")], "ada"),
}


@pytest.fixture
async def operator(dsn: str, service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """Loads the world without the secret, in which Ada's plan points at it all the same."""
    async with serving(dsn, references="lenient") as lenient:
        client = await lenient.as_("operator")
        await load(client, *(organization(name) for name in ("county", "partner", "elsewhere")))
        *ada, mine = plan(PARTNER, organization=COUNTY)
        mine["goal"].append(reference("Goal/secret"))
        mine["addresses"].append(reference("Condition/secret"))
        mine["careTeam"].append(reference("CareTeam/eve-team"))
        await load(client, *ada, mine)
        yield client


async def caller(service: Service, reason: Reason) -> httpx.AsyncClient:
    claims = {"patient": reason.patient} if reason.patient else {}
    return await service.as_("partner-system", PARTNER, reason.scope, **claims)


@pytest.mark.parametrize("name", REASONS)
async def test_the_hidden_leaves_no_trace(
    service: Service, database: Database, operator: httpx.AsyncClient, name: str
) -> None:
    client = await caller(service, REASONS[name])
    ways: list[Exit] = [*showing(), *writing(), *referring(), *switchboard()]
    without = [await answer(client, way) for way in ways]
    await load(operator, *REASONS[name].hidden)
    # The planner learns of the hidden, and may go about it another way; the answer is the same.
    await database.execute("ANALYZE")
    for way, before in zip(ways, without, strict=True):
        assert await answer(client, way) == before, f"{way} tells of what is hidden by {name}"


async def test_every_exit_would_show_it_to_who_may_see(operator: httpx.AsyncClient) -> None:
    """Or the matrix would prove nothing."""
    ways = showing()
    without = [await answer(operator, way) for way in ways]
    await load(operator, EVE, TEAM, *about("eve"))
    for way, before in zip(ways, without, strict=True):
        assert await answer(operator, way) != before, f"{way} shows the secret to nobody"


async def test_the_caller_of_the_matrix_sees_what_is_not_hidden(
    service: Service, operator: httpx.AsyncClient
) -> None:
    for reason in REASONS.values():
        client = await caller(service, reason)
        response = await client.get("/CarePlan/ada-plan")
        assert response.status_code == 200
        found = await client.get("/Goal?_summary=count")
        assert found.json()["total"] == 2


async def test_the_audit_trail_does_not_tell_of_the_hidden(
    service: Service, operator: httpx.AsyncClient
) -> None:
    await load(operator, EVE, *about("eve"))
    await operator.get("/Goal?_sort=_id")
    await operator.get("/Patient/eve")
    await (await service.as_("partner-system", PARTNER)).get("/Goal?_sort=_id")
    officer = await service.as_("privacy-officer", PARTNER)
    response = await officer.get("/AuditEvent?_count=1000")
    assert "Patient/ada" in response.text
    for name in ("Patient/eve", "Goal/secret", "CarePlan/secret"):
        assert name not in response.text


TRAIL = [
    f"?_total=accurate&_count=1{more}"
    for more in (
        "",
        "&outcome=4",
        "&outcome:not=0",
        "&patient=Patient/ada",
        "&entity=Goal/secret",
        "&action=C,U,D",
        "&entity:missing=true",
    )
]


@pytest.mark.parametrize("name", REASONS)
async def test_the_trail_of_who_was_refused_is_the_same_without_the_hidden(
    service: Service, operator: httpx.AsyncClient, name: str
) -> None:
    """Whoever tries ids and then looks into the trail learns of none, nor of what others did."""
    reason = REASONS[name]
    claims = {"patient": reason.patient} if reason.patient else {}
    client = await service.as_("privacy-officer", PARTNER, reason.scope, **claims)
    ways = [way for way in (*showing(), *writing()) if "secret" in f"{way.url}{way.body}"]
    ways = [way for way in ways if way.url != "/"]

    async def learned() -> list[int]:
        """After the same attempts; each look leaves an event, so that ids and instants go."""
        for way in ways:
            headers = dict(way.headers)
            await client.request(way.method, way.url, json=way.body, headers=headers)
        found = [(await client.get(f"/AuditEvent{asked}")).json() for asked in TRAIL]
        return [told(each) for each in found]

    first = await learned()
    second = await learned()
    await load(operator, *reason.hidden)
    await operator.get("/Goal?_count=100")
    third = await learned()
    grown = [more - less for less, more in zip(first, second, strict=True)]
    assert [more - less for less, more in zip(second, third, strict=True)] == grown


def told(found: Json) -> int:
    """How many events there are, as far as a page tells."""
    if "total" in found:
        return int(found["total"])
    return len(found.get("entry", []))


def test_every_interaction_and_every_operation_has_an_exit() -> None:
    """Or a new one could be forgotten: those that do not follow from their row are written down."""
    ways = [*showing(), *writing(), *referring(), *switchboard()]
    asked = {(way.method, way.url) for way in ways} | entries(ways)
    rows, named = set(), set()
    for method, url in asked - {("HEAD", "/Goal/secret")}:
        row, found = route(ROUTES, method, url.partition("?")[0])
        rows.add((row.method, row.path))
        named |= {found.operation, f"{found.type}/{found.operation}"}
    levels = {row.path for row in ROUTES if row.interaction == "operation"}
    open_ = {(row.method, row.path) for row in ROUTES} - rows
    assert {path for _, path in open_} <= levels - {path for _, path in rows}
    assert named >= set(OPERATIONS)
    assert {row.interaction for row in ROUTES} >= BY_HAND
