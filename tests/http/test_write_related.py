"""A Consent may permit whatever a resource refers to: nobody opens more by referring to more."""

import httpx
import pytest

from tests.build import SUD, concept, consent, goal, reference
from tests.http.conftest import PARTNER, Json, load, refused, serving

CONSENTACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
PLAN = "/CarePlan/ada-plan"


def paper(id_: str, meaning: str, target: str, category: str) -> Json:
    """The partner may see and correct what is named."""
    made = consent(PARTNER, id_=id_, category=[concept("http://loinc.org", category)])
    actions = [concept(CONSENTACTION, code) for code in ("access", "correct")]
    data = [{"meaning": meaning, "reference": reference(target)}]
    made["provision"] |= {"action": actions, "data": data}
    return made


@pytest.fixture
async def permitted(operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str) -> None:
    await load(
        operator,
        goal("secret", **SUD),
        paper("plan", "related", "CarePlan/ada-plan", "57016-8"),
        paper("person", "instance", "Patient/ada", "64292-6"),
    )


@pytest.mark.parametrize("target", ["Goal/secret", "Goal/never-was"])
async def test_a_reference_to_the_hidden_opens_nothing_where_references_may_lead_nowhere(
    dsn: str, permitted: None, target: str
) -> None:
    async with serving(dsn, references="lenient") as lenient:
        partner = await lenient.as_("partner-system", PARTNER)
        plan = (await partner.get(PLAN)).json()
        more = plan | {"goal": [*plan["goal"], reference(target)]}
        refused(await partner.put(PLAN, json=more), 422, "not-found", "CarePlan.goal[2]")
        patch = [{"op": "add", "path": "/goal/-", "value": reference(target)}]
        kind = {"Content-Type": "application/json-patch+json"}
        answer = await partner.patch(PLAN, json=patch, headers=kind)
        refused(answer, 422, "not-found", "CarePlan.goal[2]")
        refused(await partner.get("/Goal/secret"), 404, "not-found")
        assert (await partner.put(PLAN, json=plan | {"title": "Ours"})).status_code == 200


async def test_what_nobody_names_may_refer_to_nothing_there(
    dsn: str, operator: httpx.AsyncClient, permitted: None
) -> None:
    await load(operator, paper("goal", "instance", "Goal/ada-goal-1", "59284-0"))
    async with serving(dsn, references="lenient") as lenient:
        partner = await lenient.as_("partner-system", PARTNER)
        own = (await partner.get("/Goal/ada-goal-1")).json()
        own |= {"addresses": [reference("Condition/never-was")]}
        assert (await partner.put("/Goal/ada-goal-1", json=own)).status_code == 200
