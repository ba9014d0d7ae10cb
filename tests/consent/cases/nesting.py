"""Provisions within provisions, and what a list of them closes."""

from tests.build import concept
from tests.consent.case import DENY, NOT_COVERED, PERMIT, Case
from tests.consent.paper import (
    COUNTY,
    LOINC,
    MEMBER,
    OTHER,
    PARTNER,
    SNOMED,
    deny,
    form,
    one,
    permit,
    record,
    rule,
)

CASES = [
    # nesting
    Case(
        "a nested denial is an exception to the permit around it",
        one(permit(deny(label="HIV"), to=PARTNER)),
        DENY,
        resource=record(labels="HIV"),
        by="Consent.provision.provision[0]",
    ),
    Case(
        "beside the exception the permit holds",
        one(permit(deny(label="HIV"), to=PARTNER)),
        PERMIT,
        by="Consent.provision",
    ),
    Case(
        "a nested permit is an exception to the denial around it",
        one(deny(permit(type_="Goal"), to=PARTNER)),
        PERMIT,
        resource=record("Goal"),
        by="Consent.provision.provision[0]",
    ),
    Case(
        "beside the exception the denial holds", one(deny(permit(type_="Goal"), to=PARTNER)), DENY
    ),
    Case(
        "a permit within a permit widens what flows (PCF)",
        one(permit(permit(label="R"), to=PARTNER, label="N")),
        PERMIT,
        resource=record(labels="R"),
    ),
    Case(
        "a permit within a permit does not lose the outer one",
        one(permit(permit(label="HIV"), to=PARTNER, label="N")),
        PERMIT,
    ),
    Case(
        "a denial within a denial is one",
        one(deny(deny(label="HIV"), to=PARTNER)),
        DENY,
        resource=record(labels="HIV"),
    ),
    Case(
        "an exception to an exception",
        one(permit(deny(permit(purpose="ETREAT"), label="HIV"), to=PARTNER)),
        PERMIT,
        purpose="ETREAT",
        resource=record(labels="HIV"),
        by="Consent.provision.provision[0].provision[0]",
    ),
    Case(
        "an exception to an exception holds for nothing else",
        one(permit(deny(permit(purpose="ETREAT"), label="HIV"), to=PARTNER)),
        DENY,
        resource=record(labels="HIV"),
    ),
    Case(
        "four levels down the innermost decides",
        one(
            permit(
                deny(permit(deny(code=f"{SNOMED}#1"), type_="Observation"), label="HIV"), to=PARTNER
            )
        ),
        DENY,
        resource=record(labels="HIV", code=concept(SNOMED, "1")),
        by="Consent.provision.provision[0].provision[0].provision[0]",
    ),
    Case(
        "four levels down what the innermost does not mean is decided above it",
        one(
            permit(
                deny(permit(deny(code=f"{SNOMED}#1"), type_="Observation"), label="HIV"), to=PARTNER
            )
        ),
        PERMIT,
        resource=record(labels="HIV"),
    ),
    Case(
        "a child inherits the actor", one(permit(deny(label="HIV"), to=OTHER)), PERMIT, world=MEMBER
    ),
    Case(
        "a child inherits the purpose: no permit for marketing by saying less",
        one(permit(permit(label="PSY"), to=PARTNER, purpose="TREAT")),
        NOT_COVERED,
        purpose="HMARKT",
        resource=record(labels="PSY"),
    ),
    Case(
        "a child may name another purpose (PCF, break glass)",
        one(permit(permit(purpose="BTG", label="R"), to=PARTNER, purpose="TREAT", label="N")),
        PERMIT,
        purpose="BTG",
        resource=record(labels="R"),
    ),
    Case("a child may name another actor", one(deny(permit(to=PARTNER), to=OTHER)), PERMIT),
    Case(
        "a child inherits the class",
        one(permit(deny(label="HIV"), to=PARTNER, type_="Goal")),
        NOT_COVERED,
        resource=record(labels="HIV"),
    ),
    Case(
        "a child's labels stand in place of its parent's",
        one(permit(deny(label="PSY"), to=PARTNER, label="HIV")),
        DENY,
        resource=record(labels="PSY"),
    ),
    Case(
        "a child cannot outlive its parent",
        one(
            permit(
                deny(label="HIV", period="2020-01-01/2090-01-01"),
                to=PARTNER,
                period="2020-01-01/2020-12-31",
            )
        ),
        NOT_COVERED,
        resource=record(labels="HIV"),
    ),
    Case(
        "a child whose time is over is no exception any more",
        one(permit(deny(label="HIV", period="2020-01-01/2020-12-31"), to=PARTNER)),
        PERMIT,
        resource=record(labels="HIV"),
    ),
    Case(
        "of siblings that match a denial wins",
        one(permit(permit(type_="Observation"), deny(label="HIV"), to=PARTNER)),
        DENY,
        resource=record(labels="HIV"),
    ),
    Case(
        "of siblings the order does not matter",
        one(permit(deny(label="HIV"), permit(type_="Observation"), to=PARTNER)),
        DENY,
        resource=record(labels="HIV"),
    ),
    Case(
        "a nested provision without a type is none",
        one(permit(rule(None, label="HIV"), to=PARTNER)),
        PERMIT,
        resource=record(labels="HIV"),
    ),
    Case("everyone is refused but one", one(deny(permit(to=PARTNER))), PERMIT),
    Case(
        "everyone is refused, and this is not the one",
        one(deny(permit(to=OTHER))),
        DENY,
        world=MEMBER,
    ),
    # what a list closes
    Case(
        "who was given a list gets no more by being in the team",
        one(permit(to=PARTNER, code=f"{LOINC}#8867-4")),
        NOT_COVERED,
        world=MEMBER,
    ),
    Case(
        "a list for another takes nothing from the team",
        one(permit(to=OTHER, code=f"{LOINC}#8867-4")),
        PERMIT,
        world=MEMBER,
    ),
    Case(
        "a list for research takes nothing from treatment",
        one(permit(to=PARTNER, purpose="HRESCH", code=f"{LOINC}#8867-4")),
        PERMIT,
        world=MEMBER,
    ),
    Case(
        "a list that is over takes nothing",
        one(permit(to=PARTNER, code=f"{LOINC}#8867-4", period="2020-01-01/2020-12-31")),
        PERMIT,
        world=MEMBER,
    ),
    Case(
        "a permit for a sensitive kind speaks of that kind, not of the rest",
        one(permit(to=PARTNER, label="SUD")),
        PERMIT,
        world=MEMBER,
    ),
    Case(
        "a permit for what is low is a list of what may flow",
        one(permit(to=PARTNER, label="L")),
        NOT_COVERED,
        world=MEMBER,
    ),
    Case(
        "another consent opens what a list leaves out",
        (
            form(permit(to=PARTNER, code=f"{LOINC}#8867-4")),
            form(permit(to=PARTNER, type_="Observation"), id="b"),
        ),
        PERMIT,
    ),
    Case(
        "a list does not limit who keeps the record",
        one(permit(purpose="TREAT", code=f"{LOINC}#8867-4")),
        PERMIT,
        actor=COUNTY,
    ),
]
