"""$isp-review: to start a review of the plan, and to complete it. docs/operations/isp-review.md"""

from typing import Any

from app.fhir.context import Call, Context, Result
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest
from app.fhir.operations.parameters import posted_parameters_of
from app.fhir.validation.structure import validate
from app.isp.codes import DEFINITION
from app.isp.operations.whole import acting, write_plan
from app.isp.review import held, started
from app.isp.rules.profiles import DEFAULT, profile

KINDS = {"form": ("resource",)}


async def run(ctx: Context, call: Call) -> Result:
    """Without a form: make one, 201. With it: write what the review comes to, 200.

    Raises BadRequest for what is no valid QuestionnaireResponse, Unprocessable for a plan that is
    not in force, a review that is under way already or was not started, a goal without a word.
    """
    given, act = posted_parameters_of(call, KINDS), acting(ctx)
    limits = profile(DEFAULT).limits
    if "form" not in given:
        return await write_plan(ctx, call, lambda plan: started(plan, act), 201)
    form = _form(given["form"])
    return await write_plan(ctx, call, lambda plan: held(plan, form, limits, act))


def _form(given: Any) -> dict[str, Any]:
    is_form = isinstance(given, dict) and given.get("resourceType") == "QuestionnaireResponse"
    if not is_form or not isinstance(given.get("id"), str):
        raise BadRequest("form: the QuestionnaireResponse of the review, with its id.")
    issues = [one for one in validate(given, "QuestionnaireResponse") if one.severity == "error"]
    if issues:
        raise BadRequest("The form is not valid.", issues=issues)
    form: dict[str, Any] = given
    return form


OPERATION = Operation(
    name="isp-review",
    definition=f"{DEFINITION}/CarePlan-isp-review",
    levels=frozenset({"instance"}),
    types=frozenset({"CarePlan"}),
    letter="u",
    run=run,
)
