"""Resolve: what a search means by a value set, a code system or a hierarchy becomes plain values.

Looked up before the statement is compiled, with the caller's eyes.
https://hl7.org/fhir/R4/search.html#modifiers
"""

from collections.abc import Sequence
from dataclasses import replace

from app.fhir import json
from app.fhir.access import Access, Nothing
from app.fhir.canonicals import code_system, find, terminology
from app.fhir.context import Context, Resource
from app.fhir.errors import BadRequest, Unprocessable
from app.fhir.hidden import unknown
from app.fhir.search.condition import Condition, mapped
from app.fhir.search.parameters import Criterion
from app.fhir.search.parameters.criterion import escape, split, unescape
from app.fhir.search.parameters.keys import param
from app.fhir.search.parameters.modifiers import HIERARCHIES, TERMINOLOGICAL, hierarchy
from app.fhir.search.query import Query
from app.fhir.terminology.value_set import members
from app.fhir.visible import visible
from app.storage.sql import Arguments

ROUNDS = 12
MAX_MEMBERS = 1000
MAX_CODES = 10_000

Code = tuple[str, str]
"""System and code; the code "" stands for every code of the system."""


async def resolved(ctx: Context, query: Query) -> Query:
    """The query without :in, :not-in, and :above and :below of codes and references.

    Raises BadRequest where the server does not know what is asked for.
    """
    if query.parts:
        return replace(query, parts=tuple([await resolved(ctx, part) for part in query.parts]))
    found = {}
    for criterion in _asking(query.conditions):
        found[criterion] = await _plain(ctx, criterion)
    if not found:
        return query
    conditions = [mapped(each, lambda one: found.get(one, one)) for each in query.conditions]
    return replace(query, conditions=tuple(conditions))


def is_plain(query: Query) -> bool:
    """Whether the query says all it means: nothing has to be looked up for it."""
    return not any(_asking(part.conditions) for part in query.parts or (query,))


def _asking(conditions: Sequence[Condition]) -> list[Criterion]:
    found: list[Criterion] = []

    def note(criterion: Criterion) -> Criterion:
        is_uri = criterion.parameter.type == "uri"
        if criterion.modifier in TERMINOLOGICAL and not is_uri:
            found.append(criterion)
        return criterion

    for condition in conditions:
        mapped(condition, note)
    return found


async def _plain(ctx: Context, criterion: Criterion) -> Criterion:
    if criterion.parameter.type == "reference":
        return await _references(ctx, criterion)
    codes: set[Code] = set()
    for value in criterion.values:
        if criterion.modifier in ("in", "not-in"):
            codes |= await _in(ctx, unescape(value))
        else:
            codes |= await _related(ctx, criterion, value)
    # Nothing matches an empty value set; an empty list of keys says so.
    values = tuple(f"{escape(system)}|{escape(code)}" for system, code in sorted(codes))
    return replace(
        criterion, values=values, modifier="not" if criterion.modifier == "not-in" else None
    )


async def _in(ctx: Context, text: str) -> set[Code]:
    """The codes of the value set at a URL, or of the stored one at ValueSet/id."""
    one = await _by_id(ctx, text) if text.startswith("ValueSet/") else None
    if one is None:
        one = await find(ctx, "ValueSet", text)
    if one is None:
        raise unclear(f"The server has no ValueSet {text}.", "not-found")
    held = await terminology(ctx, [one], [])
    try:
        found = members(one, held, is_open=True)
    except Unprocessable as error:
        raise unclear(error.issues[0].diagnostics, error.issues[0].code) from None
    if len(found) > MAX_CODES:
        raise unclear(f"The value set {text} has more than {MAX_CODES} codes.", "too-costly")
    return {each.key for each in found}


async def _by_id(ctx: Context, reference: str) -> Resource | None:
    args = Arguments()
    source = visible(ctx.reach, "ValueSet", args)
    id_ = args.add(reference.partition("/")[2])
    row = await ctx.store.fetchrow(
        *args.statement(f"SELECT r.body FROM {source} AS r WHERE NOT r.deleted AND r.id = {id_}")
    )
    return None if row is None else json.parse(row["body"].encode())


async def _related(ctx: Context, criterion: Criterion, value: str) -> set[Code]:
    """What is above or below `system|code`, itself included."""
    parts = [unescape(part) for part in split(value, "|")]
    code = criterion.parameter.code
    if len(parts) != 2 or not all(parts):
        raise BadRequest(
            f"'{code}:{criterion.modifier}' is written system|code.", expression=(code,)
        )
    system = await code_system(ctx, parts[0])
    if system is None:
        raise unclear(f"The server has no CodeSystem {parts[0]}.", "not-found")
    found = system.above(parts[1]) if criterion.modifier == "above" else system.below(parts[1])
    return {(parts[0], each) for each in found}


def unclear(text: str, code: str = "not-supported") -> BadRequest:
    """What is answered where a search by meaning cannot be decided."""
    return BadRequest(text, code=code)


async def _references(ctx: Context, criterion: Criterion) -> Criterion:
    """`location:below=1`: the place and all that is part of it. #recursive of the search page."""
    type_ = hierarchy(criterion.parameter)
    assert type_ is not None
    access = ctx.access.get("s", Nothing())
    found = {unescape(value).removeprefix(f"{type_}/") for value in criterion.values}
    step = _parents if criterion.modifier == "above" else _children
    fresh = found
    for _ in range(ROUNDS):
        fresh = await step(ctx, access, type_, await _known(ctx, type_, fresh)) - found
        found |= fresh
        if not fresh:
            break
    if fresh or len(found) > MAX_MEMBERS:
        raise unclear(f"More than {MAX_MEMBERS} are above or below, or too deep.", "too-costly")
    values = tuple(f"{type_}/{escape(each)}" for each in sorted(found))
    return replace(criterion, values=values, modifier=None)


async def _known(ctx: Context, type_: str, ids: set[str]) -> set[str]:
    """Those that exist for the caller: nobody is shown what is part of anything else."""
    hidden = await unknown(ctx, (f"{type_}/{each}" for each in ids))
    return {each for each in ids if f"{type_}/{each}" not in hidden}


async def _children(ctx: Context, access: Access, type_: str, ids: set[str]) -> set[str]:
    args = Arguments()
    source = visible(access, type_, args)
    targets = args.add([f"{type_}/{each}" for each in sorted(ids)], "text[]")
    rows = await ctx.store.fetch(
        *args.statement(
            f"SELECT r.id FROM {source} AS r JOIN index_reference AS x ON x.rid = r.rid"
            f" WHERE NOT r.deleted AND x.param = {param(type_, HIERARCHIES[type_])}"
            f" AND x.target = ANY({targets}) LIMIT {MAX_MEMBERS + 1}"
        )
    )
    return {row["id"] for row in rows}


async def _parents(ctx: Context, access: Access, type_: str, ids: set[str]) -> set[str]:
    args = Arguments()
    source = visible(access, type_, args)
    rows = await ctx.store.fetch(
        *args.statement(
            f"SELECT x.target FROM {source} AS r JOIN index_reference AS x ON x.rid = r.rid"
            f" WHERE NOT r.deleted AND x.param = {param(type_, HIERARCHIES[type_])}"
            f" AND r.id = ANY({args.add(sorted(ids), 'text[]')}) LIMIT {MAX_MEMBERS + 1}"
        )
    )
    prefix = f"{type_}/"
    found = (row["target"] for row in rows)
    return {target.removeprefix(prefix) for target in found if target.startswith(prefix)}
