"""Operations beside their OperationDefinitions, and the pages on them."""

import json
from pathlib import Path

from app.fhir.engine import Operation
from app.fhir.validation.structure import validate
from app.main import OPERATIONS

DOCS = Path(__file__).parents[1] / "docs" / "operations"
PAGES = "".join(page.read_text("utf-8") for page in sorted(DOCS.glob("*.md")))


def inputs_of(one: Operation, folder: Path) -> set[str]:
    """What goes in by its definition in this folder, which says what else the operation is."""
    assert OPERATIONS[one.name] is one
    [type_] = one.types
    found = json.loads((folder / f"OperationDefinition-{type_}-{one.name}.json").read_text())
    assert validate(found, "OperationDefinition") == []
    assert (found["url"], found["code"]) == (one.definition, one.name)
    assert {level for level in ("system", "type", "instance") if found[level]} == one.levels
    return {each["name"] for each in found["parameter"] if each["use"] == "in"}
