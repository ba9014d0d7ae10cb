"""Mutants of SQL within Python strings: each single condition made always true, and always false.

The condition stays in the statement beside the constant, so that every argument is still used and
no mutant fails for being no SQL.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

HOLE = 0xE000
"""Private characters stand for what an f-string fills in."""

WORD = re.compile(
    r"'(?:[^']|'')*'|[()]|\b(?:WHERE|ON|AND|OR|WHEN|THEN|ELSE|END|UNION ALL|BETWEEN|SELECT|FROM"
    r"|JOIN|IF|ELSIF|CROSS JOIN|ORDER BY|GROUP BY|LIMIT|AS MATERIALIZED|DISTINCT FROM|RETURN)\b|;"
)
VALUES = frozenset({"(", "THEN", "ELSE"})
"""What follows these is a condition where it is an operand, and any value otherwise."""

STARTS = frozenset({"WHERE", "ON", "AND", "OR", "WHEN", "IF", "ELSIF", "RETURN"}) | VALUES
ENDS = frozenset({"AND", "OR", "THEN", "UNION ALL", "ORDER BY", "GROUP BY", "LIMIT", "JOIN", ")"})
ENDS |= {"CROSS JOIN", "FROM", "WHERE", ";", "SELECT", "ELSE", "END", "WHEN", "RETURN"}
ASIDE = frozenset({"DISTINCT FROM", "AS MATERIALIZED"})
TESTS = re.compile(
    r"[<>=]|&&|\b(?:EXISTS|BETWEEN|IN|IS|NOT|ANY|LIKE|starts_with)\b|^\(?[\ue000-\uf8ff]\)?$"
    r"|^(?:NOT )?(?:\w*[\ue000-\uf8ff]?\.)?(?:permits|closes|deleted|opens|vouches|is_\w+)$"
    r"|^is_\w+\("
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A part [start, end) of a text that is true or false."""

    start: int
    end: int


def conditions(text: str) -> list[Condition]:
    """Every operand of AND, OR, WHERE, ON and WHEN, at any depth, and the text if it is one."""
    open_: list[tuple[str, int, int]] = []
    found: set[Condition] = set()
    depth, is_between = 0, False
    for word in WORD.finditer(f"({text})"):
        name, at = word[0], word.start() - 1
        if name.startswith("'") or name in ASIDE:
            continue
        if name == "BETWEEN" or (name == "AND" and is_between):
            is_between = name == "BETWEEN"
            continue
        if name in ENDS and open_ and open_[-1][1] == depth:
            begun, _, start = open_.pop()
            if begun not in VALUES or name in ("AND", "OR") or depth == 1:
                found |= set(_trimmed(text, start, at))
        depth += {"(": 1, ")": -1}.get(name, 0)
        if name in STARTS:
            open_.append((name, depth, word.end() - 1))
    return sorted(found, key=lambda each: (each.start, -each.end))


def _trimmed(text: str, start: int, end: int) -> Iterator[Condition]:
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip())
    part = inner.strip()
    if TESTS.search(part) and not part.startswith(("(SELECT", "SELECT", "WITH", "CREATE")):
        yield Condition(start, start + len(part))


def changes(text: str) -> Iterator[tuple[str, str]]:
    """(what, the text with one condition made constant)."""
    for each in conditions(text):
        part = text[each.start : each.end]
        for constant, word in (("true", "OR"), ("false", "AND")):
            new = f"({constant} {word} ({part}))"
            yield f"{constant}: {part}", text[: each.start] + new + text[each.end :]


def template(node: ast.AST) -> str | None:
    """The text of a string, holes for what an f-string fills in; what is formatted is no SQL."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr) or any(
        isinstance(part, ast.FormattedValue) and part.format_spec for part in node.values
    ):
        return None
    return "".join(
        part.value if isinstance(part, ast.Constant) else chr(HOLE + at)
        for at, part in enumerate(node.values)
    )


def filled(text: str, node: ast.Constant | ast.JoinedStr) -> ast.Constant | ast.JoinedStr:
    """The string node that a changed template stands for."""
    if isinstance(node, ast.Constant):
        return ast.Constant(text)
    values = [
        node.values[ord(part) - HOLE] if HOLE <= ord(part[0]) <= 0xF8FF else ast.Constant(part)
        for part in re.split("([\ue000-\uf8ff])", text)
        if part
    ]
    return ast.JoinedStr(values)


def told(what: str, node: ast.AST) -> str:
    """A change as somebody would write it, with what the holes hold."""
    values = node.values if isinstance(node, ast.JoinedStr) else []
    for at, part in enumerate(values):
        if isinstance(part, ast.FormattedValue):
            what = what.replace(chr(HOLE + at), f"{{{ast.unparse(part.value)}}}")
    return what
