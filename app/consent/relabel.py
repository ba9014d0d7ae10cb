"""Relabel: a label that the author of a record gave it is taken away by who decides about it.

Who is let in to it by a Consent owes that its labels persist; who writes it back without them would
open it to everybody in the team. What follows from codes goes with the codes. docs/security.md
"""

from collections.abc import Sequence

import orjson

from app.consent.labels import Labels, labels
from app.consent.operations.deciding import decides
from app.fhir.change import Written
from app.fhir.context import Context
from app.fhir.errors import Issue, Unprocessable

KEPT = (
    "This would take a security label away. Send the labels that the record has; to take one away"
    " is for the person, guardians and whoever keeps the record."
)


async def keep_labels(ctx: Context, written: Sequence[Written]) -> None:
    """Refuse to lower the labels of records that one does not decide about.

    Raises Unprocessable that names each of them.
    """
    lowered = [one for one in written if _is_lowered(one)]
    issues = [
        Issue("business-rule", KEPT, (f"{one.at}.meta.security",))
        for one in lowered
        if not await _decides(ctx, one)
    ]
    if issues:
        raise Unprocessable("The labels of a record stay.", issues=issues)


def _is_lowered(one: Written) -> bool:
    if one.before is None or one.after is None or '"security":' not in one.before:
        return False
    before, after = _given(one.before), _given(one.after)
    return (
        after.confidentiality < before.confidentiality
        or not {*before.sensitivities} <= {*after.sensitivities}
        or not {*before.seals} <= {*after.seals}
    )


def _given(body: str) -> Labels:
    """The labels that the author gave it."""
    return labels(orjson.loads(body), ())


async def _decides(ctx: Context, one: Written) -> bool:
    return all([await decides(ctx, patient) for patient in one.patients])
