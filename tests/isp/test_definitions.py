"""What the project publishes is valid, whole, and what its own plans follow."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.fhir.terminology.code_system import read
from app.fhir.validation.structure import validate
from app.isp import codes
from app.isp.definitions import complete, definitions
from app.isp.demonstration import bundles
from tests.isp.profiled import KNOWN, errors, expected, judged
from tests.isp.test_worlds import WORLDS

Json = dict[str, Any]
ALL = definitions()
PROFILES = [
    one["id"]
    for one in ALL.values()
    if one["resourceType"] == "StructureDefinition" and one["type"] != "Extension"
]
APP = Path(codes.__file__).parents[1]


def demonstration() -> list[Json]:
    return [e["resource"] for b in bundles(date(2026, 1, 5)) for e in b["entry"]]


def of_worlds() -> Iterator[Json]:
    for module, world in WORLDS:
        if not module.__name__.endswith("poor"):
            yield from world.all()


@pytest.mark.parametrize("url", ALL, ids=lambda url: "/".join(url.split("/")[-2:]))
def test_a_definition_is_a_valid_resource_at_its_url(url: str) -> None:
    one = complete(ALL[url], ALL)
    assert validate(one, one["resourceType"]) == []
    assert url == f"https://isp-fhir.example/{one['resourceType']}/{one['id']}"


@pytest.mark.parametrize("name", PROFILES)
def test_a_snapshot_has_every_element_of_the_differential_under_unique_ids(name: str) -> None:
    one = complete(ALL[f"{codes.EXTENSION}/{name}"], ALL)
    whole = {each["id"]: each for each in one["snapshot"]["element"]}
    assert len(whole) == len(one["snapshot"]["element"]) > 15
    for each in one["differential"]["element"]:
        for key, value in each.items():
            laid = whole[each["id"]][key]
            assert laid[-len(value) :] == value if key == "constraint" else laid == value


def test_what_the_demonstration_holds_follows_the_profiles() -> None:
    seen: Counter[str] = Counter()
    for resource in demonstration():
        for profile in expected(resource):
            assert errors(resource, profile) == [], (resource["id"], profile)
            seen[profile] += 1
    assert set(PROFILES) - set(seen) == {"isp-plan-part"}


def test_the_plans_written_by_hand_follow_the_profiles() -> None:
    judged_ = 0
    for resource in of_worlds():
        for profile in expected(resource):
            assert errors(resource, profile) == [], (resource["id"], profile)
            judged_ += 1
    assert judged_ > 150


def test_a_poor_plan_does_not() -> None:
    [poor] = [world for module, world in WORLDS if module.__name__.endswith("poor")]
    [plan] = [one for one in poor.all() if one["resourceType"] == "CarePlan"]
    said = errors(plan, "isp-care-plan")
    assert any(one.startswith("title must be there") for one in said)
    assert any(one.startswith("category:isp must be there") for one in said)
    assert "warning" in {one.severity for one in judged(plan, "isp-care-plan")}


def used(value: Any) -> Iterator[tuple[str, str]]:
    """The codings of a resource."""
    if isinstance(value, dict):
        if isinstance(value.get("code"), str) and "system" in value:
            yield value["system"], value["code"]
        for inner in value.values():
            yield from used(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from used(inner)


def test_every_local_code_in_use_is_defined() -> None:
    found = {
        pair for one in (*demonstration(), *of_worlds()) for pair in used(one) if pair[0] in ALL
    }
    assert len(found) > 20
    for system, code in found:
        assert read(ALL[system]).find(code) is not None, (system, code)


def test_every_local_code_that_the_code_knows_is_defined() -> None:
    ours = read(ALL[codes.ISP])
    local = {
        codes.PLAN,
        codes.DISCHARGE,
        codes.NO_DIETARY_NEED,
        codes.NO_NATURAL_SUPPORT,
        codes.KEY_WORKER,
        codes.SUPERVISOR,
        codes.NATURAL_SUPPORT,
        codes.UNFUNDED,
        codes.SELF_DIRECTED,
        codes.RESTRICTION,
        codes.CLIENT_REQUEST,
        codes.EXPLAINED,
        codes.REFUSED,
        *codes.CRISIS,
        *codes.PROCESS,
        *codes.STATUS_CHANGES,
    }
    assert {one for one in local if ours.find(one) is None} == set()


def test_every_local_url_in_the_source_is_that_of_a_definition() -> None:
    named = {
        url
        for path in (*APP.rglob("*.py"), *APP.glob("isp/demonstration/*.json"))
        for url in re.findall(
            r"https://isp-fhir\.example/(?:CodeSystem|StructureDefinition|ValueSet)/[\w-]+",
            path.read_text("utf-8"),
        )
    }
    assert len(named) > 3
    assert named <= set(ALL)


def test_the_profiles_lead_nowhere_unknown() -> None:
    for one in KNOWN.profiles.values():
        for element in one["differential"]["element"]:
            for type_ in element.get("type", ()):
                ours = [url for url in type_.get("profile", ()) if "isp-fhir" in url]
                assert set(ours) <= set(ALL)
            bound = element.get("binding", {}).get("valueSet", "")
            assert "isp-fhir" not in bound or bound in ALL
