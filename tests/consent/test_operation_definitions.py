"""Every operation on consents is defined, documented and registered."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import pytest

from app.consent import disclosures, operations
from tests.operations import PAGES, inputs_of

FOLDER = Path(__file__).parents[2] / "app" / "consent" / "definitions"
MODULES = [
    disclosures,
    *(
        module
        for each in iter_modules(operations.__path__)
        if hasattr(module := import_module(f"{operations.__name__}.{each.name}"), "OPERATION")
    ),
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.OPERATION.name)
def test_the_definition_says_what_the_operation_does(module: ModuleType) -> None:
    assert inputs_of(module.OPERATION, FOLDER) == set(module.KINDS)
    assert f"# ${module.OPERATION.name}\n" in PAGES
