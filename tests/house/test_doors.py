"""Nothing is read but through visible, written but through commit, sent but through disclose."""

import ast
import re

import pytest

from tests.house.source import Module, modules, strings

TABLES = re.compile(
    r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|USING)\s+(?:ONLY\s+)?"
    r"(resource|resource_version|index_\w+|audit_event)\b",
    re.IGNORECASE,
)
MAY_NAME_TABLES = ("app.storage.", "app.fhir.visible", "app.fhir.commit", "app.fhir.search.")

# Each needs a reason why somebody may see everything; a new one needs a second pair of eyes.
MAY_SEE_EVERYTHING = {"app.fhir.access", "app.admission", "app.auth.scopes"}


def calls(module: Module, name: str) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name
    ]


def test_only_the_doors_name_the_tables_of_resources() -> None:
    wrong = [
        f"{module.where}:{line} names {found[1]}"
        for module in modules()
        if not f"{module.name}.".startswith(MAY_NAME_TABLES)
        for line, text in strings(module.tree)
        if (found := TABLES.search(text))
    ]
    assert wrong == []


def test_the_search_for_tables_finds_them() -> None:
    for text in ("SELECT 1 FROM resource r", "update audit_event set", "JOIN index_date AS d"):
        assert TABLES.search(text)
    assert not TABLES.search("FROM resources")
    assert any(TABLES.search(text) for m in modules() for _, text in strings(m.tree))


def test_who_may_see_everything_is_written_down() -> None:
    found = {module.name for module in modules() if calls(module, "Everything")}
    assert found <= MAY_SEE_EVERYTHING


def test_only_disclose_makes_disclosed_bytes() -> None:
    found = {module.name for module in modules() if calls(module, "Disclosed")}
    assert found <= {"app.fhir.disclose"}


@pytest.mark.parametrize(
    ("library", "only"),
    [
        ("jose", {"app.auth.jose"}),
        ("fhir", {"app.fhir.model"}),
    ],
)
def test_a_library_has_one_importer(library: str, only: set[str]) -> None:
    found = {
        module.name
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom | ast.Import)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
        )
        if name.split(".")[0] == library
    }
    assert found <= only
