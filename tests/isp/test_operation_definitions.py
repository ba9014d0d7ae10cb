"""Every operation of the plan is defined, documented and registered."""

import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import pytest

from app.fhir.validation.structure import validate
from app.isp import definitions, operations
from app.main import OPERATIONS

DOCS = Path(__file__).parents[2] / "docs" / "operations"
MODULES = [
    import_module(f"{operations.__name__}.{m.name}") for m in iter_modules(operations.__path__)
]
ONES = [
    (module, one)
    for module in MODULES
    for one in getattr(module, "ALL", [getattr(module, "OPERATION", None)])
    if one is not None
]


@pytest.mark.parametrize(("module", "operation"), ONES, ids=lambda one: getattr(one, "name", ""))
def test_the_definition_says_what_the_operation_does(module: ModuleType, operation: object) -> None:
    one = OPERATIONS[operation.name]  # type: ignore[attr-defined]
    assert one is operation
    [type_] = one.types
    folder = Path(definitions.__path__[0])
    found = json.loads((folder / f"OperationDefinition-{type_}-{one.name}.json").read_text())
    assert validate(found, "OperationDefinition") == []
    assert (found["url"], found["code"]) == (one.definition, one.name)
    assert {level for level in ("system", "type", "instance") if found[level]} == one.levels
    inputs = {each["name"] for each in found["parameter"] if each["use"] == "in"}
    assert inputs == set(getattr(module, "KINDS", inputs))
    assert any(f"${one.name}\n" in page.read_text() for page in DOCS.glob("*.md"))
