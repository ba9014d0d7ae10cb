"""What fits on a page is read; what does not is split by meaning."""

import ast
from collections.abc import Iterable, Iterator
from statistics import median, quantiles

from tests.house.source import Module, modules

FILE, FUNCTION, PARAMETERS = 300, 50, 5
COMMANDS = ("app.cli", "app.client_commands", "app.user_commands")
"""A command of the command line has a parameter for every option."""

EVERYWHERE = ("app", "bench", "tests")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def everything() -> Iterator[Module]:
    for folder in EVERYWHERE:
        yield from modules(folder)


def functions(those: Iterable[Module]) -> Iterator[tuple[Module, Function]]:
    for module in those:
        for node in ast.walk(module.tree):
            if isinstance(node, Function):
                yield module, node


def lines(function: Function) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def test_no_file_is_too_long() -> None:
    sizes = {module.where: module.text.count("\n") for module in everything()}
    assert {where: size for where, size in sizes.items() if size > FILE} == {}


def test_no_function_is_too_long() -> None:
    found = {
        f"{module.where}:{function.lineno} {function.name}": lines(function)
        for module, function in functions(everything())
        if lines(function) > FUNCTION
        and not (module.name in COMMANDS and function.name.endswith("_command"))
    }
    assert found == {}


def test_functions_are_short_as_a_rule() -> None:
    sizes = [lines(function) for _, function in functions(modules())]
    assert median(sizes) <= 10
    assert quantiles(sizes, n=10)[-1] <= 25


def test_no_function_takes_too_much() -> None:
    """`self`, `cls` and what has a name at the call are not counted."""
    found = {
        f"{module.where}:{function.lineno} {function.name}": len(function.args.args)
        for module, function in functions(modules())
        if len([a for a in function.args.args if a.arg not in ("self", "cls")]) > PARAMETERS
        and not (module.name in COMMANDS and function.name.endswith("_command"))
    }
    assert found == {}
