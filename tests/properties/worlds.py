"""Random small worlds of people, organizations and papers; ids begin with W-."""

from typing import Any

from hypothesis import strategies as st

from tests.build import (
    HL7,
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
PRACTITIONERS = ("Practitioner/W-grace",)
ROLES = ("PractitionerRole/W-role-0", "PractitionerRole/W-role-1")
RELATED = ("RelatedPerson/W-ines",)
ACTORS = (*ORGANIZATIONS, *PRACTITIONERS, ROLES[0], *RELATED, PATIENTS[0])
FEW = (ORGANIZATIONS[0], *ACTORS)

OVER = {"start": "2019-01-01", "end": "2020-06"}
CURRENT = {"start": "2020-01-01T00:00:00Z", "end": "2090"}
TO_COME = {"start": "2089"}

period = st.sampled_from((None, None, CURRENT, {"start": "2020"}, OVER, {"end": "2020"}, TO_COME))
actor = st.sampled_from(FEW)
who = st.sampled_from((PATIENTS[0], PATIENTS[0], PATIENTS[1]))
"""Few, so that the papers of a world speak of the same people."""


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
        more = given(active=draw(st.sampled_from((None, True, False))), period=draw(period))
        person = related_person(named(each), draw(who), kind)
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
        members = draw(st.lists(st.tuples(actor, period), min_size=1, max_size=3))
        participant = [
            {"member": reference(member)} | given(period=when) for member, when in members
        ]
        team = care_team(id_=f"W-team-{number}", patient=draw(who))
        team |= given(
            status=draw(st.sampled_from(("active",) * 4 + ("proposed", "inactive"))),
            period=draw(period),
        )
        del team["participant"]
        made.append(team | ({"participant": participant} if participant else {}))
    return made


@st.composite
def provision(draw: st.DrawFn, most: int = 2) -> Json:
    made = given(type=draw(st.sampled_from(("permit", "deny"))), period=draw(period))
    actors = draw(st.lists(actor, max_size=most))
    if actors:
        role = concept(f"{HL7}/v3-ParticipationType", "IRCP")
        made["actor"] = [{"role": role, "reference": reference(each)} for each in actors]
    if draw(st.sampled_from((False,) * 5 + (True,))):
        made["purpose"] = [{"code": "TREAT"}]
    return made


@st.composite
def consents(draw: st.DrawFn) -> list[Json]:
    made = []
    for number in range(draw(st.integers(0, 2))):
        paper = consent(ORGANIZATIONS[0], id_=f"W-consent-{number}")
        paper["patient"] = reference(draw(who))
        paper["status"] = draw(st.sampled_from(("active",) * 5 + ("inactive",)))
        if draw(st.sampled_from((False,) * 5 + (True,))):
            paper["scope"] = concept(f"{HL7}/consentscope", "research")
        root, nested = draw(provision(most=1)), draw(st.lists(provision(), max_size=2))
        paper["provision"] = root | ({"provision": nested} if nested else {})
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
