"""A plan is judged by what is shown of it, and not by what is hidden in it."""

from typing import Any

import httpx

from tests.build import HL7, SUD, care_team, concept, goal, reference
from tests.http.conftest import Json, change, load
from tests.http.redacted import eyes

__all__ = ["eyes"]

INES: Json = {"resourceType": "RelatedPerson", "id": "ines", "patient": reference("Patient/ada")}
INES |= {"relationship": [concept(f"{HL7}/v3-RoleCode", "GUARD")], **SUD}
BESIDE = {"addresses": [reference("Condition/drugs")]}
"""Something is hidden in the goal in any case."""


async def judged(client: httpx.AsyncClient) -> Json:
    response = await client.get("/CarePlan/ada-plan/$isp-validate?date=2026-01-01")
    assert response.status_code == 200, response.text
    return dict(response.json())


async def shown(client: httpx.AsyncClient) -> list[Json]:
    """The plan and its goal, but for versions and times."""
    found = [(await client.get(f"/{name}")).json() for name in ("CarePlan/ada-plan", "Goal/wish")]
    for each in found:
        del each["meta"]["versionId"], each["meta"]["lastUpdated"]
    return found


async def test_what_is_judged_of_a_plan_does_not_tell_what_is_hidden_in_it(
    operator: httpx.AsyncClient, eyes: Any
) -> None:
    county, partner = eyes
    whole = (await county.get("/CarePlan/ada-plan")).json()
    goals = [reference("Goal/wish"), reference("Goal/sober")]
    await load(operator, INES, care_team(id_="covert", **SUD), goal("wish"))
    await load(operator, goal("wish", **BESIDE))
    bare = {name: each for name, each in whole.items() if name != "careTeam"} | {"goal": goals}
    bare = await change(operator, bare)
    clients = {"county": county, "partner": partner}
    before = {name: await judged(client) for name, client in clients.items()}
    seen = await shown(partner)
    await change(
        operator,
        bare,
        author=reference("RelatedPerson/ines"),
        careTeam=[reference("CareTeam/covert")],
    )
    await load(operator, goal("wish", expressedBy=reference("RelatedPerson/ines"), **BESIDE))
    assert await shown(partner) == seen
    assert await judged(partner) == before["partner"]
    assert await judged(county) != before["county"]
