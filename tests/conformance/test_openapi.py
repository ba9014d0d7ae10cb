"""openapi/openapi.json is valid, fresh, and says what the switchboard holds."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.fhir import json
from app.fhir.capability import VERSION, capability_statement
from app.fhir.dispatch import ROUTES
from app.fhir.openapi import openapi_document, openapi_json
from app.fhir.registry import STORED
from app.fhir.routing import route
from app.fhir.search.parameters import searchable
from app.main import OPERATIONS

ROOT = Path(__file__).parents[2]
FILE = ROOT / "openapi" / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document(ROUTES, OPERATIONS)


def test_the_file_is_fresh() -> None:
    assert FILE.read_text("utf-8") == openapi_json(ROUTES, OPERATIONS), "run `make openapi`"


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_the_file_stays_readable_for_tools() -> None:
    assert FILE.stat().st_size < 4_000_000


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for found in set(re.findall(rb'"\$ref":"#/components/([^"]+)"', json.dump(document))):
        kind, name = found.decode().split("/")
        assert name in document["components"][kind], found


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [item["operationId"] for path in document["paths"].values() for item in path.values()]
    assert len(ids) == len(set(ids))


def test_every_path_is_served_by_the_switchboard(document: dict[str, Any]) -> None:
    for path, items in document["paths"].items():
        for method in items:
            route(ROUTES, method.upper(), path.replace("{id}", "1").replace("{vid}", "1"))


@pytest.mark.parametrize("type_", sorted(STORED))
def test_what_is_advertised_for_a_type_is_described(type_: str, document: dict[str, Any]) -> None:
    statement = capability_statement(ROUTES, OPERATIONS, "https://plans.example.org/fhir")
    resources = {each["type"]: each for each in statement["rest"][0]["resource"]}
    advertised = {each["code"] for each in resources[type_]["interaction"]}
    own = re.compile(rf"/{type_}(/|\Z)")
    items = [i for path, p in document["paths"].items() if own.match(path) for i in p.values()]
    ids = {item["operationId"] for item in items if item["tags"] == [type_]}
    assert {f"{code}-{type_}" for code in advertised} <= ids
    described = {each.get("name") for each in document["paths"][f"/{type_}"]["get"]["parameters"]}
    assert {each.code for each in searchable(type_)} <= described


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION
