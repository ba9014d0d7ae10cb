"""No valid plan, however odd, keeps the document from being made."""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from app.fhir.validation.structure import validate
from app.isp.belonging import belonging
from app.isp.chart import rows, svg
from app.isp.diff import TYPES, differences, states
from app.isp.document.composition import composition
from app.isp.document.page import page
from app.isp.document.sections import sections
from app.isp.document.view import View
from app.isp.element import name
from app.isp.metrics import Span, figures
from app.isp.plan import assemble
from app.isp.series import series
from app.isp.words import words
from tests.isp.test_worlds import WORLDS
from tests.official import examples
from tests.worlds.residential_dd import rosa
from tests.worlds.whole import TODAY, whole

Resource = dict[str, Any]
SPANISH = words("es")


def made(resources: list[Resource], id_: str, *, is_drawn: bool = True) -> Resource:
    """The Composition of a plan, which is valid; and the page."""
    plan = assemble(resources, id_)
    view = View(plan, SPANISH, TODAY)
    held = list(sections(view))
    if is_drawn:
        page(view, held)
    belonging(plan)
    document = composition(view, held, "made", "2026-01-05T00:00:00Z", "https://isp.example/fhir")
    assert validate(document, "Composition") == []
    for section in document["section"]:
        ElementTree.fromstring(section["text"]["div"])
    return document


def less(value: Any) -> Iterator[Any]:
    """The value without one of the elements in it, each in turn, however deep."""
    if isinstance(value, list):
        for at, item in enumerate(value):
            rest = [*value[:at], *value[at + 1 :]]
            yield from ([rest] if rest else [])
            yield from ([*value[:at], one, *value[at + 1 :]] for one in less(item))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield {other: one for other, one in value.items() if other != key}
            yield from ({**value, key: one} for one in less(item) if one not in ({}, []))


@pytest.mark.parametrize("type_", sorted({one["resourceType"] for one in whole().all()}))
def test_any_element_may_be_absent(type_: str) -> None:
    """One resource of each type is taken apart; the others stand as they are."""
    resources = whole().all()
    [one, *_] = [one for one in resources if one["resourceType"] == type_]
    rest = [other for other in resources if other is not one]
    for shorter in less(one):
        is_named = shorter.get("resourceType") == type_ and shorter.get("id") == one["id"]
        if is_named and not validate(shorter, type_):
            made([*rest, shorter], "ada", is_drawn=type_ in ("Goal", "Observation"))


@pytest.mark.parametrize("world", [whole(), rosa()], ids=lambda world: world.who)
def test_any_resource_may_be_absent(world: Any) -> None:
    resources = world.all()
    for at, resource in enumerate(resources):
        if name(resource) != f"CarePlan/{world.who}":
            made([*resources[:at], *resources[at + 1 :]], world.who)


@cache
def official(type_: str) -> list[Resource]:
    return [one for one in examples() if one["resourceType"] == type_]


def test_every_example_of_hl7_can_be_read() -> None:
    """Each CarePlan with every other example that is about nobody else."""
    others = [one for type_ in (*TYPES, "Observation", "Condition") for one in official(type_)]
    for plan in official("CarePlan"):
        own = [plan, *(one for one in others if one is not plan)]
        made(own, plan["id"])


def test_every_goal_of_hl7_has_a_chart() -> None:
    seen = {name(one): one for one in official("Observation")}
    for goal in official("Goal"):
        found = series(goal, seen)
        ElementTree.fromstring(str(svg(found, SPANISH)))
        rows(found, SPANISH)


@pytest.mark.parametrize("type_", TYPES)
def test_the_difference_of_any_two_examples_can_be_told(type_: str) -> None:
    found = [{**one, "id": "same"} for one in official(type_)]
    for before, after in pairwise([*found, found[0]]):
        told = list(differences(states([before]), states([after]), {}, SPANISH))
        assert all(one.sentence and one.resource == f"{type_}/same" for one in told)


def test_figures_of_any_plans_can_be_made() -> None:
    types = ("CarePlan", "Goal", "Task", "Provenance", "ServiceRequest", "Condition")
    everything = {type_: official(type_) for type_ in types}
    for _, world in WORLDS:
        for one in world.all():
            everything.setdefault(one["resourceType"], []).append(one)
    span = Span(TODAY.replace(year=2020), TODAY, TODAY)
    assert all(one.part <= one.of for one in figures(everything, span))
