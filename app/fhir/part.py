"""Part: what one statement writes of the steps of a commit. Pure."""

from collections.abc import Mapping, Sequence

from app.fhir import json
from app.fhir.draft import KEPT_AFTER_DELETION, derive
from app.fhir.engine import Engine
from app.fhir.step import Step, head_of
from app.storage.audit import AuditRow
from app.storage.versions import DERIVED, WORDS, Part, Row


def part(engine: Engine, steps: Sequence[Step], events: Sequence[AuditRow]) -> Part:
    """The new versions and these events; derived rows are touched only where they differ."""
    rows: dict[str, list[Row]] = {}
    stale: dict[str, list[int]] = {}
    for step in steps:
        before, after = _before(engine, step), step.draft.derived.rows
        for table in DERIVED if step.current else after:
            was, is_ = before.get(table, []), after.get(table, [])
            if _is_kept(step, table) or (was == is_ and table != WORDS):
                continue
            if step.current and (step.current.deleted or was or not is_):
                stale.setdefault(table, []).append(step.rid)
            rows.setdefault(table, []).extend((step.rid, *row) for row in is_)
    return Part([head_of(step) for step in steps], rows, events, stale)


def _before(engine: Engine, step: Step) -> Mapping[str, list[Row]]:
    """The derived rows of the current version: those of the new one where their digests agree.

    Of its words nothing is said: the statement compares them.
    """
    if step.current is None or step.current.body is None:
        return {}
    like = step.draft.is_like(step.current)
    found = step.draft.derived if like else derive(engine, json.parse(step.current.body.encode()))
    return {table: rows for table, rows in found.rows.items() if table != WORDS}


def _is_kept(step: Step, table: str) -> bool:
    is_deletion = step.draft.change.resource is None
    return is_deletion and table == "relationship" and step.draft.key[0] in KEPT_AFTER_DELETION
