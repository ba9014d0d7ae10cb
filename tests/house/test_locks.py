"""Advisory locks: two that have one number wait for each other, or shut each other out for good."""

import ast
from collections import Counter

from tests.house.source import modules


def test_no_two_locks_have_one_number() -> None:
    keys = [
        ast.literal_eval(node.value)
        for module in modules()
        for node in module.tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Tuple)
        and ast.unparse(node.value).startswith("(1230192")
    ]
    assert len(keys) >= 8
    assert [key for key, times in Counter(keys).items() if times > 1] == []
