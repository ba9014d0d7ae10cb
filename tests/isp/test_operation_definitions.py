"""Every operation of the plan is defined, documented and registered."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import pytest

from app.fhir.engine import Operation
from app.isp import definitions, operations
from tests.operations import PAGES, inputs_of

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
def test_the_definition_says_what_the_operation_does(
    module: ModuleType, operation: Operation
) -> None:
    found = inputs_of(operation, Path(definitions.__path__[0]))
    assert found == set(getattr(module, "KINDS", found))
    assert f"${operation.name}\n" in PAGES
