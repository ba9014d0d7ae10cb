"""What a search may not match: elements that are hidden from whoever asks.

A search by a reference to what does not exist for the caller finds nothing, whatever points there;
who is shown no goal of a plan finds it by goal:missing=true. docs/decisions/0015-redaction.md
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from app.fhir.access import Access, Nothing
from app.fhir.compartments import is_patient_parameter
from app.fhir.context import Context
from app.fhir.errors import BadRequest
from app.fhir.hidden import known_to, unknown
from app.fhir.known import Known, is_known, known, restricted, types_of
from app.fhir.references import POINTER
from app.fhir.search.at_risk import is_at_risk
from app.fhir.search.condition import (
    Chain,
    Condition,
    Either,
    Every,
    Has,
    Member,
    Not,
)
from app.fhir.search.parameters import Criterion, Over, predicate
from app.fhir.search.parameters.criterion import targets
from app.fhir.search.parameters.keys import param
from app.fhir.search.parameters.reference import asked
from app.fhir.search.query import Query

Test = Callable[[list[int]], str]
"""Makes SQL that an index row, or a row by its index, is of one of these parameters (numbers)."""

Existing = tuple[Known, frozenset[str]]
"""What exists for the caller, and which references in the query do not lead there."""


async def existing(ctx: Context, query: Query) -> Existing:
    """What exists for the caller of a search. Raises BadRequest for an unreadable reference."""
    groups = known_to(ctx)
    named = doubted(query, groups, ctx.engine.base_url)
    return groups, await unknown(ctx, named) if named else frozenset()


def doubted(query: Query, groups: Known, base_url: str) -> frozenset[str]:
    """The references in the query to what need not exist for whom there is this.

    Raises BadRequest for an unreadable reference, and where the order of the matches would tell of
    what is hidden.
    """
    if not groups:
        return frozenset()
    _check_order(query)
    return _judged(query, groups, base_url)


def _judged(query: Query, groups: Known, base_url: str) -> frozenset[str]:
    judged, named = types_of(groups), set(_named(_all(query), base_url))
    return frozenset(each for each in named if each.partition("/")[0] in judged)


def _check_order(query: Query) -> None:
    """BadRequest where the order of the matches would tell of what is not shown of them."""
    for sort in query.sort:
        is_patient = is_patient_parameter(query.type, sort.code)
        is_risky = sort.type == "reference" or (
            sort.type != "column" and is_at_risk(query.type, sort.code)
        )
        if is_risky and not is_patient:
            raise BadRequest(
                f"_sort by {sort.code} may tell of what is not shown to you; sort by another.",
                code="not-supported",
            )


def _all(query: Query) -> Iterator[Condition]:
    for part in query.parts or (query,):
        yield from part.conditions


def unasked(query: Query, access: Access, base_url: str) -> Existing:
    """Where nobody looked: nothing that may be hidden exists."""
    groups = known(access, access, Nothing())
    return groups, _judged(query, groups, base_url)


def _named(conditions: Iterable[Condition], base_url: str) -> Iterator[str]:
    """The references that a query asks for, at any depth."""
    for condition in conditions:
        match condition:
            case Chain(inner=inner) | Has(inner=inner):
                yield from _named([inner], base_url)
            case Either(parts) | Every(parts):
                yield from _named(parts, base_url)
            case Not(inner):
                yield from _named([inner], base_url)
            case Member():
                yield f"{condition.compartment}/{condition.id}"
            case Criterion() if _is_by_reference(condition):
                yield from _in_doubt(condition, base_url)


def _in_doubt(criterion: Criterion, base_url: str) -> Iterator[str]:
    """All but the patient whom the rows themselves are about: who sees them knows of whom."""
    is_own = is_patient_parameter(criterion.type, criterion.parameter.code)
    for value in criterion.values:
        for each in asked(criterion, value, base_url):
            if not (is_own and _is_patient(each)):
                yield each


def _is_patient(name: str) -> bool:
    return name.startswith("Patient/")


def _is_by_reference(criterion: Criterion) -> bool:
    is_named = criterion.modifier not in ("missing", "identifier", "text")
    return criterion.parameter.type == "reference" and is_named


def shown(criterion: Criterion, over: Over) -> str:
    """SQL: the row matches by what is shown of it. Raises BadRequest for an unreadable value."""
    if not over.known:
        return predicate(criterion, over)
    matches = _shown(criterion, over)
    if is_at_risk(criterion.type, criterion.parameter.code):
        return f"({matches} AND NOT {is_redacted(over)})"
    return matches


def _shown(criterion: Criterion, over: Over) -> str:
    if _is_by_reference(criterion):
        return _to_existing(criterion, over)
    if criterion.parameter.type == "reference":
        return _present(criterion, predicate(criterion, over), over)
    return predicate(criterion, over)


def _to_existing(criterion: Criterion, over: Over) -> str:
    """The row points to one of the values that exists, or to whom the row itself is about."""
    kept: list[str] = []
    tests: list[str] = []
    for value in criterion.values:
        wanted = asked(criterion, value, over.base_url)
        lost = over.lost.intersection(wanted)
        kept += [each for each in wanted if each not in lost] if lost else [value]
        tests += [_to_own(criterion, each, over) for each in sorted(lost) if _is_patient(each)]
    if kept:
        tests.append(predicate(replace(criterion, values=tuple(kept)), over))
    return f"({' OR '.join(tests)})" if tests else "false"


def _to_own(criterion: Criterion, patient: str, over: Over) -> str:
    matches = predicate(replace(criterion, values=(patient,)), over)
    return f"({matches} AND {is_own(patient, over)})"


def is_own(patient: str, over: Over) -> str:
    """SQL: the row is about this patient ("Patient/id")."""
    id_ = over.args.add(patient.removeprefix("Patient/"), "text")
    return f"coalesce({over.alias}.patient = {id_} OR {id_} = ANY({over.alias}.patients), false)"


def _present(criterion: Criterion, matches: str, over: Over) -> str:
    """By :missing a reference counts if it is shown; else where none is hidden."""
    judged = restricted(over.known, targets(criterion.parameter))
    if not judged or criterion.type == "AuditEvent":
        return matches
    number = param(criterion.type, criterion.parameter.code)
    index = (
        f"SELECT FROM index_reference AS x WHERE x.rid = {over.alias}.rid AND x.param = {number}"
    )
    hides = f"EXISTS ({index} AND NOT {_is_shown(judged, over)})"
    if criterion.modifier in ("identifier", "text"):
        return f"({matches} AND NOT {hides})"
    is_gone = f"({hides} AND NOT EXISTS ({index} AND {_is_shown(judged, over)}))"
    if criterion.values == ("true",):
        return f"({matches} OR {is_gone})"
    return f"({matches} AND NOT {is_gone})"


def _is_shown(judged: Known, over: Over) -> str:
    """SQL: index row `x` leads to what exists for the caller, or to whom the row is about."""
    own = (
        f"x.target = 'Patient/' || {over.alias}.patient"
        f" OR x.target = ANY(SELECT 'Patient/' || o FROM unnest({over.alias}.patients) AS o)"
    )
    return f"(coalesce({own}, false) OR {is_known(judged, 'x.target', over.args)})"


def unless_redacted(over: Over, links: Iterable[tuple[str, str]], test: Test) -> str:
    """SQL: what `test` says of the numbers of these references (type, code); by one that may go
    with something hidden beside it only of a row that hides nothing. See at_risk.py."""
    named = [(param(*link), bool(over.known) and is_at_risk(*link)) for link in links]
    safe, risky = ([at for at, is_risky in named if is_risky is each] for each in (False, True))
    tests = [test(sorted({*safe}))] if safe or not risky else []
    tests += [f"({test(sorted({*risky}))} AND NOT {is_redacted(over)})"] if risky else []
    return f"({' OR '.join(tests)})"


def is_redacted(over: Over) -> str:
    """SQL: the row refers anywhere to what is hidden."""
    pattern = over.args.add(POINTER.format(re.escape(over.base_url)), "text")
    return (
        f"EXISTS (SELECT FROM regexp_matches({over.alias}.body, {pattern}, 'g') AS m(parts)"
        f" CROSS JOIN LATERAL (SELECT m.parts[1]) AS x(target)"
        f" WHERE NOT {_is_shown(over.known, over)})"
    )
