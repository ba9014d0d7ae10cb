"""The plans of tests/worlds: each has just the findings that its author expects, whoever judges."""

from datetime import date
from types import ModuleType

import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.fhir.validation.structure import validate
from app.isp.check import check, is_ready_to_sign, score
from app.isp.plan import assemble
from app.isp.rules.profiles import profile
from tests.worlds import (
    adult_mental_health,
    child_therapy,
    discharged,
    hcbs_elder,
    mid_renewal,
    poor,
    refused_signature,
    residential_dd,
    sud_recovery,
    supported_employment,
    with_guardian,
    without_diagnosis,
)
from tests.worlds.whole import TODAY
from tests.worlds.world import World

WORLDS: list[tuple[ModuleType, World]] = [
    (adult_mental_health, adult_mental_health.jonas()),
    (child_therapy, child_therapy.mia()),
    (supported_employment, supported_employment.sam()),
    (residential_dd, residential_dd.rosa()),
    (sud_recovery, sud_recovery.dean()),
    (hcbs_elder, hcbs_elder.edith()),
    (without_diagnosis, without_diagnosis.lea()),
    (with_guardian, with_guardian.tomas()),
    (mid_renewal, mid_renewal.amir()),
    (refused_signature, refused_signature.kay()),
    (discharged, discharged.nils()),
    (poor, poor.zed()),
]
NAMES = [module.__name__.rpartition(".")[2] for module, _ in WORLDS]
JUDGED = [(module, world, rules) for module, world in WORLDS for rules in module.EXPECTED]


def today(module: ModuleType) -> date:
    chosen: date = getattr(module, "TODAY", TODAY)
    return chosen


@pytest.mark.parametrize(
    ("module", "world", "rules"), JUDGED, ids=[f"{world.who} {rules}" for _, world, rules in JUDGED]
)
def test_a_world_has_the_findings_that_are_expected(
    module: ModuleType, world: World, rules: str
) -> None:
    findings = check(assemble(world.all(), world.who), profile(rules), today(module))
    assert {one.id + one.severity[0] for one in findings} == set(module.EXPECTED[rules].split())


@pytest.mark.parametrize("world", [world for _, world in WORLDS], ids=NAMES)
def test_the_resources_of_a_world_are_valid(world: World) -> None:
    resources = world.all()
    names = [f"{one['resourceType']}/{one['id']}" for one in resources]
    assert len(set(names)) == len(names)
    for name, resource in zip(names, resources, strict=True):
        assert validate(resource, resource["resourceType"]) == [], name
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def test_only_good_plans_can_be_signed() -> None:
    ready = {
        name
        for name, (module, world) in zip(NAMES, WORLDS, strict=True)
        if is_ready_to_sign(check(assemble(world.all(), world.who), profile("core"), today(module)))
    }
    assert set(NAMES) - ready == {"poor", "with_guardian"}


def test_the_poor_plan_scores_worst() -> None:
    rules = profile("core")
    totals = [
        sum(score(check(assemble(world.all(), world.who), rules, today(module)), rules).values())
        for module, world in WORLDS
    ]
    assert totals[-1] < min(totals[:-1]) / 2
