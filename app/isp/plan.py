"""Plan: a CarePlan with everything it hangs together with, as one value. No I/O."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from app.fhir.compartments import subjects
from app.fhir.context import Resource
from app.isp import codes as code
from app.isp.agreement import Refusal, Signature, refusals, signatures
from app.isp.element import codes, covers, extensions, inner, members, name, names
from app.isp.service import Service, of_details, of_request, pertains

Resources = tuple[Resource, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of one person: what was given, and what it amounts to.

    `resources` are all that were given, by Type/id; a reference may lead to none of them. `steps`
    leads from each milestone to its long-term goal (names). `parts` are the plans within the plan,
    `supporting` is what the plan rests on, `earlier` what it replaces.
    """

    care_plan: Resource
    resources: Mapping[str, Resource]
    by_type: Mapping[str, Resources]
    parts: Resources
    goals: Resources
    steps: Mapping[str, str]
    services: tuple[Service, ...]
    tasks: Resources
    supporting: Resources
    needs: Resources
    teams: Resources
    signatures: tuple[Signature, ...]
    refusals: tuple[Refusal, ...]

    @property
    def name(self) -> str:
        return name(self.care_plan)

    @property
    def whole(self) -> Resources:
        """The plan and its parts."""
        return (self.care_plan, *self.parts)

    @property
    def patient(self) -> Resource | None:
        """The person, where their record was given."""
        return next((one for one in self.get(self.care_plan.get("subject"))), None)

    @property
    def is_effective(self) -> bool:
        """Whether the plan is in force, on hold or fulfilled: it must have been agreed on."""
        return self.care_plan.get("status") in code.EFFECTIVE

    @property
    def is_current(self) -> bool:
        """Whether the plan is being carried out."""
        return self.care_plan.get("status") in ("active", "on-hold")

    def of(self, type_: str) -> Resources:
        """All resources of a type that were given."""
        return self.by_type.get(type_, ())

    def get(self, references: object) -> Resources:
        """The resources that References point to, as far as they were given."""
        found = (self.resources.get(target) for target in names(references))
        return tuple(one for one in found if one is not None)

    def part(self, kinds: frozenset[str]) -> Resources:
        """The parts of one of these kinds, such as crisis-plan."""
        return tuple(one for one in self.parts if codes(one.get("category")) & kinds)

    def observed(self, kinds: frozenset[str]) -> Resources:
        """The supporting Observations with one of these codes."""
        return tuple(
            one
            for one in self.supporting
            if one["resourceType"] == "Observation" and codes(one.get("code")) & kinds
        )

    @property
    def live_goals(self) -> Resources:
        """The goals that are pursued, or are about to be."""
        return tuple(one for one in self.goals if one.get("lifecycleStatus") in code.LIVE_GOALS)

    @property
    def live_services(self) -> tuple[Service, ...]:
        """The services that are given, or are about to be."""
        return tuple(one for one in self.services if one.is_live)

    def tasks_of(self, kind: str) -> Resources:
        """The Tasks with this code of the local system."""
        return tuple(one for one in self.tasks if kind in codes(one.get("code")))

    @property
    def supports(self) -> Resources:
        """The Tasks that are support in themselves, such as what family does."""
        return tuple(
            one
            for one in self.tasks
            if one.get("status") in code.LIVE_TASKS and not codes(one.get("code")) & code.PROCESS
        )

    def serving(self) -> Iterator[str]:
        """The names of the goals for which something is done."""
        for service in self.live_services:
            yield from service.goals
        for task in self.supports:
            yield from pertains(task)

    def members(self, today: date) -> Iterator[tuple[Resource, int, Resource]]:
        """Who is on the team on this day: team, index of the participant, participant."""
        for team in self.teams:
            for index, one in enumerate(members(team.get("participant"))):
                if covers(one.get("period"), today):
                    yield team, index, one

    def related(self, roles: frozenset[str], today: date) -> list[str]:
        """The names of the RelatedPersons in one of these roles on this day."""
        return [
            name(one)
            for one in self.of("RelatedPerson")
            if codes(one.get("relationship")) & roles and covers(one.get("period"), today)
        ]


def assemble(resources: Iterable[Resource], care_plan_id: str) -> Plan:
    """The plan with this id, from resources in any order. LookupError where it is not among them.

    References are relative, as stored here: Type/id or Type/id/_history/n.
    """
    known = {name(one): one for one in resources}
    care_plan = known[f"CarePlan/{care_plan_id}"]
    by_type = _sorted(known.values(), care_plan)
    parts = tuple(_parts(known.values(), {name(care_plan)}))
    whole = (care_plan, *parts)
    goals = _goals(whole, known)
    services = tuple(_services(whole, goals, known, by_type.get("ServiceRequest", ())))
    supporting = _linked(whole, "supportingInfo", known)
    return Plan(
        care_plan=care_plan,
        resources=known,
        by_type=by_type,
        parts=parts,
        goals=goals,
        steps=dict(_steps(goals)),
        services=services,
        tasks=tuple(_tasks(whole, goals, known, by_type.get("Task", ()))),
        supporting=supporting,
        needs=tuple(_needs(by_type.get("Condition", ()), whole)),
        teams=_linked((care_plan,), "careTeam", known),
        signatures=tuple(signatures(by_type.get("Provenance", ()), name(care_plan))),
        refusals=tuple(refusals(by_type, name(care_plan))),
    )


def _sorted(resources: Iterable[Resource], care_plan: Resource) -> Mapping[str, Resources]:
    """By type, without what is about somebody else."""
    own, found = set(subjects(care_plan, "")), dict[str, list[Resource]]()
    for one in resources:
        about = subjects(one, "")
        if not about or not own or own & set(about):
            found.setdefault(one["resourceType"], []).append(one)
    return {type_: tuple(some) for type_, some in found.items()}


def _linked(whole: Iterable[Resource], element: str, known: Mapping[str, Resource]) -> Resources:
    targets = dict.fromkeys(target for one in whole for target in names(one.get(element)))
    return tuple(known[target] for target in targets if target in known)


def _parts(resources: Iterable[Resource], above: set[str]) -> Iterator[Resource]:
    """The plans within those above, and within these, each once: a circle ends where it began."""
    plans = [one for one in resources if one["resourceType"] == "CarePlan" and "partOf" in one]
    found = plans
    while found:
        found = [o for o in plans if set(names(o["partOf"])) & above and name(o) not in above]
        above = above | {name(one) for one in found}
        yield from found


def _steps(goals: Resources) -> Iterator[tuple[str, str]]:
    for goal in goals:
        for one in extensions(goal, "goal-relationship"):
            if "milestone" in codes(inner(one, "type").get("valueCodeableConcept")):
                for target in names(inner(one, "target").get("valueReference")):
                    yield name(goal), target


def _goals(whole: Iterable[Resource], known: Mapping[str, Resource]) -> Resources:
    """The goals of the plan and its parts, and the milestones of these."""
    linked = _linked(whole, "goal", known)
    own = {name(one) for one in linked}
    rest = tuple(o for o in known.values() if o["resourceType"] == "Goal" and name(o) not in own)
    steps = {step for step, target in _steps(rest) if target in own}
    return (*linked, *(known[step] for step in steps if step in known))


def _activities(whole: Iterable[Resource]) -> dict[str, None]:
    activities = (one for plan in whole for one in members(plan.get("activity")))
    return dict.fromkeys(t for one in activities for t in names(one.get("reference")))


def _services(
    whole: Resources,
    goals: Resources,
    known: Mapping[str, Resource],
    requests: Iterable[Resource],
) -> Iterator[Service]:
    plans, own = {name(one) for one in whole}, {name(goal) for goal in goals}
    listed = _activities(whole)
    for request in requests:
        service = of_request(request)
        based = plans & set(names(request.get("basedOn")))
        if service.name in listed or based or own & set(service.goals):
            yield service
    for plan in whole:
        yield from of_details(plan)


def _tasks(
    whole: Resources, goals: Resources, known: Mapping[str, Resource], tasks: Iterable[Resource]
) -> Iterator[Resource]:
    own = {name(one) for one in (*whole, *goals)}
    listed = _activities(whole)
    for task in tasks:
        about = {*names(task.get("focus")), *names(task.get("basedOn")), *pertains(task)}
        if name(task) in listed or own & about:
            yield task


def _needs(conditions: Iterable[Resource], whole: Iterable[Resource]) -> Iterator[Resource]:
    """The open needs: as assessed, whether or not addressed, and what else the plan calls one."""
    addressed = {target for one in whole for target in names(one.get("addresses"))}
    for one in conditions:
        kinds = codes(one.get("category"))
        is_need = code.ASSESSED_NEED in kinds
        if code.HEALTH_CONCERN in kinds and name(one) in addressed:
            is_need = True
        if is_need and not codes(one.get("clinicalStatus")) & {"inactive", "remission", "resolved"}:
            yield one
