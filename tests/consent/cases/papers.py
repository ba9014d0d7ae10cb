"""Base policies, status, several consents."""

from tests.build import concept
from tests.consent.case import DENY, NOT_COVERED, PERMIT, Case
from tests.consent.paper import (
    COUNTY,
    GRACE,
    LOINC,
    MEMBER,
    OTHER,
    PARTNER,
    deny,
    form,
    one,
    permit,
    record,
    reference,
    rule,
)

EARLIER, LATER = {"dateTime": "2023-01-01"}, {"dateTime": "2024-01-01", "id": "later"}
OPTING_OUT = "http://terminology.hl7.org/CodeSystem/v3-ActCode#OPTOUT"


CASES = [
    # base policy
    Case(
        "opting in permits the usual purposes to everyone",
        one(None, "OPTIN"),
        PERMIT,
        by="Consent.policyRule",
    ),
    Case(
        "opting in is for treatment, payment and operations",
        one(None, "OPTIN"),
        PERMIT,
        purpose="HPAYMT",
    ),
    Case("opting in is not for marketing", one(None, "OPTIN"), NOT_COVERED, purpose="HMARKT"),
    Case("opting in is not for research", one(None, "OPTIN"), NOT_COVERED, purpose="HRESCH"),
    Case(
        "opting in with restrictions opens what is not restricted",
        one(rule(None, deny(label="HIV")), "OPTINR"),
        PERMIT,
    ),
    Case(
        "opting in with restrictions closes what is",
        one(rule(None, deny(label="HIV")), "OPTINR"),
        DENY,
        resource=record(labels="HIV"),
        by="Consent.provision.provision[0]",
    ),
    Case("opting out closes everything", one(None, "OPTOUT"), DENY, world=MEMBER),
    Case("opting out closes the record to who keeps it", one(None, "OPTOUT"), DENY, actor=COUNTY),
    Case(
        "opting out with exceptions opens the exceptions",
        one(rule(None, permit(to=PARTNER)), "OPTOUTE"),
        PERMIT,
        by="Consent.provision.provision[0]",
    ),
    Case(
        "opting out with exceptions closes the rest",
        one(rule(None, permit(to=OTHER)), "OPTOUTE"),
        DENY,
        world=MEMBER,
    ),
    Case("emergencies only: no treatment otherwise", one(None, "EMRGONLY"), DENY, world=MEMBER),
    Case("emergencies only: an emergency", one(None, "EMRGONLY"), PERMIT, purpose="ETREAT"),
    Case(
        "emergencies only: breaking the glass is one", one(None, "EMRGONLY"), PERMIT, purpose="BTG"
    ),
    Case(
        "emergencies only, but not for one organization",
        one(rule(None, deny(to=PARTNER)), "EMRGONLY"),
        DENY,
        purpose="ETREAT",
    ),
    Case("no consent at all is a denial", one(None, "NOCONSENT"), DENY, world=MEMBER),
    Case(
        "an authorization without provisions names nobody and opens nothing", one(None), NOT_COVERED
    ),
    Case("an authorization takes nothing from the team", one(None), PERMIT, world=MEMBER),
    Case("an acknowledged notice decides nothing", one(None, "HIPAANOPP"), NOT_COVERED),
    Case(
        "a policy named by its uri counts",
        (form(None) | {"policyRule": {"text": "x"}, "policy": [{"uri": OPTING_OUT}]},),
        DENY,
    ),
    Case("a policy we do not know decides nothing", one(None, "UNHEARD"), NOT_COVERED),
    Case(
        "the base holds only within the period of the root",
        one(rule(None, period="2020-01-01/2020-12-31"), "OPTOUT"),
        PERMIT,
        world=MEMBER,
    ),
    Case(
        "a root of no type is not a rule, what it says its children inherit",
        one(rule(None, permit(purpose="TREAT"), to=PARTNER)),
        PERMIT,
    ),
    Case(
        "a root of no type denies nobody itself",
        one(rule(None, permit(purpose="TREAT"), to=OTHER)),
        NOT_COVERED,
    ),
    # root with a type
    Case(
        "a root that permits without conditions is the base",
        one(permit()),
        PERMIT,
        by="Consent.policyRule",
    ),
    Case("a root that denies without conditions is the base", one(deny()), DENY),
    Case(
        "a root that permits against a policy that denies is a denial",
        one(permit(), "OPTOUT"),
        DENY,
    ),
    Case(
        "a root that denies against a policy that permits is a denial", one(deny(), "OPTIN"), DENY
    ),
    Case(
        "a root with conditions goes before the policy", one(permit(to=PARTNER), "OPTOUT"), PERMIT
    ),
    Case(
        "a root with conditions leaves everyone else alone",
        one(permit(to=OTHER), "OPTOUT"),
        PERMIT,
        world=MEMBER,
    ),
    Case("the period of the root alone is no condition", one(deny(period="2020-01-01/")), DENY),
    # status
    Case("a draft counts for nothing", one(permit(to=PARTNER), status="draft"), NOT_COVERED),
    Case("a proposal counts for nothing", one(permit(to=PARTNER), status="proposed"), NOT_COVERED),
    Case(
        "what was rejected counts for nothing",
        one(permit(to=PARTNER), status="rejected"),
        NOT_COVERED,
    ),
    Case(
        "what was revoked counts for nothing",
        one(permit(to=PARTNER), status="inactive"),
        NOT_COVERED,
    ),
    Case(
        "what was entered in error counts for nothing",
        one(permit(to=PARTNER), status="entered-in-error"),
        NOT_COVERED,
    ),
    Case(
        "a revoked denial denies nothing",
        one(deny(to=PARTNER), status="inactive"),
        PERMIT,
        world=MEMBER,
    ),
    # several consents
    Case(
        "a denial in one consent beats a permit in another",
        (
            form(permit(to=PARTNER)),
            form(deny(to=PARTNER), id="b", category=[concept(LOINC, "64292-6")]),
        ),
        DENY,
    ),
    Case(
        "it does so though the permit is newer: they are not of one lineage",
        (
            form(deny(to=PARTNER, label="V"), **EARLIER),
            form(permit(to=f"{PARTNER} {OTHER}"), **LATER),
        ),
        DENY,
        resource=record(labels="V"),
    ),
    Case(
        "a newer consent of the same lineage replaces an older one",
        (form(deny(to=PARTNER), **EARLIER), form(permit(to=PARTNER), **LATER)),
        PERMIT,
    ),
    Case(
        "and an older permit is replaced by a newer denial",
        (form(permit(to=PARTNER), **EARLIER), form(deny(to=PARTNER), **LATER)),
        DENY,
    ),
    Case(
        "the order in which they are stored does not matter",
        (form(permit(to=PARTNER), **LATER), form(deny(to=PARTNER), **EARLIER)),
        PERMIT,
    ),
    Case(
        "an older one is not replaced by one that is only a draft",
        (form(deny(to=PARTNER), **EARLIER), form(permit(to=PARTNER), **LATER, status="draft")),
        DENY,
    ),
    Case(
        "an older one is not replaced by one that was revoked",
        (form(deny(to=PARTNER), **EARLIER), form(permit(to=PARTNER), **LATER, status="inactive")),
        DENY,
    ),
    Case(
        "an older one is not replaced before the newer one begins",
        (
            form(deny(to=PARTNER), **EARLIER),
            form(permit(to=PARTNER, period="2026-01-01/"), **LATER),
        ),
        DENY,
    ),
    Case(
        "after a newer one has ended the older holds again",
        (
            form(permit(to=PARTNER), **EARLIER),
            form(deny(to=PARTNER, period="2024-01-01/2024-12-31"), **LATER),
        ),
        PERMIT,
    ),
    Case(
        "another recipient is another lineage",
        (form(deny(to=PARTNER), **EARLIER), form(permit(to=OTHER), **LATER)),
        DENY,
    ),
    Case(
        "another category is another lineage",
        (
            form(deny(to=PARTNER), **EARLIER),
            form(permit(to=PARTNER), **LATER, category=[concept(LOINC, "64292-6")]),
        ),
        DENY,
    ),
    Case(
        "another policy is another lineage",
        (form(deny(to=PARTNER), **EARLIER), form(permit(to=PARTNER), "HIPAANOPP", **LATER)),
        DENY,
    ),
    Case(
        "another organization's form is another lineage",
        (
            form(deny(to=PARTNER), **EARLIER),
            form(permit(to=PARTNER), **LATER, organization=[reference(COUNTY)]),
        ),
        DENY,
    ),
    Case(
        "of two signed at the same instant both hold",
        (form(deny(to=PARTNER)), form(permit(to=PARTNER), id="b")),
        DENY,
    ),
    Case(
        "one without a date is older than one with a date",
        (form(deny(to=PARTNER)) | {"dateTime": ""}, form(permit(to=PARTNER), id="b")),
        PERMIT,
    ),
    Case(
        "a newer list replaces an older one, which opens nothing beside it",
        (
            form(permit(to=PARTNER, type_="Observation"), **EARLIER),
            form(permit(to=PARTNER, type_="Goal"), **LATER),
        ),
        NOT_COVERED,
    ),
    Case(
        "a permit to a person and one to the organization add up",
        (form(permit(to=GRACE, label="HIV")), form(permit(to=PARTNER, label="SDV"), id="b")),
        PERMIT,
        actor=GRACE,
        resource=record(labels="HIV SDV"),
    ),
    Case("nobody has signed anything and nobody is related", (), NOT_COVERED),
]
