"""Whose consent it is, and when its provisions apply."""

from tests.build import concept, patient
from tests.consent.case import DENY, NOT_COVERED, NOW, PERMIT, Case
from tests.consent.paper import ADA, COUNTY, OTHER, PARTNER, deny, form, permit

CASES = [
    # period of the rule
    Case(
        "within its period a permit holds",
        (form(permit(to=PARTNER, period="2025-01-01/2025-12-31")),),
        PERMIT,
    ),
    Case(
        "after its period a permit opens nothing",
        (form(permit(to=PARTNER, period="2024-01-01/2025-05-31")),),
        NOT_COVERED,
    ),
    Case(
        "before its period a permit opens nothing",
        (form(permit(to=PARTNER, period="2025-06-02/2025-12-31")),),
        NOT_COVERED,
    ),
    Case(
        "the last day of a period belongs to it",
        (form(permit(to=PARTNER, period="2024-01-01/2025-06-01")),),
        PERMIT,
    ),
    Case(
        "a period given by its month includes the month",
        (form(permit(to=PARTNER, period="2025-06/2025-06")),),
        PERMIT,
    ),
    Case(
        "a period without an end goes on", (form(permit(to=PARTNER, period="2025-01-01/")),), PERMIT
    ),
    Case(
        "a denial whose period is over holds no longer",
        (form(deny(to=PARTNER, period="2024-01-01/2024-12-31")), form(permit(to=PARTNER), id="b")),
        PERMIT,
    ),
    Case(
        "at the very instant it ends a permit has ended",
        (form(permit(to=PARTNER, period="2025-01-01/2025-06-01T11:59:59Z")),),
        NOT_COVERED,
        now=NOW,
    ),
    # whose consent
    Case(
        "a consent that is about nobody permits nothing",
        (form(permit(to=PARTNER)) | {"patient": {"display": "Ada"}},),
        NOT_COVERED,
    ),
    Case(
        "a consent to research is not one about privacy",
        (
            form(
                permit(to=PARTNER),
                scope=concept("http://terminology.hl7.org/CodeSystem/consentscope", "research"),
            ),
        ),
        NOT_COVERED,
    ),
    Case(
        "a consent to treatment is not one about privacy",
        (
            form(
                permit(to=PARTNER),
                scope=concept("http://terminology.hl7.org/CodeSystem/consentscope", "treatment"),
            ),
        ),
        NOT_COVERED,
    ),
    Case(
        "an advance directive is not one about privacy",
        (
            form(
                deny(to=PARTNER),
                scope=concept("http://terminology.hl7.org/CodeSystem/consentscope", "adr"),
            ),
            form(permit(to=PARTNER), id="b"),
        ),
        PERMIT,
    ),
    Case(
        "the patient as an actor is herself",
        (form(deny(to=ADA)),),
        PERMIT,
        actor=ADA,
        purpose="PATRQT",
    ),
    Case("who keeps the record can be denied", (form(deny(to=COUNTY)),), DENY, actor=COUNTY),
    Case(
        "who keeps another's record does not keep this one",
        (),
        NOT_COVERED,
        actor=OTHER,
        world=(patient("ben", OTHER),),
    ),
]
