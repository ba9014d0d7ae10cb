"""The CapabilityStatement says what the switchboard and the registry hold, no more and no less."""

from dataclasses import replace
from typing import Any

import pytest

from app.fhir.capability import capability_statement
from app.fhir.dispatch import ROUTES
from app.fhir.engine import Operation
from app.fhir.interactions import history, write
from app.fhir.operations.validate import OPERATION as VALIDATE
from app.fhir.registry import STORED
from app.fhir.search.parameters import parse, searchable
from app.fhir.search.query import parse_include
from app.fhir.validation.structure import validate

BASE = "https://plans.example.org/fhir"
EVERYWHERE = replace(VALIDATE, name="meta", levels=frozenset({"system", "type"}), types=frozenset())


def statement(*operations: Operation, routes: Any = ROUTES) -> dict[str, Any]:
    return capability_statement(routes, {each.name: each for each in operations}, BASE)


def rest(*operations: Operation, routes: Any = ROUTES) -> dict[str, Any]:
    found: dict[str, Any] = statement(*operations, routes=routes)["rest"][0]
    return found


def resource(type_: str, *operations: Operation, routes: Any = ROUTES) -> dict[str, Any]:
    found = rest(*operations, routes=routes)["resource"]
    return next(each for each in found if each["type"] == type_)


def codes(elements: list[dict[str, str]]) -> set[str]:
    return {each["code"] for each in elements}


def test_it_is_a_valid_capability_statement_of_r4() -> None:
    assert validate(statement(VALIDATE, EVERYWHERE), "CapabilityStatement") == []
    assert statement()["fhirVersion"] == "4.0.1"
    assert statement()["implementation"]["url"] == BASE


def test_every_type_of_the_registry_is_there() -> None:
    assert {each["type"] for each in rest()["resource"]} == STORED


def test_every_interaction_of_the_switchboard_is_there() -> None:
    found = codes(resource("Goal")["interaction"]) | codes(rest()["interaction"])
    elsewhere = {"capabilities", "operation", "search-compartment"}
    elsewhere |= {"asynchronous-status", "asynchronous-cancel"}
    assert found == {route.interaction for route in ROUTES} - elsewhere


def test_a_row_that_is_taken_out_of_the_switchboard_is_no_longer_advertised() -> None:
    routes = [row for row in ROUTES if row.interaction not in ("delete", "history-system")]
    assert "delete" not in codes(resource("Goal", routes=routes)["interaction"])
    assert "history-system" not in codes(rest(routes=routes)["interaction"])


@pytest.mark.parametrize("type_", sorted(STORED))
def test_every_advertised_search_parameter_is_understood(type_: str) -> None:
    found = resource(type_)["searchParam"]
    assert {each["name"] for each in found} == {each.code for each in searchable(type_)}
    for each in found:
        name = (
            each["name"] if each["type"] in ("composite", "special") else f"{each['name']}:missing"
        )
        assert parse(type_, name, "true").parameter.url == each["definition"]


@pytest.mark.parametrize("type_", sorted(STORED))
def test_every_advertised_include_is_understood(type_: str) -> None:
    for name, is_reverse in (("searchInclude", False), ("searchRevInclude", True)):
        for value in resource(type_).get(name, []):
            parse_include(type_, value, is_reverse=is_reverse, iterates=False)


def test_what_only_the_server_writes_can_only_be_read() -> None:
    read_only = {each["type"] for each in rest()["resource"] if each["versioning"] == "no-version"}
    assert read_only == write.SERVER_ONLY == history.UNVERSIONED
    audit = resource("AuditEvent")
    assert codes(audit["interaction"]) == {"read", "search-type"}
    assert audit["readHistory"] is False
    assert "searchInclude" not in audit


def test_operations_stand_where_they_may_be_called() -> None:
    assert "operation" not in rest(VALIDATE)
    assert [each["name"] for each in rest(EVERYWHERE)["operation"]] == ["meta"]
    only = replace(VALIDATE, name="only", types=frozenset({"CarePlan"}))
    assert "operation" not in resource("Goal", only)
    assert [each["name"] for each in resource("CarePlan", only)["operation"]] == ["only"]


def test_the_oauth_endpoints_are_below_the_issuer() -> None:
    (uris,) = rest()["security"]["extension"]
    found = {each["url"]: each["valueUri"] for each in uris["extension"]}
    assert found["token"] == "https://plans.example.org/auth/token"
    assert set(found) == {"authorize", "token", "register", "manage", "revoke", "introspect"}


def test_what_us_core_expects_is_said_of_what_is_there_only() -> None:
    levels = {
        each["name"]: each["extension"][0]["valueCode"]
        for each in resource("Goal")["searchParam"]
        if "extension" in each
    }
    assert levels == {"patient": "SHALL"}
    assert "extension" not in resource("Task")
    for type_ in STORED:
        names = {each["name"] for each in resource(type_)["searchParam"]}
        for one in resource(type_).get("extension", ()):
            told = {each["valueString"] for each in one["extension"] if "valueString" in each}
            assert told
            assert told <= names
