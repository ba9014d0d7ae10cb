"""No valid plan, however odd, makes a check fail: it finds something, or it does not."""

import copy
from datetime import date
from typing import Any

import pytest

from app.fhir.validation.structure import validate
from app.isp.check import check
from app.isp.plan import assemble
from tests.build import reference
from tests.isp.test_checks import ALL
from tests.worlds.residential_dd import rosa
from tests.worlds.whole import TODAY, whole

Resource = dict[str, Any]


def judged(resources: list[Resource], id_: str, today: date = TODAY) -> int:
    return len(check(assemble(resources, id_), ALL, today))


@pytest.mark.parametrize("world", [whole(), rosa()], ids=lambda world: world.who)
def test_any_element_may_be_absent(world: Any) -> None:
    resources = world.all()
    for index, resource in enumerate(resources):
        for element in set(resource) - {"resourceType", "id"}:
            less = {key: value for key, value in resource.items() if key != element}
            if not validate(less, resource["resourceType"]):
                judged([*resources[:index], less, *resources[index + 1 :]], world.who)


@pytest.mark.parametrize("world", [whole(), rosa()], ids=lambda world: world.who)
def test_any_resource_may_be_absent(world: Any) -> None:
    resources = world.all()
    for index, resource in enumerate(resources):
        if resource["resourceType"] != "CarePlan" or resource["id"] != world.who:
            judged([*resources[:index], *resources[index + 1 :]], world.who)


@pytest.mark.parametrize("today", [date.min, date.max])
@pytest.mark.parametrize("edge", ["0001-01-01", "9999-12-31"])
def test_any_day_may_be_at_the_edge_of_the_calendar(today: date, edge: str) -> None:
    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(one) for key, one in value.items()}
        if isinstance(value, list):
            return [moved(one) for one in value]
        return edge if isinstance(value, str) and value.startswith("202") else value

    judged([moved(one) for one in whole().all()], "ada", today)


def test_a_long_chain_of_plans_and_goals_is_walked_through() -> None:
    resources = whole().all()
    [plan] = [one for one in resources if one["id"] == "ada" and "intent" in one]
    [step] = [one for one in resources if one["id"] == "trial"]
    above = "ada"
    for number in range(1000):
        own = f"part-{number}"
        resources.append({**plan, "id": own, "partOf": [reference(f"CarePlan/{above}")]})
        above = own
    for number in range(200):
        longer = copy.deepcopy(step)
        longer["id"] = f"trial-{number}"
        longer["extension"][-1]["extension"][-1]["valueReference"] = reference("Goal/job")
        resources.append(longer)
    made = assemble(resources, "ada")
    assert len(made.parts) == 1002
    assert len(made.goals) == 204
    check(made, ALL, TODAY)
