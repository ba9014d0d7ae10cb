"""What an operator names but is not stored: mistyped more often than early, so it is said now."""

import sys

from app.admission import admit_counting
from app.fhir.engine import Engine
from app.fhir.registry import STORED
from app.fhir.visible import visible
from app.storage.sql import Arguments


async def warn_of_unknown(engine: Engine, *references: str | None) -> None:
    """Name on standard error each of these references that leads to nothing.

    Who loads the data later is not held up.
    """
    for reference in references:
        if reference and not await _is_here(engine, *reference.split("/", 1)):
            sys.stderr.write(
                f"isp: warning: there is no {reference} yet; nothing is found for it until then\n"
            )


async def _is_here(engine: Engine, type_: str, id_: str) -> bool:
    if type_ not in STORED:
        return False
    args = Arguments()
    source = visible(admit_counting(engine).access["s"], type_, args)
    sql = f"SELECT r.id FROM {source} AS r WHERE r.id = {args.add(id_, 'text')} AND NOT r.deleted"
    return await engine.database.fetchval(*args.statement(sql)) is not None
