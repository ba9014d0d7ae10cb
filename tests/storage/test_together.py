"""app/storage/together.py: many who ask the same, in one statement, and each hears its own."""

import asyncio
from typing import Any

import asyncpg
import pytest
from asyncpg import Record

from app.storage.database import Database, DatabaseAway
from app.storage.together import MOST, SLOW, Together, Types, of_all

TIMES = "SELECT n, $1::int AS of FROM generate_series(1, $2::int) AS n ORDER BY n DESC"


class Asked:
    """A line over a real database, and the statements that it sent."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.sent: list[str] = []
        self.described: list[str] = []
        self.together = Together(self._fetch, self._describe)

    async def _fetch(self, sql: str, values: tuple[Any, ...]) -> list[Record]:
        self.sent.append(sql)
        return await self._database.fetch(sql, *values)

    async def _describe(self, sql: str) -> Types:
        self.described.append(sql)
        async with self._database.acquire() as connection:
            return tuple(each.name for each in (await connection.prepare(sql)).get_parameters())

    async def each(self, sql: str, *values: tuple[Any, ...]) -> list[Any]:
        """What each of these callers, who ask at the same time, is told."""
        asked = (self.together.fetch(sql, each) for each in values)
        return await asyncio.gather(*asked, return_exceptions=True)


@pytest.fixture
def asked(database: Database) -> Asked:
    return Asked(database)


async def test_each_caller_has_its_own_rows_in_their_order(asked: Asked) -> None:
    found = await asked.each(TIMES, *((of, of % 5) for of in range(100)))
    for of, rows in enumerate(found):
        assert [row["n"] for row in rows] == list(range(of % 5, 0, -1))
        assert {row["of"] for row in rows} <= {of}


async def test_many_callers_take_few_statements(asked: Asked) -> None:
    await asked.each(TIMES, *((of, 1) for of in range(1 + 2 * MOST)))
    assert len(asked.sent) == 3


async def test_who_asks_alone_asks_the_statement_itself(asked: Asked) -> None:
    for of in range(3):
        assert len(await asked.together.fetch(TIMES, (of, 2))) == 2
    assert asked.sent == [TIMES] * 3


async def test_callers_with_other_lists_are_not_answered_together(asked: Asked) -> None:
    sql = "SELECT v FROM unnest($1::text[]) AS v WHERE v <> $2"
    callers = [(["a", "b"], "a"), (["c", "d"], "c"), (["a", "b"], "b"), (["c", "d"], "x")] * 5
    found = await asked.each(sql, *callers)
    assert [[row["v"] for row in rows] for rows in found] == [["b"], ["d"], ["a"], ["c", "d"]] * 5


async def test_callers_with_the_same_values_are_told_the_same(asked: Asked) -> None:
    sql = "SELECT cardinality($1::int[]) AS size"
    callers = 1 + MOST
    assert await asked.each(sql, *(([1, 2],) for _ in range(callers))) == [[(2,)]] * callers
    assert len(asked.sent) == 2


async def test_a_value_of_one_caller_is_no_fault_of_the_others(asked: Asked) -> None:
    sql = "SELECT 6 / $1::int AS quotient"
    found = await asked.each(sql, (1,), (2,), (0,), (3,), ("three",), (6,))
    assert [found[at][0]["quotient"] for at in (0, 1, 3, 5)] == [6, 3, 2, 1]
    assert isinstance(found[2], asyncpg.DivisionByZeroError)
    assert isinstance(found[4], asyncpg.DataError)


async def test_whoever_asks_after_a_commit_sees_it(asked: Asked, database: Database) -> None:
    await database.execute("INSERT INTO shared_secret (name, value) VALUES ('n', '0')")
    sql = "SELECT value FROM shared_secret WHERE name = $1"

    async def write_and_read(each: int) -> None:
        async with database.transaction() as connection:
            before = int(
                await connection.fetchval(
                    "UPDATE shared_secret SET value = (convert_from(value, 'UTF8')::int + 1)::text"
                    "::bytea WHERE name = 'n' RETURNING convert_from(value, 'UTF8')"
                )
            )
        for rows in await asked.each(sql, *[("n",)] * 3):
            assert int(rows[0]["value"]) >= before, each

    await asyncio.gather(*map(write_and_read, range(60)))
    assert any(sql != each for each in asked.sent)


async def test_a_caller_that_gives_up_keeps_nobody_waiting(asked: Asked) -> None:
    tasks = [asyncio.create_task(asked.together.fetch(TIMES, (of, 1))) for of in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::3]:
        task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    for of, rows in enumerate(found):
        if of % 3:
            assert [row["of"] for row in rows] == [of]
        else:
            assert isinstance(rows, asyncio.CancelledError)
    assert len(await asked.together.fetch(TIMES, (1, 1))) == 1


async def test_a_turn_that_takes_long_has_another_beside_it(asked: Asked) -> None:
    sql = "SELECT pg_sleep($1::float8), $2::int AS of"
    long = asyncio.create_task(asked.together.fetch(sql, (30.0, 0)))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(20):
        assert (await asked.together.fetch(sql, (0.0, 1)))[0]["of"] == 1
    long.cancel()
    await asyncio.gather(long, return_exceptions=True)


async def test_whoever_came_before_a_turn_took_long_has_another_too(asked: Asked) -> None:
    sql = "SELECT pg_sleep($1::float8), $2::int AS of"
    long = asyncio.create_task(asked.together.fetch(sql, (30.0, 0)))
    async with asyncio.timeout(20):
        found = await asked.each(sql, *((0.0, of) for of in range(1, 4)))
    assert [rows[0]["of"] for rows in found] == [1, 2, 3]
    long.cancel()
    await asyncio.gather(long, return_exceptions=True)


async def test_what_takes_too_long_is_not_asked_again(dsn: str) -> None:
    database = await Database.open(dsn, statement_timeout=2)
    asked = Asked(database)
    found = await asked.each("SELECT pg_sleep($1::float8)", *((0.8,) for _ in range(4)))
    await database.close()
    assert len(found[0]) == 1
    assert all(isinstance(each, asyncpg.QueryCanceledError) for each in found[1:])
    assert len(asked.sent) == 2


async def test_all_hear_that_the_database_is_away(dsn: str) -> None:
    database = await Database.open(f"{dsn}_that_is_not_there")
    found = await Asked(database).each(TIMES, *((of, 1) for of in range(10)))
    await database.close()
    assert all(isinstance(each, DatabaseAway) for each in found)


async def test_a_line_is_gone_when_nobody_waits(asked: Asked) -> None:
    await asked.each(TIMES, *((of, 1) for of in range(50)))
    assert asked.together._lines == {}
    assert asked.together._turns == set()


def test_the_statement_for_many_takes_each_value_from_where_it_belongs() -> None:
    found = of_all("SELECT $2, $1 WHERE $3 = ANY($1) AND $11", ("text[]", *["text"] * 10))
    assert found.lists == [0]
    assert found.columns == list(range(1, 11))
    assert "(SELECT q_.of_2, $1 WHERE q_.of_3 = ANY($1) AND q_.of_11)" in found.sql


async def test_one_timer_watches_a_line_and_ends_with_it(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, begun = asyncio.get_running_loop(), []

    def call_later(delay: float, *call: Any) -> asyncio.TimerHandle:
        if delay == SLOW:
            begun.append(loop.call_at(loop.time() + 3600, *call))
            return begun[-1]
        return loop.call_at(loop.time() + delay, *call)

    monkeypatch.setattr(loop, "call_later", call_later)
    found = await asked.each(TIMES, *((of, 1) for of in range(4)))
    assert [rows[0]["of"] for rows in found] == [0, 1, 2, 3]
    assert [timer.cancelled() for timer in begun] == [True]


async def test_a_turn_that_ends_before_a_longer_one_leaves_it_alone(asked: Asked) -> None:
    sql = "SELECT pg_sleep($1::float8), $2::int AS of"
    found = await asked.each(sql, *((0.3 if of == 0 else 0.0, of) for of in range(3)))
    assert [rows[0]["of"] for rows in found] == [0, 1, 2]
    assert len(await asked.together.fetch(sql, (0.0, 1))) == 1


async def test_the_types_of_a_text_are_learned_once_and_of_so_many_texts(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.together.TEXTS", 2)
    texts = [f"SELECT {number}, $1::int AS of" for number in range(3)]
    for text in (*texts[:2], texts[0], texts[1]):
        await asked.each(text, *((of,) for of in range(4)))
    assert asked.described == texts[:2]
    for text in (texts[2], texts[0]):
        await asked.each(text, *((of,) for of in range(4)))
    assert asked.described == [*texts, texts[0]]


@pytest.mark.parametrize("is_away", [True, False])
async def test_who_gives_up_in_a_turn_keeps_nothing_from_the_others(is_away: bool) -> None:
    goes_on = asyncio.Event()

    async def fetch(sql: str, values: tuple[Any, ...]) -> list[Any]:
        await goes_on.wait()
        if is_away:
            raise DatabaseAway
        return [] if sql == "SELECT $1" else [{"at_": 1}, {"at_": 2}]

    async def describe(sql: str) -> Types:
        return ("int4",)

    together = Together(fetch, describe)
    callers = [asyncio.create_task(together.fetch("SELECT $1", (of,))) for of in range(3)]
    await asyncio.sleep(2 * SLOW)
    callers[1].cancel()
    goes_on.set()
    first, second, third = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(second, asyncio.CancelledError)
    if is_away:
        assert isinstance(first, DatabaseAway)
        assert isinstance(third, DatabaseAway)
    else:
        assert (first, third) == ([], [{"at_": 2}])


async def test_nobody_is_asked_for_who_gave_up() -> None:
    goes_on, sent = asyncio.Event(), []

    async def fetch(sql: str, values: tuple[Any, ...]) -> list[Record]:
        sent.append((sql, values))
        await goes_on.wait()
        return []

    async def describe(sql: str) -> Types:
        return ("int4",)

    together = Together(fetch, describe)
    callers = [asyncio.create_task(together.fetch("SELECT $1", (of,))) for of in range(4)]
    await asyncio.sleep(0)
    for each in callers[1:3]:
        each.cancel()
    goes_on.set()
    await asyncio.gather(*callers, return_exceptions=True)
    assert sent == [("SELECT $1", (0,)), ("SELECT $1", (3,))]


async def test_whose_own_value_is_refused_does_not_ask_again(asked: Asked) -> None:
    found = await asked.each("SELECT 6 / $1::int AS quotient", (1,), ("three",))
    assert isinstance(found[1], asyncpg.DataError)
    assert len(asked.sent) == 2
