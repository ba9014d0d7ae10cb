"""After the rules of labels changed: what is stored gets the labels that they add.

None is taken away or lowered here; `isp reindex` does that too, and is for who decided to. What was
done is kept batch by batch, so that whoever is interrupted goes on where it was.
https://hl7.org/fhir/uv/security-label-ds4p/
"""

import asyncio
import logging
from hashlib import sha256
from importlib.resources import files
from typing import Any

import asyncpg

from app.fhir import json
from app.fhir.engine import Engine
from app.settings import Settings
from app.storage import labelling as statements
from app.storage.alone import alone
from app.storage.database import DatabaseAway
from app.storage.versions import Row

log = logging.getLogger(__name__)

LOCK = (1_230_192_205, 10)
BATCH = 200
PAUSE = 60.0
"""Seconds before the first look, and between attempts."""


def digest() -> str:
    """Names the rules that come with this program."""
    path = files("app.consent") / "definitions" / "sensitive-codes.json"
    return sha256(path.read_bytes()).hexdigest()


async def relabel(engine: Engine, rules: str) -> int:
    """Ask the rules of this digest about everything they were not asked about yet; how many
    resources got a label. Raises DatabaseAway."""
    total = 0
    while True:
        found = await _batch(engine, rules)
        if found is None:
            return total
        total += found


async def _batch(engine: Engine, rules: str) -> int | None:
    """Label the next resources; how many changed, None when there are none left."""
    async with engine.database.transaction() as connection:
        after = await statements.standing(connection, rules)
        if after is None:
            return None
        found = await statements.batch(connection, after, BATCH)
        rows = [row for row in (_raised(engine, each) for each in found) if row]
        await statements.raised(connection, rules, rows, found[-1]["rid"] if found else None)
    return len(rows)


def _raised(engine: Engine, row: Any) -> Row | None:
    """The labels of a row with those that the rules add, None where they add none."""
    marks = engine.mark(json.parse(row["body"].encode()), engine.base_url)
    labels, seals = ({*(row[name] or ())} for name in ("labels", "seals"))
    level = max(row["confidentiality"], marks.confidentiality)
    adds = not (labels.issuperset(marks.labels) and seals.issuperset(marks.seals))
    if level == row["confidentiality"] and not adds:
        return None
    more = (sorted(labels.union(marks.labels)), sorted(seals.union(marks.seals)))
    return (row["rid"], level, *(each or None for each in more))


async def keep(settings: Settings, engine: Engine) -> None:
    """Let one process of all that serve this database do it, once for each set of rules."""
    while True:
        # Not at once: whoever starts, starts to answer requests first.
        await asyncio.sleep(PAUSE)
        try:
            async with alone(settings.database_url, LOCK) as holder:
                if holder is not None:
                    log.info("labels: %s resources got more", await relabel(engine, digest()))
                    return
        except (OSError, asyncpg.PostgresError, DatabaseAway) as error:
            log.warning("the labels wait for the database: %s", type(error).__name__)
