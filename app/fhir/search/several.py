"""The conditions of one search over many types, as one statement over all of them."""

from collections.abc import Iterator, Sequence

from app.fhir.access import Access
from app.fhir.search.chain import holds
from app.fhir.search.condition import Condition, During, Either, Every, Listed, Member, Not, Worded
from app.fhir.search.masked import is_own, unless_redacted
from app.fhir.search.parameters import Criterion, Over
from app.fhir.search.query import Query

OF_EVERY_ROW = ("_id", "_lastUpdated")


def several(parts: Sequence[Query], access: Access, over: Over) -> Iterator[str]:
    """SQL: what each of the parts, which have the same parameters, says of rows of its type."""
    types = [part.type for part in parts]
    for conditions in zip(*(part.conditions for part in parts), strict=True):
        if _is_of_any(conditions[0]):
            yield holds(conditions[0], access, over)
        elif isinstance(conditions[0], Member):
            yield _members([each for each in conditions if isinstance(each, Member)], over)
        else:
            tests = [
                f"(r.type = '{type_}' AND {holds(condition, access, over)})"
                for type_, condition in zip(types, conditions, strict=True)
            ]
            yield f"({' OR '.join(tests)})"


def _is_of_any(condition: Condition) -> bool:
    """Whether the condition says the same of a row of any type."""
    match condition:
        case Criterion():
            return condition.parameter.code in OF_EVERY_ROW
        case Either(parts) | Every(parts):
            return all(map(_is_of_any, parts))
        case Not(inner):
            return _is_of_any(inner)
    return isinstance(condition, Listed | During | Worded)


def _members(members: Sequence[Member], over: Over) -> str:
    """SQL: the row is in the compartment by a reference of whatever type it is, or is its center.

    The rows are collected first, so that an index leads to them.
    """
    name, id_ = members[0].compartment, members[0].id
    links = {(each.type, code) for each in members for code in each.codes}
    center = f"{name}/{id_}"
    target, own = over.args.add(center), over.args.add(id_)
    points = unless_redacted(
        over,
        links,
        lambda some: (
            "r.rid = ANY(ARRAY(SELECT x.rid FROM index_reference AS x"
            f" WHERE x.target = {target} AND x.param IN ({', '.join(map(str, some))})))"
        ),
    )
    if center in over.lost:
        points = f"{points} AND {is_own(center, over)}"
    return f"({points} OR (r.type = '{name}' AND r.id = {own}))"
