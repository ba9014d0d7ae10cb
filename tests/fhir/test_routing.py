"""From method and path to an interaction: every path means one thing."""

import pytest

from app.fhir.dispatch import ROUTES
from app.fhir.errors import BadRequest, FHIRError, MethodNotAllowed, NotFound
from app.fhir.routing import Target, route, target, to_call

TARGETS = {
    "": Target(""),
    "/": Target(""),
    "metadata": Target("metadata"),
    "_history": Target("_history"),
    "$op": Target("$[operation]", operation="op"),
    "Goal": Target("[type]", "Goal"),
    "Goal/": Target("[type]", "Goal"),
    "/Goal": Target("[type]", "Goal"),
    "Goal/_history": Target("[type]/_history", "Goal"),
    "Goal/_search": Target("[type]/_search", "Goal"),
    "Goal/$op": Target("[type]/$[operation]", "Goal", operation="op"),
    "Goal/1": Target("[type]/[id]", "Goal", "1"),
    "Goal/_x": Target("[type]/_x", "Goal"),
    "Goal/1/_history": Target("[type]/[id]/_history", "Goal", "1"),
    "Goal/1/_history/2": Target("[type]/[id]/_history/[vid]", "Goal", "1", "2"),
    "Goal/1/$op": Target("[type]/[id]/$[operation]", "Goal", "1", operation="op"),
    "Patient/1/Goal": Target("[compartment]/[id]/[type]", "Goal", compartment=("Patient", "1")),
    "Patient/1/Goal/_search": Target(
        "[compartment]/[id]/[type]/_search", "Goal", compartment=("Patient", "1")
    ),
    "Goal/1/Goal": Target("[type]/[id]/Goal", "Goal", "1"),
    "Goal/1/x": Target("[type]/[id]/x", "Goal", "1"),
}


@pytest.mark.parametrize("path", TARGETS)
def test_a_path_names_one_thing(path: str) -> None:
    assert target(path) == TARGETS[path]


@pytest.mark.parametrize("path", ["Unicorn", "Unicorn/1", "Parameters", "OperationOutcome/1", "Ä"])
def test_a_type_that_is_not_served_is_not_found(path: str) -> None:
    with pytest.raises(NotFound) as raised:
        target(path)
    assert raised.value.issues[0].code == "not-supported"


@pytest.mark.parametrize(
    "path", ["Goal/a_b", f"Goal/{'a' * 65}", "Goal/a b", "Goal/\0", "Goal/1/_history/\0"]
)
def test_an_id_that_cannot_be_one_is_refused(path: str) -> None:
    with pytest.raises(BadRequest):
        target(path)


@pytest.mark.parametrize("path", ["Goal//", "//Goal", "Goal//1", "Goal/1//", "Goal//_history"])
def test_an_empty_segment_names_nothing(path: str) -> None:
    with pytest.raises(NotFound):
        target(path)


@pytest.mark.parametrize("row", ROUTES, ids=lambda row: f"{row.method} {row.path}")
def test_every_row_of_the_switchboard_can_be_reached(row) -> None:
    parts = {
        "[type]": "Goal",
        "[id]": "1",
        "[vid]": "2",
        "$[operation]": "$op",
        "[compartment]": "Patient",
    }
    path = "/".join(parts.get(part, part) for part in row.path.split("/"))
    found, named = route(ROUTES, row.method, path)
    assert (found.method, found.path) == (row.method, row.path)
    assert found.run is row.run
    assert named.shape == row.path


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("TRACE", "Goal", "DELETE, GET, PATCH, POST, PUT"),
        ("POST", "Goal/1", "DELETE, GET, PATCH, PUT"),
        ("PUT", "", "GET, POST"),
        ("GET", "Goal/_search", "POST"),
        ("get", "metadata", "GET"),
    ],
)
def test_a_method_that_does_not_apply_names_those_that_do(
    method: str, path: str, allow: str
) -> None:
    with pytest.raises(MethodNotAllowed) as raised:
        route(ROUTES, method, path)
    said = set(raised.value.headers["Allow"].split(", "))
    assert set(allow.split(", ")) <= said
    assert method not in said


@pytest.mark.parametrize("path", ["Goal/1/x", "x", "Goal/_x", "Goal/1/_history/2/3", "metadata/x"])
def test_where_nothing_is_served_nothing_is_found(path: str) -> None:
    with pytest.raises(FHIRError) as raised:
        route(ROUTES, "GET", path)
    assert raised.value.status == 404


@pytest.mark.parametrize(
    ("body", "interaction"),
    [
        ({"type": "batch"}, "batch"),
        ({"type": "transaction"}, "transaction"),
        ({}, "transaction"),
        (None, "transaction"),
        ([], "transaction"),
    ],
)
def test_the_type_of_a_bundle_tells_a_batch_from_a_transaction(body, interaction: str) -> None:
    row, found = route(ROUTES, "POST", "")
    assert to_call(row, found, body=body).interaction == interaction
