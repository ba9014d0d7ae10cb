"""Every operation on consents is defined, documented and registered."""

import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import pytest

from app.consent import operations
from app.fhir.validation.structure import validate
from app.main import OPERATIONS

ROOT = Path(__file__).parents[2]
MODULES = [
    module
    for each in iter_modules(operations.__path__)
    if hasattr(module := import_module(f"{operations.__name__}.{each.name}"), "OPERATION")
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.OPERATION.name)
def test_the_definition_says_what_the_operation_does(module: ModuleType) -> None:
    one = module.OPERATION
    assert OPERATIONS[one.name] is one
    [type_] = one.types
    folder = ROOT / "app" / "consent" / "definitions"
    found = json.loads((folder / f"OperationDefinition-{type_}-{one.name}.json").read_text())
    assert validate(found, "OperationDefinition") == []
    assert (found["url"], found["code"]) == (one.definition, one.name)
    assert {level for level in ("system", "type", "instance") if found[level]} == one.levels
    inputs = {each["name"] for each in found["parameter"] if each["use"] == "in"}
    assert inputs == set(module.KINDS)
    pages = (ROOT / "docs" / "operations").glob("*.md")
    assert any(f"# ${one.name}\n" in page.read_text() for page in pages)
