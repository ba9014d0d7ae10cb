"""Imports go down the floors, never up and never sideways into another room."""

from graphlib import TopologicalSorter

import pytest

from tests.house.source import imports, modules

FLOORS = {
    "app.settings": 0,
    "app.storage": 1,
    "app.fhir": 2,
    "app.auth": 3,
    "app.consent": 3,
    "app.isp": 3,
    "app.admission": 4,
    "app.routers": 5,
    "app.jobs": 5,
}
TOP = 6

# Within the engine, from the entrance down; a module may import from its own row and those below.
ENGINE = (
    ("dispatch", "openapi"),
    ("interactions", "operations", "reindex", "indexing"),
    (
        "commit",
        "integrity",
        "guard",
        "erasure",
        "part",
        "step",
        "audit_commit",
        "draft",
        "routing",
        "capability",
        "registration",
        "definitions_of_r4",
    ),
    ("profiles", "targets"),
    ("engine",),
    ("audit_disclosure", "audit_refusal"),
    ("audit",),
    ("search",),
    ("disclose", "cursor"),
    ("hidden", "refused"),
    ("known", "alike", "named", "canonicals", "grounds"),
    ("visible",),
    ("access_sql",),
    ("consented",),
    ("search.parameters",),
    ("patch", "xml", "guides"),
    (
        "fhirpath",
        "fhirpath_steps",
        "compartments",
        "references",
        "redact",
        "validation",
        "terminology",
    ),
    ("subset", "shape", "audit_event", "audit_log", "change", "model", "sharing", "few"),
    ("registry", "expectations", "openapi_parts", "marks", "audit_codes", "label"),
    ("context", "instant", "json", "faults"),
    ("access", "errors", "ids"),
)


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def floor(module: str) -> int:
    return FLOORS.get(room(module), TOP)


EDGES = [(each.name, target) for each in modules() for target in imports(each)]


def row(module: str) -> int | None:
    """The row that names the module, or the innermost package it is in."""
    found = {
        name: number
        for number, names in enumerate(ENGINE)
        for name in names
        if f"{module}.".startswith(f"app.fhir.{name}.")
    }
    return found[max(found, key=len)] if found else None


def test_every_room_has_a_floor() -> None:
    packages = {room(each.name) for each in modules() if each.name.count(".") > 1}
    assert packages <= set(FLOORS)


@pytest.mark.parametrize("rising", [True, False], ids=["upwards", "sideways"])
def test_no_import_goes(rising: bool) -> None:
    wrong = [
        f"{source} imports {target}"
        for source, target in EDGES
        if (
            floor(target) > floor(source)
            if rising
            else floor(target) == floor(source) < TOP and room(target) != room(source)
        )
    ]
    assert wrong == []


def test_every_module_of_the_engine_has_a_row() -> None:
    engine = {each.name for each in modules() if room(each.name) == "app.fhir"} - {"app.fhir"}
    assert {name for name in engine if row(name) is None} == set()
    prefixes = {f"app.fhir.{name}" for names in ENGINE for name in names}
    assert prefixes <= engine


def test_within_the_engine_imports_go_down_too() -> None:
    wrong = [
        f"{source} imports {target}"
        for source, target in EDGES
        if (above := row(source)) is not None
        and (below := row(target)) is not None
        and below < above
    ]
    assert wrong == []


def test_nothing_imports_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for source, target in EDGES:
        if source != target:
            graph.setdefault(source, set()).add(target)
    list(TopologicalSorter(graph).static_order())
