"""The resources of a plan, written by hand and made by the server, are what US Core asks for."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest

from app.fhir import guides
from app.fhir.profiles import claimed
from app.fhir.validation.profile import Judge
from app.isp.act import Act
from app.isp.create import Basis, drafted
from app.isp.demonstration import bundles
from app.isp.element import name
from app.isp.plan import assemble
from app.isp.progress import Progress, observation
from app.isp.proposal import Asking, proposed
from app.isp.renew import Renewal, renewed
from app.isp.review import started
from app.isp.rules.profiles import DEFAULT, profile
from app.isp.sign import Signer, refusal, signature
from tests.build import goal, patient, reference
from tests.http.plan_life import ANSWERS, TEMPLATE
from tests.isp.profiled import known
from tests.isp.test_worlds import WORLDS
from tests.smart.npm import fetched
from tests.us_core import BASE, PROFILES, expected, profiles
from tests.worlds.whole import whole

Json = dict[str, Any]
KNOWN = known(*profiles())
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
RULES = profile(DEFAULT)
LATER = {"us-core-care-experience-preference", "us-core-treatment-intervention-preference"}
"""Of US Core 7.0; what is shipped is 6.1."""

EVE, AGENCY = reference("Practitioner/eve"), reference("Organization/agency")


def errors(resource: Json, wanted: str) -> list[str]:
    found = Judge(KNOWN, resource).resource(BASE + wanted)
    return [one.diagnostics for one in found if one.severity == "error"]


def judged(resources: Iterator[Json]) -> Counter[str]:
    """How many resources follow each profile; nothing that does not."""
    seen: Counter[str] = Counter()
    for one in resources:
        for wanted in expected(one):
            assert errors(one, wanted) == [], (name(one), wanted)
            seen[wanted] += 1
    return seen


def demonstration() -> Iterator[Json]:
    return (e["resource"] for b in bundles(date(2026, 1, 5)) for e in b["entry"])


def test_the_demonstration_is_what_us_core_asks_for() -> None:
    assert set(judged(demonstration())) == set(PROFILES)


def test_the_demonstration_is_what_it_says_it_is() -> None:
    shipped = known(*guides.definitions().values())
    kinds: Counter[str] = Counter()
    for one in demonstration():
        for url in claimed(one):
            found = Judge(shipped, one).resource(url)
            assert [i.diagnostics for i in found if i.severity == "error"] == [], (name(one), url)
            kinds[url.rpartition("/")[2]] += 1
    assert {f"us-core-{wanted}" for wanted in PROFILES} - set(kinds) == LATER


@pytest.mark.parametrize(
    "world",
    [world for module, world in WORLDS if not module.__name__.endswith("poor")],
    ids=lambda world: world.who,
)
def test_a_plan_written_by_hand_is_what_us_core_asks_for(world: Any) -> None:
    assert {"careplan", "goal", "patient"} <= set(judged(iter(world.all())))


def act() -> Act:
    number = count()
    return Act(EVE, NOW, lambda: f"new-{next(number)}", AGENCY)


def made() -> Iterator[Json]:
    """What operations write: a draft, a proposal, signatures, a review, progress, a renewal."""
    subject, form = reference("Patient/ada"), {**ANSWERS, "id": "form"}
    basis = Basis(subject, form, TEMPLATE, [patient()], None, NOW.date(), None)
    yield from drafted(basis, RULES.limits, act())
    plan = assemble([{"meta": {"versionId": "1"}} | one for one in whole().all()], "ada")
    yield from renewed(plan, Renewal(None, None), RULES.limits, act())
    yield from started(plan, act())
    resources = {**plan.resources, plan.name: {**plan.care_plan, "status": "draft"}}
    waiting = assemble(resources.values(), "ada")
    yield from proposed(waiting, Asking((), None), RULES, act())
    for who in (EVE, subject):
        signer = Signer(who, NOW, organization=AGENCY)
        yield signature(plan, signer)
        yield refusal(plan, signer, "No.")
    told = Progress("improving", 2, "2026-01-04", None, NOW)
    yield observation(goal(), told, "measured")


def test_what_the_server_makes_is_what_us_core_asks_for() -> None:
    named = ({"id": "x"} | one for one in made())
    seen = judged(named)
    assert set(seen) >= {"careplan", "goal", "careteam", "servicerequest", "provenance"}
    assert set(seen) >= {"simple-observation", "care-experience-preference"}
    assert set(seen) >= {"condition-problems-health-concerns", "questionnaireresponse"}


BROKEN: dict[str, tuple[str, Json]] = {
    "careplan": ("CarePlan/ada", {"category": [{"text": "Plan"}]}),
    "careteam": ("CareTeam/ada", {"participant": [{"member": reference("Patient/ada")}]}),
    "patient": ("Patient/ada", {"name": [{"text": "Ada"}]}),
    "condition-problems-health-concerns": ("Condition/need-work", {"category": []}),
    "servicerequest": ("ServiceRequest/h2023-employment", {"code": None}),
    "observation-screening-assessment": ("Observation/ada-functioning", {"valueString": None}),
    "relatedperson": ("RelatedPerson/ines", {"active": None}),
    "questionnaireresponse": ("QuestionnaireResponse/ada-assessment", {"subject": None}),
}


@pytest.mark.parametrize("wanted", BROKEN)
def test_what_is_not_is_found(wanted: str) -> None:
    own, changes = BROKEN[wanted]
    [resource] = [one for one in whole().all() if name(one) == own]
    broken = {key: value for key, value in (resource | changes).items() if value}
    assert errors(resource, wanted) == []
    assert errors(broken, wanted)


def test_a_practitioner_acts_for_an_organization() -> None:
    proof = signature(assemble([*whole().all()], "ada"), Signer(EVE, NOW, organization=AGENCY))
    assert errors(proof, "provenance") == []
    assert errors(proof | {"agent": [{"who": EVE}]}, "provenance")


@pytest.mark.skipif(not shutil.which("npm"), reason="no npm is installed")
def test_the_row_of_the_patient_asks_for_all_that_us_core_asks() -> None:
    """Of version 5, the one that npm has; what came later is in the row besides."""
    official = json.loads(fetched("us-core.json").read_text("utf-8"))
    [found] = [one for one in official if one["id"] == "us-core-patient"]
    said = {each["id"]: each["min"] for each in PROFILES["patient"]}
    for element in found["snapshot"]["element"]:
        is_asked = element["min"] > element.get("base", {}).get("min", 0)
        if is_asked and ":" not in element["id"]:
            assert said[element["id"]] == element["min"], element["id"]
    theirs = known(*official)
    for world in (world for module, world in WORLDS if not module.__name__.endswith("poor")):
        [person] = [one for one in world.all() if one["resourceType"] == "Patient"]
        issues = Judge(theirs, person).resource(BASE + "patient")
        assert [one.diagnostics for one in issues if one.severity == "error"] == []
