"""One way or more to break each check, as (check, place where it must be found, what to change)."""

from collections.abc import Callable, Iterator
from typing import Any

from app.isp import codes as code
from tests.build import HL7, Resource, concept, reference
from tests.worlds.world import SNOMED, World, days, local

Break = Callable[[World], object]
CASES: list[tuple[str, str, Break]] = []


def breaks(check: str, *places: str) -> Callable[[Break], Break]:
    def note(change: Break) -> Break:
        CASES.extend((check, place, change) for place in places)
        return change

    return note


def set_(own: str, **elements: Any) -> Break:
    return lambda world: world[own].update(elements)


def drop(own: str, element: str) -> Break:
    return lambda world: world[own].pop(element)


def frame(**elements: Any) -> Break:
    return lambda world: world.changes.update(elements)


def no_link(kind: str, *targets: str) -> Break:
    def change(world: World) -> None:
        world.links[kind] = [one for one in world.links[kind] if one not in targets]

    return change


def gone(*owns: str) -> Break:
    """The resources were never written, and nothing leads to them."""

    def change(world: World) -> None:
        for own in owns:
            world.resources.pop(own)
            for kind in list(world.links):
                no_link(kind, own)(world)

    return change


def the_frame() -> Iterator[tuple[str, str, Break]]:
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


def the_person() -> Iterator[tuple[str, str, Break]]:
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


def goals() -> Iterator[tuple[str, str, Break]]:
    target = {"measure": {"text": "Days"}, "detailQuantity": {"value": 1}, "dueDate": "2026-08-20"}
    job = "Goal/job"
    service = "ServiceRequest/h2023-employment"
    yield "C12", "Goal/job Goal.target", drop(job, "target")
    yield "C12", "Goal/job Goal.target[0].measure", set_(job, target=[without(target, "measure")])
    yield "C12", "Goal/job Goal.target[0].due", set_(job, target=[without(target, "dueDate")])
    yield (
        "C12",
        "Goal/job Goal.target[0].detail",
        set_(job, target=[without(target, "detailQuantity") | {"detailString": "often"}]),
    )
    yield (
        "C13",
        "Goal/job Goal.extension.where(url.endsWith('goal-baseline'))",
        set_(job, extension=[]),
    )
    yield "C14", "Goal/job Goal.achievementStatus", drop(job, "achievementStatus")
    yield "C15", "Goal/job Goal.category", drop(job, "category")
    yield "C25", "Goal/job Goal.target.due", gone("Goal/trial")
    yield "C25", "Goal/job Goal.target.due", set_("Goal/trial", target=[target])
    yield "C26", "Goal/job Goal.subject", set_(job, subject=reference("Patient/bob"))
    yield (
        "C27",
        "CarePlan/ada CarePlan.goal",
        lambda world: [
            set_(goal, expressedBy=reference("PractitionerRole/eve"))(world)
            for goal in world.links["goal"]
        ],
    )
    yield (
        "C28",
        "Goal/job Goal.extension.where(url.endsWith('goal-acceptance'))",
        set_(job, extension=[]),
    )
    yield (
        "C29",
        "Goal/job Goal.target[0].due",
        set_(job, target=[target | {"dueDate": "2026-12-01"}]),
    )
    yield (
        "C29-overdue",
        "Goal/job Goal.target[0].due",
        set_(job, target=[target | {"dueDate": "2025-12-01"}]),
    )
    yield (
        "C31",
        "Goal/job Goal",
        lambda world: [world[service].update(extension=[]), world.resources],
    )
    yield (
        "C31",
        f"{service} ServiceRequest",
        lambda world: (world[service].update(extension=[]), world[service].pop("reasonReference")),
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


def services() -> Iterator[tuple[str, str, Break]]:
    service = "ServiceRequest/h2023-employment"
    yield (
        "C08",
        f"{service} ServiceRequest.occurrence",
        set_(
            service, occurrenceTiming={"repeat": {"boundsPeriod": days("2025-09-01", "2026-08-31")}}
        ),
    )
    yield (
        "C09",
        f"{service} ServiceRequest.occurrence",
        set_(
            service, occurrenceTiming={"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}}
        ),
    )
    yield "C10", f"{service} ServiceRequest.reasonReference", drop(service, "reasonReference")
    yield "C11", f"{service} ServiceRequest.insurance", drop(service, "insurance")
    yield "C32", f"{service} ServiceRequest", set_(service, category=[local(code.RESTRICTION)])
    yield "C33", f"{service} ServiceRequest.status", set_(service, status="revoked")
    yield "C34", f"{service} ServiceRequest.code", set_(service, code={"text": "Support"})
    yield "C35", f"{service} ServiceRequest.performer", drop(service, "performer")
    yield "C35", "Task/walk Task.owner", drop("Task/walk", "owner")
    yield (
        "C36",
        f"{service} ServiceRequest.performer[0]",
        set_(service, performer=[reference("PractitionerRole/stranger")]),
    )
    yield (
        "C38",
        f"{service} ServiceRequest.note",
        set_(service, note=[{"text": "Needs a bus pass to get there."}]),
    )
    yield "C39", "Task/walk Task.owner", gone("Task/walk-informed")
    yield "C41", "CarePlan/ada CarePlan.supportingInfo", gone("NutritionOrder/ada-diet")


def safety_and_agreement() -> Iterator[tuple[str, str, Break]]:
    service = "ServiceRequest/h2023-employment"
    yield "C30", "CarePlan/ada CarePlan.status", gone("Provenance/ada-signed-ada")
    yield (
        "C42",
        "RiskAssessment/risk-lost RiskAssessment.mitigation",
        drop("RiskAssessment/risk-lost", "mitigation"),
    )
    yield "C44", "CarePlan/ada CarePlan", gone("CarePlan/ada-crisis-plan")
    yield (
        "C44",
        "CarePlan/ada-crisis-plan CarePlan.activity",
        drop("CarePlan/ada-crisis-plan", "activity"),
    )
    yield (
        "C44",
        "CarePlan/ada-crisis-plan CarePlan.description",
        set_("CarePlan/ada-crisis-plan", description="I call Ines."),
    )
    yield (
        "C44",
        "CarePlan/ada-crisis-plan CarePlan.created",
        set_("CarePlan/ada-crisis-plan", created="2024-01-01"),
    )
    yield "C45", "CarePlan/ada CarePlan", gone("CarePlan/ada-discharge-plan")
    yield "C49", "CarePlan/ada CarePlan", gone("Provenance/ada-signed-ida")
    yield (
        "C50",
        "Provenance/ada-signed-ada Provenance.signature[0]",
        set_("Provenance/ada-signed-ada", target=[reference("CarePlan/ada")]),
    )
    yield "C51", f"{service} ServiceRequest.performer[0]", gone("Provenance/ada-signed-tom")
    yield "C51", "CarePlan/ada CarePlan.author", gone("Provenance/ada-signed-eve")
    yield (
        "C52",
        "QuestionnaireResponse/ada-assessment QuestionnaireResponse.authored",
        drop("QuestionnaireResponse/ada-assessment", "authored"),
    )
    yield (
        "C52",
        "QuestionnaireResponse/ada-assessment QuestionnaireResponse.author",
        drop("QuestionnaireResponse/ada-assessment", "author"),
    )
    yield (
        "C52-signature",
        "QuestionnaireResponse/ada-assessment QuestionnaireResponse",
        gone("Provenance/ada-assessment-signed"),
    )
    yield "C58", "CarePlan/ada CarePlan", gone("Communication/ada-explained")


def clock_and_privacy() -> Iterator[tuple[str, str, Break]]:
    yield "C53", "CarePlan/ada CarePlan", gone("Task/ada-review-2026-02-27")
    yield "C54", "CarePlan/ada CarePlan.period.end", frame(period=days("2025-09-01", "2026-12-31"))
    yield "C54", "CarePlan/ada CarePlan.period.end", frame(period=days("2025-09-01", None))
    yield (
        "C55",
        "Task/ada-review-2026-02-27 Task.restriction.period.end",
        set_("Task/ada-review-2026-02-27", restriction={"period": {"end": "2026-01-02"}}),
    )
    yield "C55", "CarePlan/ada CarePlan.period.end", frame(period=days("2025-01-01", "2025-12-31"))
    yield "C59", "CarePlan/ada CarePlan", gone("Appointment/ada-meeting-2026-02-20")
    yield (
        "C64",
        "Consent/allows-ines Consent.source",
        drop("Consent/allows-ines", "sourceReference"),
    )
    yield "C64", "Consent/allows-ines Consent.performer", drop("Consent/allows-ines", "performer")
    for path in ("securityLabel", "purpose"):
        yield "C64-part2", f"Consent/allows-ines Consent.provision.{path}", lambda _: None
    yield (
        "C64-part2",
        "Consent/allows-ines Consent.provision.period.end",
        set_("Consent/allows-ines", provision={"type": "permit"}),
    )


def law() -> Iterator[tuple[str, str, Break]]:
    yield "C65", "CarePlan/ada CarePlan.encounter", lambda world: world.changes.pop("encounter")
    yield "C66", "CarePlan/ada CarePlan.supportingInfo", gone("QuestionnaireResponse/ada-choice")
    yield (
        "C66",
        "QuestionnaireResponse/ada-choice QuestionnaireResponse.item",
        (lambda world: world.choices("q1", "q2", id="ada-choice")),
    )
    yield (
        "C67",
        "ServiceRequest/h2023-employment ServiceRequest.performer[0]",
        set_("PractitionerRole/tom", organization=reference("Organization/agency")),
    )
    yield "C68", "CarePlan/ada CarePlan.supportingInfo", gone("Task/walk")
    yield "C69", "CarePlan/ada CarePlan", drop("EpisodeOfCare/ada", "careManager")
    yield (
        "C70",
        "CareTeam/ada CareTeam.participant[4].member",
        set_("Communication/ada-explained", recipient=[reference("Patient/ada")]),
    )
    yield (
        "C71",
        "CarePlan/ada CarePlan.created",
        set_("EpisodeOfCare/ada", period=days("2025-05-01", None)),
    )
    yield "C72", "Goal/job Goal.priority", drop("Goal/job", "priority")


def without(element: Resource, name: str) -> Resource:
    return {key: value for key, value in element.items() if key != name}


for cases in (the_frame, the_person, goals, services, safety_and_agreement, clock_and_privacy, law):
    CASES.extend(cases())


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


@breaks("C37", "CareTeam/ada CareTeam.participant.role")
def nobody_in_charge(world: World) -> None:
    world.participants[1]["role"] = [{"text": "Helps"}]


@breaks("C40", "CareTeam/ada CareTeam.participant[4].role")
def sister_without_role(world: World) -> None:
    world.participants[4].pop("role")


@breaks("C43", "Observation/no-bus Observation")
def barrier(world: World) -> None:
    what, focus = concept(SNOMED, code.BARRIER), [reference("Goal/job")]
    world.observe("no-bus", "The bus was cut.", what, focus=focus)


@breaks(
    "C46",
    "Goal/job Goal.lifecycleStatus",
    "CarePlan/ada CarePlan.supportingInfo",
    "CarePlan/ada-discharge-plan CarePlan.activity",
    "CarePlan/ada CarePlan.activity",
)
def discharged(world: World) -> None:
    world.status = "completed"


@breaks("C47", "CareTeam/ada CareTeam.participant")
def without_the_person(world: World) -> None:
    world.participants.pop(0)


@breaks("C47", "CarePlan/ada CarePlan.careTeam")
def without_team(world: World) -> None:
    world.participants.clear()


@breaks("C48", "CareTeam/ada CareTeam.participant.role")
def one_discipline(world: World) -> None:
    del world.participants[2:4]


@breaks("C50", "Provenance/ada-signed-ada Provenance.signature[0]")
def changed_since(world: World) -> None:
    world.version = "2"


@breaks("C51", "Provenance/ada-refused Provenance.reason")
def refused_without_reason(world: World) -> None:
    world.refuses("PractitionerRole/tom", None)


@breaks("C56", "Task/ada-review-2025-12-01 Task.output")
def review_without_form(world: World) -> None:
    world.reviews("2025-12-01", "completed", executionPeriod=days(None, "2025-12-01"))


@breaks("C56", "QuestionnaireResponse/review QuestionnaireResponse.item")
def review_of_one_goal(world: World) -> None:
    form = {"resourceType": "QuestionnaireResponse", "id": "review", "status": "completed"}
    answer = {"linkId": "goal", "answer": [{"valueReference": reference("Goal/job")}]}
    world.put(form | {"subject": reference(world.me), "item": [answer]})
    output = [
        {"type": {"text": "Form"}, "valueReference": reference("QuestionnaireResponse/review")}
    ]
    done = days(None, "2025-12-01")
    world.reviews("2025-12-01", "completed", executionPeriod=done, output=output)


@breaks("C57", "Task/ada-review-2026-03-01 Task.status")
def unanswered(world: World) -> None:
    asked = {"authoredOn": "2025-12-01T10:00:00Z", "requester": reference(world.me)}
    world.reviews("2026-03-01", **asked)


@breaks("C63", "Condition/alcohol Condition.meta.security")
def unlabelled(world: World) -> None:
    code_ = concept("http://hl7.org/fhir/sid/icd-10-cm", "F10.20")
    world.diagnosis("alcohol", "Alcohol use disorder", code=code_)


@breaks("C63", "Condition/alcohol Condition.meta.security")
@breaks("C63-basis", "Condition/alcohol Condition.meta.security")
def unrestricted(world: World) -> None:
    label = {"system": f"{HL7}/v3-ActCode", "code": "ETHUD"}
    world.diagnosis("alcohol", "Alcohol use disorder", meta={"security": [label]})
