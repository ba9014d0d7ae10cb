"""Refused: whose record a call tried to open, for the trail of that person.

It looks past the caller's access, in one statement that is the same whether the record is hidden or
was never there. What it finds goes into the audit trail and nowhere else.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.fhir.compartments import SUBJECT
from app.fhir.consented import PSYCHOTHERAPY_NOTES
from app.fhir.context import Call, Context
from app.fhir.named import MOST, TRAIL, patients_named_in
from app.fhir.references import ID, local
from app.fhir.registry import STORED
from app.fhir.visible import visible
from app.storage.sql import Arguments

Place = tuple[str, str]
JUDGED = frozenset(range(400, 500)) - {401}
"""Statuses of a refusal of somebody who is known."""


async def whom(ctx: Context, call: Call) -> tuple[str, ...]:
    """The logical ids of the existing patients whose record the call names."""
    places, people = _places(ctx, call), [*patients_named_in(call), *_written_about(ctx, call)]
    return await whose(ctx, places, people)


async def whose(
    ctx: Context, places: Iterable[Place], people: Iterable[str] = ()
) -> tuple[str, ...]:
    """The patients that what is at these places (type, id) is about, and these people, if any.

    Psychotherapy notes are left out: the person may not know of them.
    """
    wanted = sorted({place for place in places if place[0] in STORED - {"AuditEvent"}})[:MOST]
    ids = sorted({*people})[:MOST]
    if not wanted and not ids:
        return ()
    args = Arguments()
    arms = [_at(wanted, args)] if wanted else []
    if ids:
        arms.append(
            f"SELECT r.id FROM {visible(TRAIL, 'Patient', args)} AS r"
            f" WHERE r.id = ANY({args.add(ids, 'text[]')}) AND NOT r.deleted"
        )
    rows = await ctx.store.fetch(*args.statement(f"{' UNION '.join(arms)} ORDER BY 1"))
    return tuple(row[0] for row in rows)


def _at(places: list[Place], args: Arguments) -> str:
    types, ids = ([place[part] for place in places] for part in (0, 1))
    wanted = f"unnest({args.add(types, 'text[]')}), unnest({args.add(ids, 'text[]')})"
    return (
        f"SELECT p FROM {visible(TRAIL, sorted(set(types)), args)} AS r,"
        " unnest(coalesce(r.patients, ARRAY[r.patient])) AS p"
        f" WHERE (r.type, r.id) IN (SELECT {wanted}) AND p IS NOT NULL"
        f" AND '{PSYCHOTHERAPY_NOTES}' <> ALL(coalesce(r.seals, '{{}}'))"
    )


def _places(ctx: Context, call: Call) -> Iterator[Place]:
    """What the call acts on, or each entry of the transaction does."""
    if call.type is not None and call.id is not None:
        yield call.type, call.id
    if call.interaction == "transaction":
        for url in _urls(call.body):
            type_, _, rest = url.removeprefix(f"{ctx.base_url}/").partition("?")[0].partition("/")
            id_ = rest.partition("/")[0]
            if ID.match(id_):
                yield type_, id_


def _urls(body: Any) -> Iterator[str]:
    entries = body.get("entry") if isinstance(body, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        request = entry.get("request") if isinstance(entry, dict) else None
        if isinstance(request, dict) and isinstance(request.get("url"), str):
            yield request["url"]


def _written_about(ctx: Context, call: Call) -> Iterator[str]:
    """Whom a new resource says it is about; the body was not validated yet."""
    body: Any = call.body
    if not isinstance(body, Mapping) or call.interaction != "create":
        return
    element = body.get(SUBJECT.get(call.type or "", ""))
    found = local(element.get("reference"), ctx.base_url) if isinstance(element, dict) else None
    if found is not None and found.type == "Patient":
        yield found.id
