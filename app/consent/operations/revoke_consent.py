"""$revokeConsent: a Consent is taken back, at once. docs/operations/revoke-consent.md"""

from collections.abc import Sequence

from app.fhir.change import Change
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.engine import Operation
from app.fhir.errors import Unprocessable
from app.fhir.operations.parameters import posted_parameters_of
from app.fhir.operations.written import answer, updated, write

KINDS: dict[str, tuple[str, ...]] = {}
OVER = "inactive"


async def run(ctx: Context, call: Call) -> Result:
    """The Consent is inactive: 200, also when it was before. It is never deleted.

    What is read after the answer, further pages of earlier searches included, is judged without it.
    """
    posted_parameters_of(call, KINDS)

    async def plan(consent: Resource) -> Sequence[Change]:
        if consent["status"] not in ("active", OVER):
            raise Unprocessable(
                f"Only an active Consent can be revoked; this one is {consent['status']}.",
                code="business-rule",
                expression=["Consent.status"],
            )
        return [updated(ctx, call, {**consent, "status": OVER})]

    return await answer(ctx, call, await write(ctx, call, plan))


OPERATION = Operation(
    name="revokeConsent",
    definition="https://isp-fhir.example/OperationDefinition/Consent-revokeConsent",
    levels=frozenset({"instance"}),
    types=frozenset({"Consent"}),
    letter="u",
    run=run,
)
