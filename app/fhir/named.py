"""The patients a call names, whether or not its answer does: for the audit trail."""

import re
from collections.abc import Iterable, Iterator

from app.fhir.access import Nothing
from app.fhir.context import Call, Context
from app.fhir.references import ID
from app.fhir.visible import visible
from app.storage.sql import Arguments

POINTING = frozenset({"patient", "subject", "beneficiary"})
"""The search parameters that say whom a resource is about."""

ASKING = frozenset(
    {
        "search-type",
        "search-compartment",
        "search-system",
        "history-type",
        "history-system",
        "operation",
    }
)
"""The interactions whose answer can be about somebody of whom it shows nothing."""

MOST = 50
"""Patients of one call who are looked for."""

_ANYWHERE = re.compile(r"\bPatient/([A-Za-z0-9.-]{1,64})")


async def known(ctx: Context, call: Call) -> tuple[str, ...]:
    """The logical ids of the patients a question names, of those the caller may see."""
    if call.interaction not in ASKING:
        return ()
    ids = sorted({*_named(call.type, call.query), *_around(call), *_sent(call)})[:MOST]
    if not ids:
        return ()
    args = Arguments()
    letter = "s" if "s" in ctx.access else "r"
    source = visible(ctx.access.get(letter, Nothing()), "Patient", args)
    sql = f"SELECT r.id FROM {source} AS r WHERE r.id = ANY({args.add(ids, 'text[]')})"
    rows = await ctx.store.fetch(*args.statement(f"{sql} AND NOT r.deleted ORDER BY r.id"))
    return tuple(row["id"] for row in rows)


def names_others(call: Call, patients: Iterable[str]) -> bool:
    """Whether the query tells of a patient who is none of these, or could."""
    if not {*_named(call.type, call.query)}.issubset(patients):
        return True
    return any("," in value and _describes(call.type, name) for name, value in call.query)


def _describes(type_: str | None, name: str) -> bool:
    """Whether a parameter finds patients by something other than their id."""
    return (type_ == "Patient" and name[:1] != "_") or re.split("[.:]", name)[0] in POINTING


def _named(type_: str | None, query: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in query:
        yield from _ANYWHERE.findall(value)
        if name.removesuffix(":Patient") in POINTING or (type_, name) == ("Patient", "_id"):
            yield from (each for each in value.split(",") if ID.match(each))


def _around(call: Call) -> Iterator[str]:
    if call.compartment is not None and call.compartment[0] == "Patient":
        yield call.compartment[1]


def _sent(call: Call) -> Iterator[str]:
    """Parameters of an operation may come as a resource."""
    body = call.body if call.operation and isinstance(call.body, dict) else {}
    parts = body.get("parameter")
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, dict) and isinstance(part.get("valueString"), str):
            yield from _named(call.type, [(str(part.get("name")), part["valueString"])])
