"""What this room publishes, as JSON: the definitions of its operations."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from app.fhir.context import Resource

FOLDER = Path(__file__).parent


@cache
def definitions() -> Mapping[str, Resource]:
    """Every definition by url."""
    paths = sorted(FOLDER.glob("OperationDefinition-*.json"))
    found = [json.loads(path.read_text("utf-8")) for path in paths]
    return {one["url"]: one for one in found}
