"""`python -m tests.mutation`: break one condition of the access rules at a time; does a test mind?

Each mutant runs in a process of its own, forked from this one, against one PostgreSQL. Ends when
all are tried or the minutes are over; prints who survived. docs/mutation.md has what came of it.
"""

import argparse
import ast
import importlib.abc
import importlib.machinery
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import asyncpg  # noqa: F401 - loaded once, for all that are forked
import fastapi  # noqa: F401
import pytest
import sqlmodel  # noqa: F401

from app.storage.embedded import embedded
from tests.conftest import FAST
from tests.mutants import Mutant, mutants

ROOT = Path(__file__).parents[1]
ON_PAPER = ("tests/consent/test_cases.py", "tests/consent/test_definition.py")
PAPERS = (*ON_PAPER, "tests/consent/test_relationships.py", "tests/consent/test_decision.py")
IN_SQL = ("tests/consent/test_visible.py",)
TARGETS = {
    "app/consent/decision.py": PAPERS,
    "app/consent/provisions.py": PAPERS,
    "app/consent/rules.py": PAPERS,
    "app/fhir/consented.py": IN_SQL,
    "app/fhir/visible.py": ("tests/fhir/test_visible.py", *IN_SQL),
}
LIMIT = 300
"""Seconds for one mutant; one that never ends is found out, too."""

KILLED, SURVIVED, STUCK = "killed", "survived", "stuck"


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a tree instead of its file."""

    def __init__(self, name: str, mutant: Mutant) -> None:
        self._name, self._mutant = name, mutant

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self) if name == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.tree, self._name, "exec"), module.__dict__)


class Fewer:
    """Tests of random worlds try so many: a mutant meets them all the time, or hardly ever."""

    def __init__(self, worlds: int) -> None:
        self._worlds = worlds

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        for item in items:
            module = getattr(item, "module", None)
            if getattr(module, "WORLDS", 0) > self._worlds:
                module.WORLDS = self._worlds


def run(name: str, mutant: Mutant, tests: Sequence[str], worlds: int) -> str:
    """Whether a test fails on the mutant; the child is a process of ours and ours to end."""
    child = os.fork()
    if not child:
        _fail_or_pass(name, mutant, tests, worlds)
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return KILLED if os.waitstatus_to_exitcode(status) else SURVIVED
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return STUCK


def _fail_or_pass(name: str, mutant: Mutant, tests: Sequence[str], worlds: int) -> None:
    code = 1
    try:
        if "ISP_MUTATION_SHOW" not in os.environ:
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
        sys.meta_path.insert(0, Changed(name, mutant))
        options = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain"]
        code = pytest.main([*options, *tests], plugins=[Fewer(worlds)])
    finally:
        sys.stdout.flush()
        os._exit(code)


def tried(file: str, minutes: float, seed: int, worlds: int) -> None:
    """Try the mutants of a file in random order as long as there is time, and print what came."""
    found = list(mutants((ROOT / file).read_text("utf-8")))
    random.Random(seed).shuffle(found)
    name, tests = file.removesuffix(".py").replace("/", "."), TARGETS[file]
    tests = [test for test in tests if (ROOT / test).exists()]
    counts = dict.fromkeys((KILLED, SURVIVED, STUCK), 0)
    if (
        run(name, Mutant(0, "", ast.parse((ROOT / file).read_text("utf-8"))), tests, worlds)
        != SURVIVED
    ):
        raise SystemExit(f"{file}: the tests fail without any change")
    deadline = time.monotonic() + minutes * 60
    for mutant in found:
        if time.monotonic() > deadline:
            break
        outcome = run(name, mutant, tests, worlds)
        counts[outcome] += 1
        if outcome == SURVIVED:
            sys.stdout.write(f"  {file}:{mutant.line} {mutant.what}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{file}: {len(found)} mutants, {counts}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=list(TARGETS))
    parser.add_argument("--minutes", type=float, default=60, help="for all files together")
    parser.add_argument(
        "--worlds", type=int, default=400, help="random worlds a mutant has to stand"
    )
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="isp-mutation-") as data:
        os.environ["ISP_TEST_DATA_DIR"] = data
        with embedded(Path(data), FAST):
            for file in asked.files:
                tried(file, asked.minutes / len(asked.files), asked.seed, asked.worlds)


if __name__ == "__main__":
    main()
