"""`python -m tests.mutation`: break one condition of the access rules at a time; does a test mind?

Each mutant lives in a fork of this process, which has everything loaded: its functions get the
changed code, the table of cases and random worlds are asked, and what survives meets whole test
files. Ends when all are tried or the minutes are over. docs/mutation.md has what came of it.
"""

import argparse
import ast
import asyncio
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import asyncpg
import orjson
import pytest
from prometheus_client import Counter

from app.storage.database import Database
from app.storage.embedded import embedded
from tests import conftest
from tests.build import organization, plan
from tests.conftest import DATA_DIR, FAST, named, new_database
from tests.consent import test_definition
from tests.consent.case import Case, decision
from tests.consent.recursive import outcome
from tests.consent.stored import load, shown
from tests.consent.test_cases import CASES
from tests.consent.worlds import case
from tests.http.conftest import load as put
from tests.http.conftest import serving
from tests.mutants import Mutant, mutants
from tests.mutation_reach import CHECK, Reach, Tracer, forget, reaching, statement_at
from tests.mutation_targets import IN_SQL, TARGETS

ROOT = Path(__file__).parents[1]
LIMIT = 120
"""Seconds for one mutant; one that never ends is found out, too."""

KILLED, SURVIVED, STUCK, BROKEN = "killed", "survived", "stuck", "broken"
"""What never ends counts as found out; what is no SQL any more as no mutant at all."""

UNREACHED = "unreached"
"""Nothing that is asked runs the line: it survived without a question."""

MUTANTS = "isp_mutants"
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "--assert=plain")

OUTCOMES = {0: SURVIVED, 3: BROKEN}
NO_SQL = (asyncpg.SyntaxOrAccessError, SyntaxError)
Check = Callable[[], Awaitable[bool]]


async def decides(worlds: int) -> bool:
    """The table of cases and the recursive definition agree with the flat rules."""
    for each in CASES:
        made = decision(each)
        if made.outcome != each.expected or (each.by and made.expression != each.by):
            return False
    for seed in range(worlds):
        asked = case(random.Random(seed))
        wanted = outcome(asked.consents, *test_definition._reordered(asked))
        if decision(asked).outcome != wanted:
            return False
    return True


async def shows(dsn: str, cases: Sequence[Case], wanted: Sequence[bool]) -> bool:
    """SQL shows of the stored cases what is permitted."""
    database = await Database.open(dsn, 2)
    for number, each in enumerate(cases):
        if await shown(database, each, number) != wanted[number]:
            return False
    return True


async def stored(dsn: str, worlds: int) -> Check:
    """Cases and worlds in the database, for all mutants to be asked about."""
    cases = [*CASES, *(case(random.Random(seed)) for seed in range(worlds))]
    database = await Database.open(dsn, 2)
    await load(database, cases)
    await database.execute("ANALYZE")
    await database.close()
    return partial(shows, dsn, cases, [decision(each).outcome == "permit" for each in cases])


def changed(name: str, mutant: Mutant) -> None:
    """A module of this process is the mutant from now on."""
    swap(import_module(name), mutant.tree)


def swap(module: ModuleType, tree: ast.Module) -> None:
    """Give the functions of a loaded module the code of the tree, wherever they are known."""
    counted = [
        each
        for each in tree.body
        if isinstance(each, ast.Assign) and ast.unparse(each.value).startswith("Counter(")
    ]
    rest = ast.Module([each for each in tree.body if each not in counted], [])
    # A counter cannot be made twice; what a mutant counts is counted with the rest.
    made: dict[str, Any] = {k: v for k, v in vars(module).items() if isinstance(v, Counter)}
    made["__name__"] = module.__name__
    exec(compile(rest, module.__name__, "exec"), made)
    for name, new in made.items():
        old = module.__dict__.get(name)
        if isinstance(new, type) and new.__module__ == module.__name__:
            for member, changed in vars(new).items():
                _swap_code(vars(old).get(member), changed)
        elif not _swap_code(old, new) and not isinstance(new, type):
            module.__dict__[name] = new


def _swap_code(old: Any, new: Any) -> bool:
    """Whether both are functions, plain or wrapped; then the old one has the new code."""
    for wrapper, inner in (
        (property, "fget"),
        (cached_property, "func"),
        (classmethod, "__func__"),
    ):
        if isinstance(old, wrapper):
            old, new = getattr(old, inner), getattr(new, inner)
    if hasattr(old, "cache_clear"):
        old.cache_clear()
        old, new = old.__wrapped__, new.__wrapped__
    if not isinstance(old, FunctionType) or not isinstance(new, FunctionType):
        return False
    if old is not new:
        old.__code__, old.__defaults__ = new.__code__, new.__defaults__
        old.__kwdefaults__ = new.__kwdefaults__
    return True


def run(begin: Callable[[], object], check: Check | None, tests: Sequence[str]) -> str:
    """Whether a test fails in a fork of this process that begins with a change."""
    if not check and not tests:
        return UNREACHED
    child = os.fork()
    if not child:
        _live(begin, check, tests)
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return OUTCOMES.get(os.waitstatus_to_exitcode(status), KILLED)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return STUCK


def _live(begin: Callable[[], object], check: Check | None, tests: Sequence[str]) -> None:
    code = 1
    try:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        forget()
        begin()
        if check and not asyncio.run(check()):
            return
        code = int(bool(tests and pytest.main([*OPTIONS, *tests])))
    except NO_SQL:
        code = 3
    finally:
        os._exit(code)


async def shared(server: str, _: str) -> str:
    """All mutants have one database, one after another; each test empties it."""
    return named(server, MUTANTS)


async def warm(dsn: str) -> None:
    """Learn once what each mutant would have to learn: modules, definitions, how to validate."""
    async with serving(dsn) as service:
        operator = await service.as_("operator")
        await put(operator, organization(), *plan())
        assert (await operator.get("/CarePlan?_include=CarePlan:goal")).status_code == 200


async def prepared(server: str) -> None:
    """The database of the mutants is there, and the tests use it."""
    await warm(await new_database(server, MUTANTS))
    conftest.new_database = shared


def reached(file: str, check: Check) -> Reach:
    """What runs the lines of a file, of the cases and worlds and the tests that are named for it.

    SystemExit where one of those fails though nothing is changed.
    """
    source, name = (ROOT / file).read_text("utf-8"), named_module(file)
    begin = partial(changed, name, Mutant(0, "", ast.parse(source)))
    with tempfile.NamedTemporaryFile() as told:
        child = os.fork()
        if not child:
            _trace(Tracer(frozenset({name, str(ROOT / file)})), begin, check, (file, told.name))
        if os.waitpid(child, 0)[1]:
            raise SystemExit(f"{file}: the tests fail without any change")
        return {each: frozenset(ran) for each, ran in orjson.loads(told.read()).items()}


def _trace(
    tracer: Tracer, begin: Callable[[], object], check: Check, places: tuple[str, str]
) -> None:
    code = 1
    try:
        file, told = places
        forget()
        begin()
        tracer.start()
        if asyncio.run(check()):
            code = int(pytest.main([*OPTIONS, *TARGETS[file]], plugins=[tracer]))
        sys.settrace(None)
        lines = {name: sorted(ran) for name, ran in tracer.lines.items()}
        Path(told).write_bytes(orjson.dumps(lines))
    finally:
        os._exit(code)


def named_module(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def tried(file: str, check: Check, asked: argparse.Namespace) -> None:
    """Try the mutants of a file, those without a condition first, as long as there is time."""
    source, name = (ROOT / file).read_text("utf-8"), named_module(file)
    for each in TARGETS[file]:
        import_module(named_module(each))
    reach, tree = reached(file, check), ast.parse(source)
    found = list(mutants(source))
    random.Random(asked.seed).shuffle(found)
    found.sort(key=lambda mutant: not mutant.is_condition)
    if asked.conditions:
        found = [mutant for mutant in found if mutant.is_condition]
    found = [each for each in found if re.search(asked.only, f"{each.line} {each.what}")]
    counts = dict.fromkeys((KILLED, SURVIVED, UNREACHED, STUCK, BROKEN), 0)
    deadline = time.monotonic() + asked.minutes * 60 / len(asked.files)
    for mutant in found[asked.skip :]:
        if time.monotonic() > deadline:
            break
        tests = reaching(reach, statement_at(tree, mutant.line))
        asks = check if CHECK in tests else None
        tests = [each for each in tests if each != CHECK]
        result = run(partial(changed, name, mutant), asks, tests)
        counts[result] += 1
        if result != KILLED:
            say(f"  {result} {file}:{mutant.line} {mutant.what}")
    say(f"{file}: {len(found)} mutants, from {asked.skip} on {counts}")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=list(TARGETS))
    parser.add_argument("--minutes", type=float, default=30, help="for all files together")
    parser.add_argument("--worlds", type=int, default=200, help="random worlds to stand")
    parser.add_argument("--conditions", action="store_true", help="only those without one")
    parser.add_argument("--only", default="", help="a pattern that line and change have")
    parser.add_argument("--skip", type=int, default=0, help="so many of each file")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="isp-mutation-") as data:
        os.environ[DATA_DIR] = data
        with embedded(Path(data), FAST) as server:
            dsn = asyncio.run(new_database(server, "isp_mutation"))
            asyncio.run(prepared(server))
            in_sql = None
            if not IN_SQL.isdisjoint(asked.files):
                in_sql = asyncio.run(stored(dsn, asked.worlds))
            for file in asked.files:
                check = in_sql if file in IN_SQL else partial(decides, asked.worlds)
                tried(file, check, asked)


if __name__ == "__main__":
    main()
