"""Ways to break how a plan came about and goes on: the team, agreement, clock, privacy, law."""

from collections.abc import Iterator

from tests.build import HL7, concept, reference
from tests.isp.breaking.change import Case, drop, frame, gone, noting, set_
from tests.worlds.frame import days
from tests.worlds.whole import SERVICE
from tests.worlds.world import World


def safety_and_agreement() -> Iterator[Case]:
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
    yield "C51", f"{SERVICE} ServiceRequest.performer[0]", gone("Provenance/ada-signed-tom")
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


def clock_and_privacy() -> Iterator[Case]:
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


def law() -> Iterator[Case]:
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


CASES = [case for cases in (safety_and_agreement, clock_and_privacy, law) for case in cases()]
breaks = noting(CASES)


@breaks("C37", "CareTeam/ada CareTeam.participant.role")
def nobody_in_charge(world: World) -> None:
    world.participants[1]["role"] = [{"text": "Helps"}]


@breaks("C40", "CareTeam/ada CareTeam.participant[4].role")
def sister_without_role(world: World) -> None:
    world.participants[4].pop("role")


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
