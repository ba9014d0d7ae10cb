from collections import Counter
from datetime import date, timedelta

import pytest

from tests.isp.loaded import (
    CLIENTS,
    TODAY,
    codes,
    current,
    extension,
    milestone_of,
    name,
    of,
    versions,
)

REVIEW = timedelta(days=183)


@pytest.mark.parametrize("client", CLIENTS)
def test_the_plan_has_its_frame(client: str) -> None:
    plan = current()[CLIENTS[client]]
    assert {"assess-plan", "734163000", "individualized-service-plan"} <= codes(plan["category"])
    assert plan["intent"] == "plan"
    for element in ("text", "title", "author", "created", "careTeam", "goal", "activity"):
        assert plan[element]
    begins, ends = (date.fromisoformat(plan["period"][key]) for key in ("start", "end"))
    assert begins < TODAY < ends <= begins + timedelta(days=366)


@pytest.mark.parametrize("client", CLIENTS)
def test_the_plan_rests_on_assessment_needs_strengths_and_preferences(client: str) -> None:
    plan = current()[CLIENTS[client]]
    support = [current()[target["reference"]] for target in plan["supportingInfo"]]
    types = Counter(one["resourceType"] for one in support)
    assert types["QuestionnaireResponse"] >= 2
    assert types["RiskAssessment"] >= 1
    observed = [one for one in support if one["resourceType"] == "Observation"]
    assert any("functional-status" in codes(one["category"]) for one in observed)
    assert any("strength" in codes(one["code"]) for one in observed)
    assert any("95541-9" in codes(one["code"]) for one in observed)
    needs = [one for one in of(client, "Condition") if "assessed-need" in codes(one["category"])]
    addressed = {target["reference"] for target in plan["addresses"]}
    assert needs
    assert {name(need) for need in needs} <= addressed


@pytest.mark.parametrize("client", CLIENTS)
def test_every_goal_is_the_persons_own_and_can_be_measured(client: str) -> None:
    goals = of(client, "Goal")
    assert len(goals) >= 4
    assert any(goal["expressedBy"]["reference"] == client for goal in goals)
    for goal in goals:
        (target,) = goal["target"]
        assert {"measure", "detailQuantity", "dueDate"} <= set(target)
        assert goal["achievementStatus"]
        assert goal["expressedBy"]
        assert extension(goal, "goal-acceptance")[0]["status"]["valueCode"] == "agree"
        assert extension(goal, "goal-baseline")


@pytest.mark.parametrize("client", CLIENTS)
def test_every_long_term_goal_has_a_milestone_due_before_it(client: str) -> None:
    goals = {name(goal): goal for goal in of(client, "Goal")}
    due = {own: date.fromisoformat(goal["target"][0]["dueDate"]) for own, goal in goals.items()}
    long_term = {own for own, goal in goals.items() if milestone_of(goal) is None}
    steps = {own: milestone_of(goal) for own, goal in goals.items() if own not in long_term}
    assert set(steps.values()) == long_term
    for own, target in steps.items():
        assert target is not None
        assert due[own] < due[target]


@pytest.mark.parametrize("client", CLIENTS)
def test_every_service_says_who_how_often_until_when_for_what_and_who_pays(client: str) -> None:
    services = of(client, "ServiceRequest")
    assert len(services) >= 4
    for service in services:
        assert service["performer"]
        assert service["reasonReference"]
        assert service["insurance"]
        assert service["occurrenceTiming"]["repeat"]["boundsPeriod"]["end"]
        assert extension(service, "resource-pertainsToGoal")
        assert "quantityRatio" in service or service.get("asNeededBoolean")


@pytest.mark.parametrize("client", CLIENTS)
def test_every_active_goal_has_something_done_for_it(client: str) -> None:
    works = of(client, "ServiceRequest") + of(client, "Task")
    served = {
        one["valueReference"]["reference"]
        for work in works
        for one in work.get("extension", [])
        if one["url"].endswith("/resource-pertainsToGoal")
    }
    active = {name(goal) for goal in of(client, "Goal") if goal["lifecycleStatus"] == "active"}
    assert active <= served


@pytest.mark.parametrize(
    ("client", "parts"),
    [
        ("Patient/maria-alvarez", {"crisis-plan", "treatment-plan", "discharge-plan"}),
        ("Patient/theo-lindqvist", {"backup-plan", "behavior-support-plan", "discharge-plan"}),
    ],
)
def test_the_plan_has_its_parts(client: str, parts: set[str]) -> None:
    children = [one for one in of(client, "CarePlan") if "partOf" in one]
    assert all(child["partOf"] == [{"reference": CLIENTS[client]}] for child in children)
    assert parts <= {code for child in children for code in codes(child["category"])}


@pytest.mark.parametrize("client", CLIENTS)
def test_safety_is_looked_after(client: str) -> None:
    risks = of(client, "RiskAssessment")
    assert risks
    assert all(risk["mitigation"] for risk in risks)
    assert of(client, "NutritionOrder")
    assert of(client, "MedicationRequest")


@pytest.mark.parametrize(
    ("client", "relative"),
    [
        ("Patient/maria-alvarez", "RelatedPerson/lucia-alvarez"),
        ("Patient/theo-lindqvist", "RelatedPerson/ingrid-lindqvist"),
    ],
)
def test_the_team_has_the_person_a_relative_and_a_key_worker(client: str, relative: str) -> None:
    (team,) = of(client, "CareTeam")
    members = {part["member"]["reference"]: part for part in team["participant"]}
    assert len(members) == len(team["participant"])
    assert all(len(part["role"]) == 1 for part in members.values())
    assert {client, relative} <= set(members)
    author = current()[CLIENTS[client]]["author"]["reference"]
    assert codes(members[author]["role"]) == {"768820003"}
    performers = {
        one["reference"] for work in of(client, "ServiceRequest") for one in work["performer"]
    }
    managing = {one["reference"] for one in team["managingOrganization"]}
    assert performers <= set(members) | managing


@pytest.mark.parametrize(
    ("client", "kinds"),
    [
        ("Patient/maria-alvarez", ["permit", "permit", "permit"]),
        ("Patient/theo-lindqvist", ["deny", "permit"]),
    ],
)
def test_consents_name_an_actor_and_run_today(client: str, kinds: list[str]) -> None:
    consents = of(client, "Consent")
    assert sorted(one["provision"]["type"] for one in consents) == kinds
    for one in consents:
        begins, ends = (
            date.fromisoformat(one["provision"]["period"][key]) for key in ("start", "end")
        )
        assert begins < TODAY < ends
        assert one["provision"]["actor"][0]["reference"]


@pytest.mark.parametrize("client", CLIENTS)
def test_person_and_providers_signed_the_plan_as_it_stands(client: str) -> None:
    plan = CLIENTS[client]
    count = sum(name(one) == plan for bundle in versions() for one in bundle)
    signers = {
        signature["who"]["reference"]
        for one in of(client, "Provenance")
        if {"reference": f"{plan}/_history/{count}"} in one["target"]
        for signature in one.get("signature", [])
    }
    people = {
        one["reference"]
        for work in of(client, "ServiceRequest")
        for one in work["performer"]
        if one["reference"].startswith("PractitionerRole/")
    }
    assert {client, current()[plan]["author"]["reference"]} | people <= signers


@pytest.mark.parametrize("client", CLIENTS)
def test_the_review_is_due_six_months_after_the_start_and_still_ahead(client: str) -> None:
    begins = date.fromisoformat(current()[CLIENTS[client]]["period"]["start"])
    due = [
        date.fromisoformat(task["restriction"]["period"]["end"])
        for task in of(client, "Task")
        if "scheduled-6m" in codes(task.get("reasonCode", {}))
    ]
    assert len(due) == 1
    assert TODAY < due[0] <= begins + REVIEW


@pytest.mark.parametrize("client", CLIENTS)
def test_the_process_around_the_plan_is_recorded(client: str) -> None:
    explained = {"plan-explained"}
    assert any(codes(one["topic"]) == explained for one in of(client, "Communication"))
    for type_ in ("Encounter", "Appointment", "EpisodeOfCare", "Coverage", "DocumentReference"):
        assert of(client, type_), type_
    assert any("inform" in codes(task["code"]) for task in of(client, "Task"))
