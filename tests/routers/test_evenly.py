"""app/routers/evenly.py: nothing to show takes as long whatever there is that is not shown."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fhir.context import Result
from app.routers.evenly import Evenly, is_blank
from tests.http.conftest import COUNTY, Service, service

__all__ = ["service"]

STEPS = {0.004 * 2**power for power in range(14)}


@given(st.floats(min_value=0, max_value=30))
def test_an_answer_leaves_at_a_step_and_never_before_it_is_there(elapsed: float) -> None:
    leaves = elapsed + Evenly(0.004).rest(elapsed)
    assert leaves >= elapsed
    assert min(abs(leaves - step) for step in STEPS) < 1e-9


def test_the_wait_is_never_longer_than_the_answer_took_or_one_step() -> None:
    for elapsed in (0.0, 0.001, 0.004, 0.0041, 0.5, 3.0):
        assert Evenly(0.004).rest(elapsed) <= max(elapsed, 0.004)


def test_without_a_step_nothing_waits() -> None:
    assert Evenly(0).rest(0.5) == 0


@pytest.mark.parametrize(
    ("interaction", "patients", "blank"),
    [
        ("search-type", (), True),
        ("search-type", ("ada",), False),
        ("batch", ("ada",), True),
        ("delete", (), True),
        ("read", (), False),
        ("capabilities", (), False),
    ],
)
def test_only_what_shows_nobody_waits(
    interaction: str, patients: tuple[str, ...], blank: bool
) -> None:
    assert is_blank(interaction, Result(200, patients=patients)) is blank


async def test_a_refusal_is_not_answered_before_the_first_step(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is one that nobody else has: what is waited for is asked, not how long it took."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    client = await service.as_("provider-organization", COUNTY)
    await client.get("/Goal/none")
    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    for url in ("/Goal/none", "/Goal?patient=none", "/none"):
        await client.get(url)
    assert waited.count(service.settings.even_milliseconds / 1000) == 3
