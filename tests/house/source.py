"""The source as the house tests read it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"


@dataclass(frozen=True)
class Module:
    """One file; `name` is dotted, e.g. app.fhir.visible."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def where(self) -> str:
        return str(self.path.relative_to(ROOT))


@cache
def modules(folder: str = "app") -> tuple[Module, ...]:
    """The files of a folder; without one, those of the server."""
    return tuple(_module(path) for path in sorted((ROOT / folder).rglob("*.py")))


def _module(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = path.read_text("utf-8")
    return Module(name, path, text, ast.parse(text))


def imports(module: Module) -> Iterator[str]:
    """The modules of ours that this one imports at run time."""
    typing_only = {
        id(inner)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    ours = {each.name for each in modules()}
    for node in ast.walk(module.tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in ours)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.where}: a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found = inner if inner in ours else node.module
                if found in ours:
                    yield str(found)


@cache
def strings(tree: ast.AST) -> tuple[tuple[int, str], ...]:
    """Every string that is no docstring, with its line; an f-string is one, holes as written."""
    return tuple(_strings(tree))


def _strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    quoted = {
        id(node.value)
        for holder in ast.walk(tree)
        if isinstance(body := getattr(holder, "body", None), list)
        for node in body
        if isinstance(node, ast.Expr)
    }
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if id(node) in quoted or id(node) in inner:
            continue
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(map(_part, node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _part(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    return f"{{{ast.unparse(part.value)}}}"
