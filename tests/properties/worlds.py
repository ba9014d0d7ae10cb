"""Random small worlds of people, organizations and papers; ids begin with W-."""

from typing import Any

from hypothesis import strategies as st

from tests.build import (
    care_team,
    concept,
    consent,
    goal,
    organization,
    patient,
    practitioner_role,
    reference,
    related_person,
)

Json = dict[str, Any]

PATIENTS = ("Patient/W-ada", "Patient/W-ben")
ORGANIZATIONS = ("Organization/W-one", "Organization/W-two")
PRACTITIONERS = ("Practitioner/W-grace", "Practitioner/W-hal")
ROLES = ("PractitionerRole/W-role-0", "PractitionerRole/W-role-1")
RELATED = ("RelatedPerson/W-ines", "RelatedPerson/W-jon")
ACTORS = (*ORGANIZATIONS, *PRACTITIONERS, *ROLES, *RELATED, *PATIENTS)

OVER = {"start": "2019-01-01", "end": "2020-06"}
CURRENT = {"start": "2020-01-01T00:00:00Z", "end": "2090"}
TO_COME = {"start": "2089"}
OPEN = {"start": "2020"}
PERIODS = (None, OVER, CURRENT, TO_COME, OPEN, {"end": "2020"}, {"end": "2091-02-03"})

period = st.sampled_from(PERIODS)
actor = st.sampled_from(ACTORS)


def given(**elements: Any) -> Json:
    """The elements that are not None."""
    return {name: value for name, value in elements.items() if value is not None}


def named(element: str) -> str:
    return element.split("/")[1]


@st.composite
def people(draw: st.DrawFn) -> list[Json]:
    made = [organization(named(each)) for each in ORGANIZATIONS]
    for each in PATIENTS:
        managing = draw(st.sampled_from((None, *ORGANIZATIONS)))
        made.append(patient(named(each), managing))
    for each in RELATED:
        kind = draw(st.sampled_from(("GUARD", "SIS")))
        who = draw(st.sampled_from(PATIENTS))
        more = given(active=draw(st.sampled_from((None, True, False))), period=draw(period))
        person = related_person(named(each), who, kind)
        made.append({**{n: v for n, v in person.items() if n != "active"}, **more})
    return made


@st.composite
def roles(draw: st.DrawFn) -> list[Json]:
    made = []
    for each in ROLES:
        role = practitioner_role(
            named(each),
            draw(st.sampled_from(PRACTITIONERS)),
            draw(st.sampled_from(ORGANIZATIONS)),
            active=draw(st.booleans()),
            **given(period=draw(period)),
        )
        for element in draw(st.sets(st.sampled_from(("practitioner", "organization")), max_size=1)):
            del role[element]
        made.append(role)
    return made


@st.composite
def teams(draw: st.DrawFn) -> list[Json]:
    made = []
    for number in range(draw(st.integers(0, 2))):
        members = draw(st.lists(st.tuples(actor, period), max_size=3))
        participant = [
            {"member": reference(member)} | given(period=when) for member, when in members
        ]
        team = care_team(id_=f"W-team-{number}", patient=draw(st.sampled_from(PATIENTS)))
        team |= given(
            status=draw(st.sampled_from(("active", "active", "proposed", "inactive"))),
            period=draw(period),
        )
        del team["participant"]
        made.append(team | ({"participant": participant} if participant else {}))
    return made


@st.composite
def provision(draw: st.DrawFn) -> Json:
    made = given(type=draw(st.sampled_from(("permit", "deny", None))), period=draw(period))
    actors = draw(st.lists(actor, max_size=2))
    if actors:
        role = concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP")
        made["actor"] = [{"role": role, "reference": reference(each)} for each in actors]
    if draw(st.sampled_from((False, False, False, True))):
        made["purpose"] = [{"code": "TREAT"}]
    return made


@st.composite
def consents(draw: st.DrawFn) -> list[Json]:
    made = []
    for number in range(draw(st.integers(0, 2))):
        paper = consent(ORGANIZATIONS[0], id_=f"W-consent-{number}")
        paper["patient"] = reference(draw(st.sampled_from(PATIENTS)))
        paper["status"] = draw(st.sampled_from(("active", "active", "active", "inactive")))
        if draw(st.sampled_from((False, False, False, True))):
            paper["scope"] = concept(
                "http://terminology.hl7.org/CodeSystem/consentscope", "research"
            )
        root, nested = draw(provision()), draw(st.lists(provision(), max_size=2))
        nested = [each for each in nested if each]
        paper["provision"] = root | ({"provision": nested} if nested else {})
        if not paper["provision"]:
            del paper["provision"]
        made.append(paper)
    return made


@st.composite
def records(draw: st.DrawFn) -> list[Json]:
    """What is about one patient, about several, about nobody known."""
    made: list[Json] = [goal(f"W-goal-{at}", who) for at, who in enumerate(PATIENTS)]
    made.append(goal("W-lost") | {"subject": {"display": "Somebody"}})
    members = draw(st.sets(st.sampled_from(PATIENTS)))
    group: Json = {"resourceType": "Group", "id": "W-group", "type": "person", "actual": True}
    if members:
        group["member"] = [{"entity": reference(member)} for member in sorted(members)]
    return [*made, group]


@st.composite
def worlds(draw: st.DrawFn) -> list[Json]:
    parts = (people(), roles(), teams(), consents(), records())
    return [resource for part in parts for resource in draw(part)]
