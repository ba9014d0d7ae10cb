"""docs/eltss.md: all 56 elements of the guide, in places that FHIR R4 has."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TYPES = json.loads((ROOT / "app" / "fhir" / "definitions" / "structures.json").read_text())["types"]
THERE, BACK = (ROOT / "docs" / "eltss.md").read_text("utf-8").split("## From here to eLTSS")


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


PATHS = sorted(set(re.findall(r"`([A-Z]\w+(?:\.[\w\[\]]+)+)`", THERE + BACK)))


def exists(path: str) -> bool:
    """Whether R4 has an element of this path."""
    type_, *steps = path.split(".")
    for at, step in enumerate(steps):
        found = None
        while type_ and found is None:
            found = TYPES[type_].get(step)
            type_ = TYPES[type_].get("specializes", "")
        if found is None:
            return False
        type_ = found["type"] if isinstance(found["type"], str) else ""
        if at + 1 < len(steps) and type_ not in TYPES:
            return False
    return True


@pytest.mark.parametrize("path", PATHS)
def test_every_place_is_one_of_r4(path: str) -> None:
    assert exists(path)


def test_a_place_that_is_not_there_would_be_told() -> None:
    assert not exists("CarePlan.goals")
    assert not exists("Patient.name.middle")


def test_every_element_of_the_guide_has_a_place() -> None:
    names = [row[0] for row in rows(THERE)]
    assert len(names) == len(set(names)) == 56
    assert all(row[1].startswith("`") for row in rows(THERE))


def test_the_way_back_says_where_or_that_there_is_none() -> None:
    """Of what leads here, each resource is on the way back."""
    there = {row[1].strip("`").partition(".")[0] for row in rows(THERE)}
    back = {row[0].strip("`").partition(".")[0] for row in rows(BACK)}
    directory = {"Practitioner", "PractitionerRole", "Claim"}
    assert there - back <= directory
    assert all(row[1] for row in rows(BACK))
