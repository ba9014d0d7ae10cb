"""$isp-propose: to put a draft before those who sign it. docs/operations/isp-propose.md"""

from typing import Any

from app.fhir.context import Call, Context, Result
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest
from app.fhir.operations.parameters import day_of, posted_parameters_of, required
from app.isp.codes import DEFINITION
from app.isp.element import names
from app.isp.operations.whole import acting, write_plan
from app.isp.proposal import Asking, proposed, taken_back
from app.isp.rules.profiles import DEFAULT, Profile, profile

KINDS = {
    "signer": ("valueReference",),
    "due": ("valueDate",),
    "rules": ("valueCode", "valueString"),
    "withdrawal": ("valueString", "valueMarkdown"),
}
SIGNERS = ("Patient/", "RelatedPerson/", "Practitioner/", "PractitionerRole/")


async def run(ctx: Context, call: Call) -> Result:
    """Write the Provenance of the proposal and a Task for each signer, or take it back: 201.

    Raises BadRequest for parameters that cannot be read, Unprocessable for a plan that is no draft,
    or that is not ready to be signed.
    """
    given, act = posted_parameters_of(call, KINDS, many="signer"), acting(ctx)
    if "withdrawal" in given:
        if len(given) > 1:
            raise BadRequest("withdrawal: it takes the plan back, and goes with no other.")
        reason = str(required(given, "withdrawal"))
        return await write_plan(ctx, call, lambda plan: taken_back(plan, reason, act), 201)
    rules = _profile(str(given.get("rules", DEFAULT)))
    due = day_of(given, "due", act.today) if "due" in given else None
    asking = Asking(_signers(given.get("signer", ())), due)
    return await write_plan(ctx, call, lambda plan: proposed(plan, asking, rules, act), 201)


def _profile(name: str) -> Profile:
    try:
        return profile(name)
    except LookupError as error:
        raise BadRequest(f"rules: {error.args[0]}.", code="value") from None


def _signers(given: Any) -> list[str]:
    found = [one for each in given for one in names(each)]
    if len(found) != len(given) or not all(one.startswith(SIGNERS) for one in found):
        said = "signer: a reference to a person of this server, such as RelatedPerson/ines."
        raise BadRequest(said, code="value")
    return found


OPERATION = Operation(
    name="isp-propose",
    definition=f"{DEFINITION}/CarePlan-isp-propose",
    levels=frozenset({"instance"}),
    types=frozenset({"CarePlan"}),
    letter="r",
    run=run,
)
