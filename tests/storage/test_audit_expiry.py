"""What is old enough leaves the audit trail, and nothing else does."""

from datetime import UTC, datetime

import pytest

from app.storage.audit_chain import seal
from app.storage.audit_verify import expire, verify, years_before
from app.storage.database import Database
from tests.storage.audit_trail import COPY, now, problems, record, sealed, tamper

__all__ = ["sealed"]


async def test_what_is_old_enough_goes_and_the_chain_holds(sealed: Database) -> None:
    ahead = now().replace(year=now().year + 7, day=1)
    assert await expire(sealed, now()) == 0
    await expired_until(sealed, ahead, 9)
    await record(sealed, "new")
    await seal(sealed)
    verdict = await verify(sealed, ahead)
    assert (verdict.seals, verdict.events, verdict.expired, verdict.problems) == (4, 1, 9, [])


async def expired_until(database: Database, at: datetime, count: int) -> None:
    assert await expire(database, at) == count


async def test_who_expires_what_is_young_is_found(sealed: Database) -> None:
    ahead = now().replace(year=now().year + 7, day=1)
    await expired_until(sealed, ahead, 9)
    found = await problems(sealed)
    assert found == [f"the events of seal {n} were removed before their time" for n in (1, 2, 3)]


async def test_what_is_put_under_an_expired_seal_is_named(sealed: Database) -> None:
    ahead = now().replace(year=now().year + 7, day=1)
    rid = await sealed.fetchval("SELECT min(rid) FROM audit_event")
    await expired_until(sealed, ahead, 9)
    await record(sealed, "new")
    await tamper(sealed, COPY, rid, ahead)
    found = (await verify(sealed, ahead)).problems
    assert found == ["AuditEvent/forged was put under expired seal 1"]


async def test_less_than_the_law_asks_for_is_refused(sealed: Database) -> None:
    with pytest.raises(ValueError, match="6 years"):
        await expire(sealed, now(), 5)


def test_years_are_counted_by_the_calendar() -> None:
    leap = datetime(2028, 2, 29, tzinfo=UTC)
    assert years_before(leap, 6) == datetime(2022, 2, 28, tzinfo=UTC)
