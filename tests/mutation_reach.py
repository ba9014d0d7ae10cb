"""Which tests reach which statements of a file, so that a mutant meets those and no others."""

import ast
import sys
import threading
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

import pytest

KEPT = (
    "app.fhir.registry",
    "app.fhir.fhirpath",
    "app.fhir.validation",
    "app.fhir.terminology",
    "app.fhir.guides",
    "app.fhir.canonicals",
    "app.fhir.capability",
    "app.fhir.search.parameters",
    "app.auth",
    "app.isp",
)
"""Modules whose caches are slow to fill and hold nothing about who may see what."""

CHECK = "cases and worlds"
"""Stands for the table of cases and the random worlds among the tests."""

Reach = Mapping[str, frozenset[int]]
"""By test, or by the file whose fixtures it is, the lines of the mutated file that ran."""


def forget() -> None:
    """Empty the caches: what one test made is not made again for the next, nor for a mutant."""
    for name, module in list(sys.modules.items()):
        if name.startswith("app.") and not name.startswith(KEPT):
            for each in vars(module).values():
                if hasattr(each, "cache_clear"):
                    each.cache_clear()


class Tracer:
    """Notes the lines of one file that run, under the test that runs them."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.lines: dict[str, set[int]] = {}
        self.now = self.under(CHECK)

    def under(self, name: str) -> set[int]:
        return self.lines.setdefault(name, set())

    def start(self) -> None:
        threading.settrace(self._call)
        sys.settrace(self._call)

    def _call(self, frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename not in self.names:
            return None
        self.now.add(frame.f_lineno)
        return self._line

    def _line(self, frame: FrameType, event: str, _: object) -> Any:
        self.now.add(frame.f_lineno)
        return self._line

    def pytest_sessionstart(self) -> None:
        """What runs while tests are collected is part of all of them."""
        self.now = self.under("")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        forget()
        self.now = self.under(item.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: Any
    ) -> Iterator[None]:
        """What is set up for a whole file is part of each test of it."""
        before = self.now
        if fixturedef.scope != "function":
            self.now = self.under(request.node.nodeid)
        try:
            return (yield)
        finally:
            self.now = before


def reaching(reach: Reach, lines: range | None) -> list[str]:
    """The tests that run one of these lines, all without lines; those that run the very same lines
    as another come last."""
    hit = {name for name, ran in reach.items() if lines is None or ran.intersection(lines)}
    found = [
        name
        for name in reach
        if name == CHECK or "::" in name
        if name in hit or name.partition("::")[0] in hit or ("" in hit and name != CHECK)
    ]
    first = {reach[name]: name for name in reversed(found)}
    return sorted(found, key=lambda name: name != CHECK and first[reach[name]] != name)


def statement_at(tree: ast.Module, line: int) -> range | None:
    """The lines of the innermost statement of a function there; None outside of functions."""
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
    ]
    inner = [
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for function in functions
        for each in function.body
        for node in ast.walk(each)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return min(inner, key=len, default=None)
