"""Ways to break what a plan says: its frame, the person, goals, services."""

from collections.abc import Iterator

from app.isp import codes as code
from tests.build import Resource, concept, reference
from tests.isp.breaking.change import Case, drop, frame, gone, no_link, noting, set_
from tests.worlds.frame import SNOMED, days, local
from tests.worlds.whole import SERVICE
from tests.worlds.world import World

TARGET = {"measure": {"text": "Days"}, "detailQuantity": {"value": 1}, "dueDate": "2026-08-20"}


def without(element: Resource, name: str) -> Resource:
    return {key: value for key, value in element.items() if key != name}


def the_frame() -> Iterator[Case]:
    job = "Goal/job"
    yield "C01", "CarePlan/ada CarePlan.category", frame(category=[concept(SNOMED, "734163000")])
    yield "C01", "CarePlan/ada CarePlan.intent", frame(intent="proposal")
    yield "C01", "CarePlan/ada CarePlan.period.start", frame(period={"end": "2026-08-31"})
    yield "C03", "Goal/job Goal.statusReason", set_(job, lifecycleStatus="cancelled")
    yield "C04", "Goal/job Goal.meta.versionId", set_(job, meta={"versionId": "2"})
    yield (
        "C05",
        "CarePlan/ada-crisis-plan CarePlan.period",
        set_("CarePlan/ada-crisis-plan", period=days("2025-09-01", "2027-08-31")),
    )
    yield (
        "C05",
        "CarePlan/ada-crisis-plan CarePlan.subject",
        set_("CarePlan/ada-crisis-plan", subject=reference("Patient/bob")),
    )
    yield (
        "C05",
        "CarePlan/ada CarePlan.partOf",
        frame(partOf=[reference("CarePlan/ada-crisis-plan")]),
    )
    yield "C16", "CarePlan/ada CarePlan.addresses", lambda _: None
    yield "C60", "CarePlan/ada CarePlan.instantiatesCanonical", lambda world: world.changes.clear()


def the_person() -> Iterator[Case]:
    yield (
        "C17",
        "CarePlan/ada CarePlan.supportingInfo",
        no_link(
            "supportingInfo", "QuestionnaireResponse/ada-assessment", "Observation/ada-functioning"
        ),
    )
    yield (
        "C18",
        "CarePlan/ada CarePlan.supportingInfo",
        no_link("supportingInfo", "Observation/ada-functioning"),
    )
    yield (
        "C19",
        "QuestionnaireResponse/ada-assessment QuestionnaireResponse.item",
        set_("QuestionnaireResponse/ada-assessment", item=[{"linkId": "medical"}]),
    )
    yield "C20", "CarePlan/ada CarePlan.supportingInfo", gone("Observation/ada-strength")
    yield "C21", "CarePlan/ada CarePlan.supportingInfo", gone("Observation/ada-preference")
    yield "C22", "Patient/ada Patient.communication", drop("Patient/ada", "communication")
    yield "C23", "Condition/need-new Condition", lambda world: world.need("need-new", "A bicycle")
    yield "C23", "Condition/need-work Condition", no_link("addresses", "Condition/need-work")
    yield "C24", "CareTeam/ada CareTeam.participant[4].member", gone("Consent/allows-ines")
    yield (
        "C24",
        "QuestionnaireResponse/ada-assessment QuestionnaireResponse.source",
        lambda world: (
            gone("Consent/allows-ines")(world),
            set_("QuestionnaireResponse/ada-assessment", source=reference("RelatedPerson/ines"))(
                world
            ),
        ),
    )


def goals() -> Iterator[Case]:
    job = "Goal/job"
    yield "C12", "Goal/job Goal.target", drop(job, "target")
    yield "C12", "Goal/job Goal.target[0].measure", set_(job, target=[without(TARGET, "measure")])
    yield "C12", "Goal/job Goal.target[0].due", set_(job, target=[without(TARGET, "dueDate")])
    yield (
        "C12",
        "Goal/job Goal.target[0].detail",
        set_(job, target=[without(TARGET, "detailQuantity") | {"detailString": "often"}]),
    )
    yield (
        "C13",
        "Goal/job Goal.extension.where(url.endsWith('goal-baseline'))",
        set_(job, extension=[]),
    )
    yield "C14", "Goal/job Goal.achievementStatus", drop(job, "achievementStatus")
    yield "C15", "Goal/job Goal.category", drop(job, "category")
    yield "C26", "Goal/job Goal.subject", set_(job, subject=reference("Patient/bob"))
    yield (
        "C28",
        "Goal/job Goal.extension.where(url.endsWith('goal-acceptance'))",
        set_(job, extension=[]),
    )
    yield (
        "C29",
        "Goal/job Goal.target[0].due",
        set_(job, target=[TARGET | {"dueDate": "2026-12-01"}]),
    )
    yield (
        "C29-overdue",
        "Goal/job Goal.target[0].due",
        set_(job, target=[TARGET | {"dueDate": "2025-12-01"}]),
    )


def what_serves_the_goals() -> Iterator[Case]:
    yield "C25", "Goal/job Goal.target.due", gone("Goal/trial")
    yield "C25", "Goal/job Goal.target.due", set_("Goal/trial", target=[TARGET])
    yield (
        "C27",
        "CarePlan/ada CarePlan.goal",
        lambda world: [
            set_(goal, expressedBy=reference("PractitionerRole/eve"))(world)
            for goal in world.links["goal"]
        ],
    )
    yield (
        "C31",
        "Goal/job Goal",
        lambda world: [world[SERVICE].update(extension=[]), world.resources],
    )
    yield (
        "C31",
        f"{SERVICE} ServiceRequest",
        lambda world: (world[SERVICE].update(extension=[]), world[SERVICE].pop("reasonReference")),
    )
    yield (
        "C61",
        "Goal/job Goal.note",
        lambda world: [world[goal].pop("note") for goal in ("Goal/job", "Goal/trial")],
    )
    yield (
        "C62",
        "DocumentReference/ada-note-2025-11-03 DocumentReference.context.related",
        (lambda world: world.notes("2025-11-03")),
    )


def services() -> Iterator[Case]:
    yield (
        "C08",
        f"{SERVICE} ServiceRequest.occurrence",
        set_(
            SERVICE, occurrenceTiming={"repeat": {"boundsPeriod": days("2025-09-01", "2026-08-31")}}
        ),
    )
    yield (
        "C09",
        f"{SERVICE} ServiceRequest.occurrence",
        set_(
            SERVICE, occurrenceTiming={"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}}
        ),
    )
    yield "C10", f"{SERVICE} ServiceRequest.reasonReference", drop(SERVICE, "reasonReference")
    yield "C11", f"{SERVICE} ServiceRequest.insurance", drop(SERVICE, "insurance")
    yield "C32", f"{SERVICE} ServiceRequest", set_(SERVICE, category=[local(code.RESTRICTION)])
    yield "C33", f"{SERVICE} ServiceRequest.status", set_(SERVICE, status="revoked")
    yield "C34", f"{SERVICE} ServiceRequest.code", set_(SERVICE, code={"text": "Support"})
    yield "C35", f"{SERVICE} ServiceRequest.performer", drop(SERVICE, "performer")
    yield "C35", "Task/walk Task.owner", drop("Task/walk", "owner")
    yield (
        "C36",
        f"{SERVICE} ServiceRequest.performer[0]",
        set_(SERVICE, performer=[reference("PractitionerRole/stranger")]),
    )
    yield (
        "C38",
        f"{SERVICE} ServiceRequest.note",
        set_(SERVICE, note=[{"text": "Needs a bus pass to get there."}]),
    )
    yield "C39", "Task/walk Task.owner", gone("Task/walk-informed")
    yield "C41", "CarePlan/ada CarePlan.supportingInfo", gone("NutritionOrder/ada-diet")


CASES = [
    case
    for cases in (the_frame, the_person, goals, what_serves_the_goals, services)
    for case in cases()
]
breaks = noting(CASES)


@breaks("C02", "CarePlan/ada CarePlan.instantiatesCanonical")
def template(world: World) -> None:
    said = [world[goal]["description"] for goal in world.links["goal"]]
    url = world.changes["instantiatesCanonical"][0]
    goals = [{"description": one} for one in said]
    world.put(
        {
            "resourceType": "PlanDefinition",
            "id": "isp",
            "url": url,
            "status": "active",
            "goal": goals,
        }
    )


@breaks("C06", "CarePlan/ada-other CarePlan.status")
def second(world: World) -> None:
    [made] = [
        one for one in world.all() if one.get("id") == "ada" and one["resourceType"] == "CarePlan"
    ]
    world.put({**made, "id": "ada-other"})


@breaks("C07", "ServiceRequest/h2023-again ServiceRequest.code")
def twice(world: World) -> None:
    world.member("PractitionerRole/zoe", "Job coach")
    world.service(
        "h2023-again", "Employment", "PractitionerRole/zoe", ["Goal/job"], "Condition/need-work"
    )


@breaks("C23", "CarePlan/ada CarePlan.addresses")
def needless(world: World) -> None:
    gone("Condition/need-work", "Condition/need-people")(world)


@breaks("C26", "Goal/job Goal.extension.where(url.endsWith('goal-relationship'))")
def circle(world: World) -> None:
    [relation] = [
        one for one in world["Goal/trial"]["extension"] if one["url"].endswith("relationship")
    ]
    kind, _ = relation["extension"]
    back = {"url": "target", "valueReference": reference("Goal/trial")}
    world["Goal/job"]["extension"].append({**relation, "extension": [kind, back]})


@breaks("C28", "Goal/job Goal.extension.where(url.endsWith('goal-acceptance'))")
def disagreed(world: World) -> None:
    world["Goal/job"]["extension"][0]["extension"][0]["valueCode"] = "disagree"
    world["Goal/job"].pop("note")


@breaks("C43", "Observation/no-bus Observation")
def barrier(world: World) -> None:
    what, focus = concept(SNOMED, code.BARRIER), [reference("Goal/job")]
    world.observe("no-bus", "The bus was cut.", what, focus=focus)
