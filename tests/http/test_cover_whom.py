"""What a new member of a care team is already known by has to be about this person, and of now."""

import httpx
import pytest

from tests.build import care_team, consent, patient, related_person
from tests.http.conftest import COUNTY, PARTNER, Json, load
from tests.http.test_cover import keeper, record

__all__ = ["keeper", "record"]

PARENT = "RelatedPerson/parent"


async def is_let_in(keeper: httpx.AsyncClient, member: str) -> bool:
    answer = await keeper.put("/CareTeam/ada-team", json=care_team(member))
    assert answer.status_code in (200, 422)
    return answer.status_code == 200


@pytest.mark.parametrize(
    "paper",
    [
        consent(PARTNER, patient="Patient/ben"),
        care_team(PARTNER, id_="ben-team", patient="Patient/ben"),
        patient("ben", PARTNER),
    ],
    ids=lambda paper: paper["resourceType"],
)
async def test_what_opens_somebody_elses_record_covers_nobody(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient, paper: Json
) -> None:
    await load(record, patient("ben", COUNTY))
    await load(record, paper)
    assert not await is_let_in(keeper, PARTNER)


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ({"start": "2020-01-01"}, True),
        ({"end": "2024-12-31"}, False),
        ({"start": "2090-01-01"}, False),
    ],
)
async def test_a_guardian_is_covered_while_they_are_one(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient, period: Json, expected: bool
) -> None:
    await load(record, related_person("parent", role="GUARD", period=period))
    assert await is_let_in(keeper, PARENT) == expected


async def test_a_guardian_with_the_id_of_the_team_is_covered(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient
) -> None:
    """Of teams, that which is changed is no ground; a relative who is called alike is."""
    await load(record, related_person("ada-team", role="GUARD"))
    assert await is_let_in(keeper, "RelatedPerson/ada-team")


async def test_a_member_of_another_team_of_the_person_is_covered(
    record: httpx.AsyncClient, keeper: httpx.AsyncClient
) -> None:
    await load(record, care_team(PARTNER, id_="other-team"))
    assert await is_let_in(keeper, PARTNER)
