"""Conditions in SQL: criteria, chains, _has and compartments over one row of `visible`.

Whatever a condition looks at starts from `visible` too: nobody learns from a search what they may
not see. https://hl7.org/fhir/R4/search.html#chaining
"""

from dataclasses import replace

from app.fhir.access import Access
from app.fhir.compartments import is_patient_parameter
from app.fhir.search.condition import (
    Chain,
    Condition,
    During,
    Either,
    Every,
    Has,
    Listed,
    Member,
    Not,
    Worded,
)
from app.fhir.search.masked import is_own, is_redacted, shown, unless_redacted
from app.fhir.search.parameters import Criterion, Over, fulltext
from app.fhir.search.parameters.keys import param
from app.fhir.search.parameters.reference import points_to
from app.fhir.visible import visible


def holds(condition: Condition, access: Access, over: Over) -> str:
    """SQL: the condition holds for the row. Raises BadRequest for a value that cannot be read."""
    match condition:
        case Criterion():
            return shown(condition, over)
        case Member() | During() | Worded():
            return _own(condition, over)
        case Either(parts) | Every(parts):
            word = " AND " if isinstance(condition, Every) else " OR "
            return "(" + word.join(holds(part, access, over) for part in parts) + ")"
        case Not(inner):
            # A test of a column that is null is neither true nor false.
            return f"NOT coalesce({holds(inner, access, over)}, false)"
    return _elsewhere(condition, access, over)


def _elsewhere(condition: Chain | Has | Listed, access: Access, over: Over) -> str:
    """SQL of a condition on other resources."""
    match condition:
        case Chain():
            return _chain(condition, access, over)
        case Has():
            return _has(condition, access, over)
    return _listed(condition, access, over)


def _inner(over: Over) -> Over:
    """The row one link further: r, r1, r11, …"""
    return replace(over, alias=f"{over.alias}1")


def _chain(chain: Chain, access: Access, over: Over) -> str:
    here, there = over.alias, _inner(over)
    source = visible(access, chain.target, over.args)
    test = f"NOT {there.alias}.deleted AND {holds(chain.inner, access, there)}"
    if chain.target == "Patient" and is_patient_parameter(chain.type, chain.parameter):
        return (
            f"EXISTS (SELECT FROM {source} AS {there.alias}"
            f" WHERE {there.alias}.id = {here}.patient AND {test})"
        )
    return (
        f"EXISTS (SELECT FROM {source} AS {there.alias} JOIN index_reference AS x"
        f" ON {joined('x', there.alias, chain.target)}"
        f" WHERE x.rid = {here}.rid AND {_follows(chain.type, chain.parameter, over)} AND {test})"
    )


def _follows(type_: str, code: str, over: Over) -> str:
    """SQL: index row `x` of the row is one of this reference, which is shown if it is followed."""
    return unless_redacted(over, [(type_, code)], lambda some: f"x.param = {some[0]}")


def joined(index: str, row: str, type_: str) -> str:
    """SQL: the index row points to the resource row of this type.

    Said in both directions, so that the planner may start from either side's index.
    """
    prefix = f"{type_}/"
    return (
        f"{index}.target = '{prefix}' || {row}.id"
        f" AND {row}.id = substr({index}.target, {len(prefix) + 1})"
    )


def _has(has: Has, access: Access, over: Over) -> str:
    here, there = over.alias, _inner(over)
    source = visible(access, has.source, over.args)
    test = f"NOT {there.alias}.deleted AND {holds(has.inner, access, there)}"
    if has.type == "Patient" and is_patient_parameter(has.source, has.parameter):
        return (
            f"EXISTS (SELECT FROM {source} AS {there.alias}"
            f" WHERE {there.alias}.patient = {here}.id AND {test})"
        )
    return (
        f"EXISTS (SELECT FROM {source} AS {there.alias} JOIN index_reference AS x"
        f" ON x.rid = {there.alias}.rid WHERE {_follows(has.source, has.parameter, there)}"
        f" AND {joined('x', here, has.type)} AND {test})"
    )


def _listed(listed: Listed, access: Access, over: Over) -> str:
    here, lists = over.alias, over.args.add(list(listed.lists), "text[]")
    source = visible(access, "List", over.args)
    return (
        f"({here}.type, {here}.id) IN"
        " (SELECT split_part(x.target, '/', 1), split_part(x.target, '/', 2)"
        f" FROM {source} AS l JOIN index_reference AS x ON x.rid = l.rid"
        f" WHERE NOT l.deleted AND l.id = ANY({lists}) AND x.param = {param('List', 'item')})"
    )


def _own(condition: Member | During | Worded, over: Over) -> str:
    if isinstance(condition, Member):
        return _member(condition, over)
    if isinstance(condition, Worded):
        words = fulltext.predicate(condition.column, condition.values, over)
        return f"({words} AND NOT {is_redacted(over)})" if over.known else words
    lo, hi = (over.args.add(each, "timestamptz") for each in (condition.lo, condition.hi))
    row = over.alias
    return f"({row}.lo IS NULL OR ({row}.lo < {hi} AND {row}.hi > {lo}))"


def _member(member: Member, over: Over) -> str:
    wanted, tests = [f"{member.compartment}/{member.id}"], []
    if member.codes:
        links = [(member.type, code) for code in member.codes]
        test = unless_redacted(over, links, lambda some: points_to(wanted, tuple(some), over))
        if over.lost.intersection(wanted):
            test = f"({test} AND {is_own(wanted[0], over)})"
        tests.append(test)
    if member.type == member.compartment:
        tests.append(f"{over.alias}.id = {over.args.add(member.id)}")
    return f"({' OR '.join(tests)})"
