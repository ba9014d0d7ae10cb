"""Named: the patients a call names, whether or not its answer does, for the audit trail."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.fhir.access import Everything, Nothing, some
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
        "delete",
    }
)
"""The interactions whose answer can be about somebody of whom it shows nothing."""

TRAIL = Everything("who is told of it is the person it is about, not the caller")

MOST = 50
"""Patients of one call who are looked for."""

_ANYWHERE = re.compile(r"\bPatient/([A-Za-z0-9.-]{1,64})")


@dataclass(frozen=True, slots=True)
class Named:
    """The logical ids of the existing patients that a question names: those whom the caller may
    see, and the others."""

    seen: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


def is_asking(call: Call, patients: Sequence[str]) -> bool:
    """Whether the question may name somebody of whom an answer about these `patients` shows
    nothing."""
    if call.interaction not in ASKING:
        return False
    return (not patients or names_others(call, patients)) and bool(patients_named_in(call))


async def find_named(ctx: Context, call: Call) -> Named:
    """The patients that a question names, as `Named` has them."""
    args = Arguments()
    access = some(ctx.access.get(letter, Nothing()) for letter in "sr")
    ids = args.add(sorted(patients_named_in(call))[:MOST], "text[]")
    seen = visible(access, "Patient", args)
    everybody = visible(TRAIL, "Patient", args)
    rows = await ctx.store.fetch(
        *args.statement(
            f"SELECT r.id,"
            f" r.id IN (SELECT v.id FROM {seen} AS v WHERE v.id = ANY({ids})) AS is_seen"
            f" FROM {everybody} AS r WHERE r.id = ANY({ids}) AND NOT r.deleted ORDER BY r.id"
        )
    )
    return Named(
        tuple(row["id"] for row in rows if row["is_seen"]),
        tuple(row["id"] for row in rows if not row["is_seen"]),
    )


def patients_named_in(call: Call) -> set[str]:
    """The logical ids of the patients a call names, whether they exist or not."""
    return _named(call.type, call.query).union(_around(call), _sent(call))


def names_others(call: Call, patients: Iterable[str]) -> bool:
    """Whether the query tells of a patient who is none of these, or could."""
    if not call.query:
        return False
    if not _named(call.type, call.query).issubset(patients):
        return True
    return any("," in value and _describes(call.type, name) for name, value in call.query)


def _describes(type_: str | None, name: str) -> bool:
    """Whether a parameter finds patients by something other than their id."""
    return (type_ == "Patient" and name[:1] != "_") or re.split("[.:]", name)[0] in POINTING


def _named(type_: str | None, query: Iterable[tuple[str, str]]) -> set[str]:
    found: set[str] = set()
    for name, value in query:
        if "Patient/" in value:
            found.update(_ANYWHERE.findall(value))
        if _is_pointing(type_, name):
            found.update(filter(ID.match, value.split(",")))
    return found


def _is_pointing(type_: str | None, name: str) -> bool:
    """Whether the values of a parameter are the ids of patients."""
    pointing = name.removesuffix("._id").removesuffix(":Patient")
    return pointing in POINTING or (type_, name) == ("Patient", "_id")


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
