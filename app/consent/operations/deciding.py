"""Who decides about a person's record: the person, guardians, and whoever keeps the record."""

from app.fhir.access import Everything, Related
from app.fhir.context import Context
from app.fhir.visible import visible
from app.storage.sql import Arguments

BASES = ("own", "guardian", "custodian")


async def decides(ctx: Context, patient: str) -> bool:
    """Whether the caller is one of them; an operator is."""
    if isinstance(ctx.reach, Everything):
        return True
    actors = tuple(each for each in (ctx.agent.organization, ctx.agent.fhir_user) if each)
    args = Arguments()
    source = visible(Related(actors, BASES), "Patient", args)
    sql = f"SELECT FROM {source} AS r WHERE r.id = {args.add(patient)}"
    return await ctx.store.fetchrow(*args.statement(sql)) is not None
