"""Past: resources as they were at an instant, in one statement over `versions`."""

from collections.abc import Iterable
from datetime import datetime

from asyncpg import Record

from app.fhir.access import Nothing
from app.fhir.context import Context
from app.fhir.visible import SHOWN, versions
from app.storage.sql import Arguments


async def past(ctx: Context, targets: Iterable[str], instant: datetime) -> list[Record]:
    """The versions of these resources (Type/id) that were current at the instant.

    Judged by today's access, as history is; without what was deleted by then. Each needs the scope
    letter `r`.
    """
    pairs = [target.split("/") for target in sorted(targets)]
    types, ids = [type_ for type_, _ in pairs], [id_ for _, id_ in pairs]
    args = Arguments()
    source = versions(ctx.access.get("r", Nothing()), sorted(set(types)), args)
    wanted = f"unnest({args.add(types, 'text[]')}), unnest({args.add(ids, 'text[]')})"
    at = args.add(instant)
    return await ctx.store.fetch(
        *args.statement(
            f"SELECT r.type, r.id, r.version, r.last_updated, {SHOWN}"
            f" FROM {source} AS r WHERE (r.type, r.id) IN (SELECT {wanted})"
            f" AND r.last_updated <= {at} AND (r.superseded IS NULL OR r.superseded > {at})"
            f" AND r.body IS NOT NULL"
        )
    )
