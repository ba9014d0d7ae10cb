"""What somebody writes takes nothing away that they are not shown, whatever it was made of."""

from typing import Any

import pytest

from app.fhir.change import Change
from app.fhir.commit import commit
from app.fhir.context import Context
from app.fhir.errors import Unprocessable
from tests.admitted import context, put
from tests.build import SUD, condition, organization, plan, reference
from tests.http.conftest import COUNTY, PARTNER, Service

DRUGS = reference("Condition/drugs")
NEED = reference("Condition/ada-need")
*AROUND, PLAN = plan(PARTNER, organization=COUNTY)


@pytest.fixture
async def member(service: Service) -> Context:
    """The partner, in Ada's team, is not shown what is about drugs."""
    engine = service.app.state.engine
    directory = [organization("county"), organization("partner")]
    world = [*directory, *AROUND, condition("drugs", **SUD), made(NEED, DRUGS)]
    await commit(context(engine), [put(each) for each in world])
    return context(engine, "partner-system", organization=PARTNER)


def made(*addresses: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Ada's plan, with these needs."""
    return {**PLAN, "addresses": [*addresses], **more}


def kept(resource: dict[str, Any]) -> Change:
    """Made of what is stored, as a patch and an operation are."""
    return put(resource, keeps=True)


async def test_what_is_made_of_what_is_stored_keeps_what_is_hidden(member: Context) -> None:
    for resource in (
        made(NEED, DRUGS, title="Ours"),
        made(NEED, DRUGS, contributor=[reference(PARTNER)]),
        made(DRUGS, title="Ours"),
    ):
        [done] = await commit(member, [kept(resource)])
        assert "Condition/drugs" in str(done.body)


@pytest.mark.parametrize("keeps", [True, False])
async def test_what_leaves_out_what_is_hidden_is_refused(member: Context, keeps: bool) -> None:
    change = put(made(NEED), keeps=keeps)
    with pytest.raises(Unprocessable) as refused:
        await commit(member, [change])
    assert "drugs" not in str(refused.value.issues)


async def test_what_is_hidden_twice_is_not_taken_away_once(member: Context) -> None:
    twice = made(NEED, DRUGS, supportingInfo=[DRUGS])
    operator = context(member.engine)
    await commit(operator, [put(twice)])
    with pytest.raises(Unprocessable):
        await commit(member, [kept(made(NEED, DRUGS))])


async def test_what_replaces_it_is_refused_whatever_it_repeats(member: Context) -> None:
    for resource in (made(NEED, DRUGS), made(NEED, reference("Condition/none"))):
        with pytest.raises(Unprocessable, match="does not show"):
            await commit(member, [put(resource)])


async def test_who_sees_all_may_take_away_all(service: Service, member: Context) -> None:
    county = context(service.app.state.engine, "provider-organization", organization=COUNTY)
    [done] = await commit(county, [put(made(NEED))])
    assert "Condition/drugs" not in str(done.body)
