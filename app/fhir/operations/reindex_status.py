"""SearchParameter/$reindex-status: how far the index of what operators registered has come."""

import json
from typing import Any

from app.fhir.context import Call, Context, Result
from app.fhir.disclose import statement
from app.fhir.engine import Operation
from app.fhir.errors import Forbidden
from app.fhir.hidden import known_to
from app.fhir.instant import to_text
from app.fhir.search.parameters.keys import failure
from app.fhir.shape import check_none
from app.storage import registry as statements

DEFINITION = "https://isp-fhir.example/OperationDefinition/SearchParameter-reindex-status"


async def run(ctx: Context, call: Call) -> Result:
    """A Parameters with a part for each registered parameter: 200.

    Raises Forbidden for who may not know of everything, since it counts resources.
    """
    check_none(call.query)
    if known_to(ctx):
        raise Forbidden("How many resources there are is told to who may see all of them.")
    parts = [await _part(ctx, row) for row in await statements.progress(ctx.store)]
    return Result(200, statement({"resourceType": "Parameters", "parameter": parts}))


async def _part(ctx: Context, row: Any) -> dict[str, Any]:
    failed = await statements.count_with(ctx.store, row["base"], failure(row["base"], row["code"]))
    url = json.loads(row["definition"])["url"] if row["definition"] else None
    part: list[dict[str, Any]] = [
        {"name": "base", "valueCode": row["base"]},
        {"name": "code", "valueCode": row["code"]},
        {"name": "state", "valueCode": _state(row)},
        {"name": "indexed", "valueDecimal": row["indexed"]},
        {"name": "failed", "valueDecimal": failed},
    ]
    if url:
        part.append({"name": "definition", "valueCanonical": url})
    if row["done"]:
        part.append({"name": "done", "valueInstant": to_text(row["done"])})
    return {"name": "parameter", "part": part}


def _state(row: Any) -> str:
    if not row["definition"]:
        return "removing"
    return "ready" if row["done"] else "indexing"


OPERATION = Operation(
    name="reindex-status",
    definition=DEFINITION,
    levels=frozenset({"type"}),
    types=frozenset({"SearchParameter"}),
    letter="s",
    run=run,
)
