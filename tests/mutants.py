"""Mutants of a source file: one condition, operator or word of SQL changed in each."""

import ast
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

from tests import sql_mutants

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
SETS: dict[type[ast.operator], type[ast.operator]] = {
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.Sub: ast.BitOr,
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
WORDS = (
    (r"\bAND NOT EXISTS\b", "AND EXISTS"),
    (r"\bNOT EXISTS\b", "EXISTS"),
    (r"(?<!NOT )\bEXISTS\b", "NOT EXISTS"),
    (r"\bNOT (?!EXISTS|LIKE|IN\b|DISTINCT|NULL)", ""),
    (r"\bAND\b(?! NOT EXISTS)", "OR"),
    (r"\bOR\b", "AND"),
    (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bNOT LIKE\b", "LIKE"),
    (r"\bIS NOT DISTINCT FROM\b", "IS DISTINCT FROM"),
    (r" <= ", " < "),
    (r" >= ", " > "),
    (r" < ", " <= "),
    (r" > ", " >= "),
    (r" <> ", " = "),
    (r" <@ ", " && "),
    (r" && ", " <@ "),
    (r"\btrue\b", "false"),
    (r"\bfalse\b", "true"),
)

Change = Callable[[ast.AST], None]


@dataclass(frozen=True)
class Mutant:
    """The tree with one change, where and what it is, and whether a condition is gone by it."""

    line: int
    what: str
    tree: ast.Module
    is_condition: bool = False


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a source, in the order of its lines."""
    tree = ast.parse(source)
    skipped = {id(inner) for outer in _not_run(tree) for inner in ast.walk(outer)}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in skipped:
            continue
        for what, change in _changes(node):
            yield _mutant(tree, number, what, change)
    within = {id(p) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for p in n.values}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) not in skipped | within:
            for what, change in _sql(node):
                yield _mutant(tree, number, what, change)


def _mutant(tree: ast.Module, number: int, what: str, change: Change) -> Mutant:
    copy = deepcopy(tree)
    node = next(each for at, each in enumerate(ast.walk(copy)) if at == number)
    at = getattr(node, "target", getattr(node, "pattern", node))
    line = getattr(at, "lineno", 0)
    change(node)
    gone = what.startswith(("without", "if ", "always")) or what.endswith("without not")
    return Mutant(line, what, ast.fix_missing_locations(copy), gone)


def _sql(node: ast.AST) -> Iterator[tuple[str, Change]]:
    """The conditions in a string, as the template of an f-string or as they are."""
    text = sql_mutants.template(node)
    for what, new in sql_mutants.changes(text) if text else ():
        made = sql_mutants.filled(new, node)
        field = "values" if isinstance(made, ast.JoinedStr) else "value"
        yield f"always {sql_mutants.told(what, node)}", _put(field, None, getattr(made, field))


def _not_run(tree: ast.Module) -> Iterator[ast.AST]:
    """Annotations, docstrings, and decorators: what they ask for is not run again."""
    for node in ast.walk(tree):
        yield from getattr(node, "decorator_list", ())
        for name in ("annotation", "returns"):
            if isinstance(found := getattr(node, name, None), ast.AST):
                yield found
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.Compare():
            for at, operator in enumerate(node.ops):
                if type(operator) in COMPARISONS:
                    new = COMPARISONS[type(operator)]
                    yield f"{_told(node)}: {new.__name__}", _put("ops", at, new())
        case ast.BoolOp():
            yield f"{_told(node)}: and/or", _swap_boolean
            for at in range(len(node.values)):
                yield f"without {_told(node.values[at])}", _drop(at)
        case ast.If() | ast.IfExp():
            for word, value in (("always", True), ("never", False)):
                yield f"if {_told(node.test)}: {word}", _put("test", None, ast.Constant(value))
        case ast.comprehension():
            for at, test in enumerate(node.ifs):
                yield f"without if {_told(test)}", _without("ifs", at)
        case ast.match_case(guard=ast.expr() as guard):
            yield f"without guard {_told(guard)}", _put("guard", None, None)
        case ast.Call(func=ast.Name(id=name)) if name in NAMES:
            yield f"{_told(node)}: {NAMES[name]}", _rename(NAMES[name])
        case _:
            yield from _small(node)


def _small(node: ast.AST) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.BinOp() if type(node.op) in SETS:
            yield f"{_told(node)}: other set", _put("op", None, SETS[type(node.op)]())
        case ast.UnaryOp(op=ast.Not()):
            yield f"{_told(node)}: without not", _negate("operand")
        case ast.Constant(value=bool() as value):
            yield f"{value}: {not value}", _put("value", None, not value)
        case ast.Constant(value=str() as text):
            yield from _words(text)


def _words(text: str) -> Iterator[tuple[str, Change]]:
    for pattern, other in WORDS:
        for found in re.finditer(pattern, text):
            new = text[: found.start()] + other + text[found.end() :]
            around = text[max(0, found.start() - 25) : found.end() + 25].strip()
            yield f"SQL {around!r}: {other or 'without NOT'}", _put("value", None, new)


def _told(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 70 else f"{text[:67]}..."


def _put(field: str, at: int | None, value: object) -> Change:
    def change(node: ast.AST) -> None:
        if at is None:
            setattr(node, field, value)
        else:
            getattr(node, field)[at] = value

    return change


def _without(field: str, at: int) -> Change:
    return lambda node: getattr(node, field).pop(at)


def _drop(at: int) -> Change:
    """Without one operand; the other stands twice where two are needed."""

    def change(node: ast.AST) -> None:
        assert isinstance(node, ast.BoolOp)
        node.values[at] = node.values[at - 1]

    return change


def _negate(field: str) -> Change:
    return lambda node: setattr(node, field, ast.UnaryOp(ast.Not(), getattr(node, field)))


def _rename(name: str) -> Change:
    def change(node: ast.AST) -> None:
        assert isinstance(node, ast.Call)
        node.func = ast.Name(name, ast.Load())

    return change


def _swap_boolean(node: ast.AST) -> None:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
