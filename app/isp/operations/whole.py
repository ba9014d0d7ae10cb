"""The plan of an operation as it is stored: what hangs together and exists for the caller.

Not redacted: references may lead to what the caller may not know of, and are not copied.
"""

from collections.abc import Callable, Iterable, Sequence

from asyncpg import Record

from app.fhir import json
from app.fhir.change import Change, Committed
from app.fhir.commit import commit
from app.fhir.compartments import subjects
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.errors import Conflict, Forbidden, Gone, PreconditionFailed, Unprocessable
from app.fhir.hidden import unknown as not_known
from app.fhir.ids import new_id
from app.fhir.interactions.read import unknown
from app.fhir.operations.written import ATTEMPTS, answer, author, created, updated
from app.fhir.references import local, walk
from app.fhir.search.closure import closure
from app.isp.act import Act
from app.isp.element import name
from app.isp.plan import Plan, assemble

ACTORS = ("Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization")

HIDDEN = (
    "This would copy something that is not known to you. Leave it to somebody who sees all of it."
)

Make = Callable[[Plan], Sequence[Resource]]
"""From a plan to the resources to write: those with a version are new versions, others are new."""


async def write_plan(
    ctx: Context, call: Call, make: Make, status: int = 200, *, is_copied: bool = False
) -> Result:
    """Commit what `make` makes of the plan, which nobody else changes meanwhile, and answer it.

    `is_copied`: the plan and its parts are copied, and have to be known as a whole.

    Raises PreconditionFailed where If-Match names another version; without it, everything is made
    anew of what others wrote.
    """
    return await answer(ctx, call, await commit_plan(ctx, call, make, is_copied=is_copied), status)


async def commit_plan(
    ctx: Context, call: Call, make: Make, *, is_copied: bool = False
) -> list[Committed]:
    """What `write_plan` commits, unanswered."""
    for _ in range(ATTEMPTS):
        rows = await _rows(ctx, call)
        plan = assemble((exact(ctx, row["body"]) for row in rows), str(call.id))
        made = make(_matched(plan, call))
        if is_copied:
            await refuse_hidden(ctx, (plan.care_plan, *plan.parts))
        try:
            return await _commit_all(ctx, made)
        except PreconditionFailed:
            continue
    raise Conflict("Others keep changing the same plan at the same time; try again.")


def acting(ctx: Context) -> Act:
    """Who acts, and when. Raises Forbidden where the token stands for nobody."""
    who = author(ctx.agent, *ACTORS)
    if who is None:
        raise Forbidden("The token stands for nobody who could answer for this.")
    return Act(who, ctx.now, new_id, organization_of(ctx))


def organization_of(ctx: Context) -> dict[str, str] | None:
    """The organization that the token acts for."""
    own = ctx.agent.organization
    return {"reference": own} if own else None


def change_to(ctx: Context, resource: Resource) -> Change:
    """The Change of a resource: an update of the version it carries, or a create."""
    if is_new(resource):
        return created(ctx, resource)
    return updated(ctx, Call("update", resource["resourceType"], resource["id"]), resource)


def is_new(resource: Resource) -> bool:
    """Whether it is to be created, and is no new version."""
    return "versionId" not in resource.get("meta", {})


async def refuse_hidden(
    ctx: Context, resources: Iterable[Resource], made: Iterable[Resource] = ()
) -> None:
    """Raise Unprocessable where one of these leads to what the caller may not know of.

    What is `made` at once is known, and so are the patients and whoever acts.
    """
    own = {name(one) for one in made} | {ctx.agent.fhir_user, ctx.agent.organization}
    found: set[str] = set()
    for one in resources:
        about = {f"Patient/{id_}" for id_ in subjects(one, ctx.engine.base_url)}
        found |= _targets(ctx, one) - about
    if await not_known(ctx, found - own):
        raise Unprocessable(HIDDEN, code="business-rule")


def _targets(ctx: Context, resource: Resource) -> set[str]:
    targets = (local(each["reference"], ctx.engine.base_url) for each in walk(resource))
    return {f"{target.type}/{target.id}" for target in targets if target}


async def write_all(ctx: Context, call: Call, made: Sequence[Resource], status: int) -> Result:
    """Commit resources as `Make` gives them, and answer them."""
    return await answer(ctx, call, await _commit_all(ctx, made), status)


async def _commit_all(ctx: Context, made: Sequence[Resource]) -> list[Committed]:
    changes = [change_to(ctx, one) for one in made]
    await refuse_hidden(ctx, (one for one in made if is_new(one)), made)
    return await commit(ctx, changes)


async def stored_around(ctx: Context, type_: str, id_: str) -> list[Resource]:
    """A resource and all that hangs together with it, to the letter; nothing without it."""
    rows = await closure(ctx, type_, id_)
    return [exact(ctx, row["body"]) for row in rows if not row["deleted"]]


async def _rows(ctx: Context, call: Call) -> list[Record]:
    rows = await closure(ctx, "CarePlan", str(call.id))
    if not rows:
        raise unknown(call)
    if rows[0]["deleted"]:
        raise Gone(f"CarePlan/{call.id} was deleted.")
    return rows


def _matched(plan: Plan, call: Call) -> Plan:
    given, version = call.conditions.if_match, plan.care_plan["meta"]["versionId"]
    if given is not None and given.strip() != "*" and f'"{version}"' not in given:
        raise PreconditionFailed(
            f"The current version is {version}; If-Match names another: read it again.",
            expression=["CarePlan"],
        )
    return plan


def exact(ctx: Context, body: str) -> Resource:
    """A stored resource to the letter, but for references to this server, which become relative."""
    resource: Resource = json.parse(body.encode())
    if ctx.engine.base_url in body:
        for element in walk(resource):
            element["reference"] = element["reference"].removeprefix(f"{ctx.engine.base_url}/")
    return resource
