"""Somebody else's tests of RFC 6902, from npm: each patch does what they say, or is refused."""

import shutil
from typing import Any

import pytest

from app.fhir import json
from app.fhir.errors import FHIRError
from app.fhir.patch.json_patch import json_patch
from tests.smart.npm import fetched

Case = dict[str, Any]
pytestmark = pytest.mark.skipif(not shutil.which("npm"), reason="no npm is installed")


def cases() -> list[Case]:
    files = (fetched(name) for name in ("json-patch-tests.json", "json-patch-spec-tests.json"))
    found = [case for file in files for case in json.reread(file.read_text("utf-8"))]
    return [one for one in found if "patch" in one and not one.get("disabled")]


def test_every_case_ends_as_it_should() -> None:
    wrong = [(one.get("comment"), said) for one in cases() if (said := _wrong(one))]
    assert wrong == []
    assert len(cases()) > 85


def _wrong(case: Case) -> str:
    """What is wrong with how a case ends."""
    try:
        made = json_patch(case["doc"], case["patch"])
    except FHIRError as error:
        return "" if "error" in case else f"refused: {error}"
    if "error" in case:
        return f"not refused: {case['error']}"
    return "" if made == case.get("expected", made) else f"made {made}"
