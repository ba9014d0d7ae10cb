"""Tests that pages and tables name as file::function, below tests/."""

import ast
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent


def exists(test: str) -> bool:
    file, _, name = test.partition("::")
    return name in _functions(file)


@cache
def _functions(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))
