"""What a change must hold to inside its transaction: references that lead somewhere the caller may
know of, and a new state that still lies within the caller's access."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.fhir import json
from app.fhir.access import Everything, Nothing, for_type
from app.fhir.change import LETTER
from app.fhir.context import Context
from app.fhir.draft import Current, Draft, pointers
from app.fhir.errors import Forbidden, Issue, Unprocessable
from app.fhir.grounds import RELATING
from app.fhir.references import Reference
from app.fhir.registry import is_type
from app.fhir.visible import visible
from app.storage.sql import Arguments, Connection

Pointers = Sequence[tuple[Reference, str]]
"""References, each with its FHIRPath."""

Currents = Mapping[tuple[str, str], Current]
Found = dict[Reference, tuple[str, ...]]
"""Resources that exist and may be known of, each with the patients it is about."""


async def resolve(
    ctx: Context, connection: Connection, drafts: Sequence[Draft], current: Currents
) -> tuple[Found, tuple[str, ...], datetime | None]:
    """Find what the drafts refer to; the second part names references to nothing, the third is an
    instant of the write, where something was looked up.

    Raises Unprocessable when policy refuses those. A reference that the current version already
    holds, as often as it does, is let pass: its target may have been deleted, or hidden from this
    caller. Not so, whatever the policy, what could let its author in: the patient whom a resource
    is newly about, what a Provenance is about, what a Consent permits because of the reference.
    """
    known: Found = {Reference(*d.key): d.subjects for d in drafts if d.change.resource}
    going = {Reference(*d.key) for d in drafts if d.change.resource is None}
    fresh = [d for d in drafts if not d.is_like(current.get(d.key))]
    wanted = {target for d in fresh for target in d.references} - set(known) - going
    instant, found = await _find(ctx, connection, wanted)
    known |= found
    lost = [
        (each, target, path)
        for each in fresh
        for target, path in _unresolved(ctx, each, known, current.get(each.key))
    ]
    opening = await _opening(ctx, connection, [each for each, *_ in lost], known, current)
    refused = [
        _nowhere(target, path)
        for each, target, path in lost
        if ctx.engine.policy.check_references
        or each.key in opening
        or target in _needed(ctx, each, current.get(each.key))
    ]
    if refused:
        raise Unprocessable("A reference leads nowhere.", issues=refused)
    return known, tuple(f"{path}: {target}" for _, target, path in lost), instant


async def _opening(
    ctx: Context, connection: Connection, drafts: Sequence[Draft], known: Found, current: Currents
) -> set[tuple[str, str]]:
    """Those of the drafts of which a Consent permits whatever they refer to."""
    if not drafts or ctx.engine.policy.check_references or isinstance(ctx.reach, Everything):
        return set()
    about = {p for each in drafts for p in patients_of(each, known, current.get(each.key))}
    names = sorted({"/".join(each.key) for each in drafts})
    named = {row["name"] for row in await connection.fetch(RELATING, sorted(about), names)}
    return {each.key for each in drafts if "/".join(each.key) in named}


async def _find(
    ctx: Context, connection: Connection, wanted: set[Reference]
) -> tuple[datetime | None, Found]:
    types = sorted({target.type for target in wanted if is_type(target.type)})
    if not types:
        return None, {}
    args = Arguments()
    source = visible(ctx.reach, types, args)
    here = args.add([t.type for t in wanted], "text[]")
    ids = args.add([t.id for t in wanted], "text[]")
    rows = await connection.fetch(
        *args.statement(
            # One round trip for both: this is on the path of every create.
            "SELECT t.instant, f.* FROM (SELECT write_instant() AS instant) AS t LEFT JOIN"
            f" (SELECT r.type, r.id, r.patient, r.patients FROM {source} AS r"
            f" JOIN unnest({here}, {ids}) AS w(type, id) ON w.type = r.type AND w.id = r.id"
            # Or a plan made while the table was empty would go through all of a type.
            f" WHERE r.id = ANY({ids}) AND NOT r.deleted) AS f ON true"
        )
    )
    return rows[0]["instant"], {
        Reference(row["type"], row["id"]): (row["patient"],)
        if row["patient"]
        else tuple(row["patients"] or ())
        for row in rows
        if row["id"] is not None
    }


def _newly_about(ctx: Context, draft: Draft, current: Current | None) -> set[Reference]:
    """The patients whom the draft is about and the current version is not; none to an operator."""
    if isinstance(ctx.reach, Everything) or draft.change.type == "Patient":
        return set()
    before = {current.patient, *(current.patients or ())} if current else set()
    return {Reference("Patient", id_) for id_ in draft.subjects if id_ not in before}


def _needed(ctx: Context, draft: Draft, current: Current | None) -> set[Reference]:
    return _newly_about(ctx, draft, current) | _attested(ctx, draft)


def _attested(ctx: Context, draft: Draft) -> set[Reference]:
    """What a Provenance tells of: a consent may permit what somebody is said to have written."""
    return set() if isinstance(ctx.reach, Everything) else set(draft.sources)


def _unresolved(
    ctx: Context,
    draft: Draft,
    known: Found,
    current: Current | None,
) -> list[tuple[Reference, str]]:
    lost = [target for target in draft.references if target not in known]
    if not lost or draft.change.resource is None:
        return []
    base = ctx.engine.base_url
    made = list(pointers(draft.change.resource, base, draft.change.at))
    if current is None or current.body is None:
        return [(target, _added(target, (), made)) for target in lost]
    held = list(pointers(json.parse(current.body.encode()), base, draft.change.at))
    subjects = _needed(ctx, draft, current)
    return [
        (target, _added(target, held, made))
        for target in lost
        if target in subjects or _times(target, made) > _times(target, held)
    ]


def _times(target: Reference, pointed: Pointers) -> int:
    """Who repeats a reference guesses what it leads to: it is let pass as often as it was held."""
    return sum(reference == target for reference, _ in pointed)


def _added(target: Reference, held: Pointers, made: Pointers) -> str:
    """Where the target is newly referred to; where it was before is not told."""
    paths = [path for reference, path in made if reference == target]
    return next((path for path in paths if (target, path) not in held), paths[0])


def _nowhere(target: Reference, path: str) -> Issue:
    return Issue(
        "not-found",
        f"{target} does not exist, or is not known to you; refer to an existing resource.",
        (path,),
    )


async def judge(ctx: Context, connection: Connection, made: Sequence[tuple[int, Draft]]) -> None:
    """Refuse the whole transaction when a new state lies outside the caller's access."""
    for letter in ("c", "u"):
        access = ctx.access.get(letter, Nothing())
        drafts = {
            rid: draft
            for rid, draft in made
            if draft.change.resource
            and LETTER[draft.change.method] == letter
            and not isinstance(for_type(access, draft.change.type), Everything)
        }
        if not drafts:
            continue
        args = Arguments(list(drafts))
        source = visible(access, sorted({d.change.type for d in drafts.values()}), args)
        rows = await connection.fetch(
            *args.statement(f"SELECT r.rid FROM {source} AS r WHERE r.rid = ANY($1::bigint[])")
        )
        seen = {row["rid"] for row in rows}
        outside = [draft for rid, draft in drafts.items() if rid not in seen]
        if outside:
            raise Forbidden("Not within access.", issues=[_outside(draft) for draft in outside])


def _outside(draft: Draft) -> Issue:
    type_ = draft.change.type
    return Issue(
        "forbidden",
        f"This {type_} would lie outside of what you may see: it must be about a patient whom your"
        " organization supports, within the scopes granted.",
        (draft.change.at or type_,),
    )


def patients_of(draft: Draft, known: Found, current: Current | None) -> tuple[str, ...]:
    """Whom the new version is about: whom it names, and whom its sources are about.

    What the current version is about stays, where a source is not known any more.
    """
    if not draft.sources:
        return draft.subjects
    kept = current.about if current and not set(draft.sources) <= set(known) else ()
    found = {patient for source in draft.sources for patient in known.get(source, ())}
    return tuple(sorted({*draft.subjects, *kept, *found}))
