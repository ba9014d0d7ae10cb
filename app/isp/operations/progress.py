"""$isp-progress: a measurement and a word on a goal, at once. docs/operations/isp-progress.md"""

from collections.abc import Sequence
from typing import Any

from app.fhir.change import Change
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest
from app.fhir.ids import new_id
from app.fhir.instant import to_text
from app.fhir.operations.parameters import posted_parameters_of, required
from app.fhir.operations.written import answer, author, created, updated, write
from app.isp.codes import DEFINITION
from app.isp.progress import ACHIEVEMENT, Progress, observation, progressed

KINDS = {
    "achievementStatus": ("valueCode",),
    "measure": ("valueQuantity", "valueInteger"),
    "of": ("valueString", "valueCode"),
    "effective": ("valueDateTime", "valueDate"),
    "note": ("valueString", "valueMarkdown"),
}
WRITERS = ("Patient", "RelatedPerson", "Practitioner", "Organization")


async def run(ctx: Context, call: Call) -> Result:
    """Write the new version of the goal, and an Observation where there is a measure: 200.

    Raises BadRequest for parameters that do not fit, Unprocessable when the goal is not active or
    measures nothing of the kind, PreconditionFailed when If-Match names another version.
    """
    progress = _progress(ctx, call)

    async def plan(goal: Resource) -> Sequence[Change]:
        if progress.measure is None:
            return [updated(ctx, call, progressed(goal, progress, None))]
        id_ = new_id()
        made = progressed(goal, progress, f"Observation/{id_}")
        seen = observation(goal, progress, id_)
        return [updated(ctx, call, made), created(ctx, seen)]

    return await answer(ctx, call, await write(ctx, call, plan))


def _progress(ctx: Context, call: Call) -> Progress:
    given = posted_parameters_of(call, KINDS)
    return Progress(
        status=_status(given),
        measure=given.get("measure"),
        effective=given.get("effective", to_text(ctx.now)),
        note=required(given, "note") if "note" in given else None,
        now=ctx.now,
        performer=author(ctx.agent, *WRITERS, "PractitionerRole"),
        author=author(ctx.agent, *WRITERS),
        of=str(required(given, "of")) if "of" in given else None,
    )


def _status(given: dict[str, Any]) -> str:
    status = str(required(given, "achievementStatus"))
    if status not in ACHIEVEMENT:
        raise BadRequest(
            f"achievementStatus: one of {', '.join(sorted(ACHIEVEMENT))}.", code="code-invalid"
        )
    return status


OPERATION = Operation(
    name="isp-progress",
    definition=f"{DEFINITION}/Goal-isp-progress",
    levels=frozenset({"instance"}),
    types=frozenset({"Goal"}),
    letter="u",
    run=run,
)
