"""The leading index row: the one row of an index table by which a resource takes its place.

It leads the statement: rows come in the order of its index, so that a page of a large type reads a
page of rows and sorts nothing.
"""

import re
from dataclasses import dataclass
from functools import cache

from app.fhir.registry import SearchParameter, parameters, structure
from app.fhir.search.condition import Condition
from app.fhir.search.parameters import Criterion, Over, date
from app.fhir.search.parameters.keys import param
from app.fhir.search.query import Sort
from app.fhir.search.sort import TABLES

PATH = re.compile(r"\b[A-Z]\w*(?:\.[a-z]\w*)+")
CHOICE = re.compile(r"\.as\(\w+\)|[()|]|\bas \w+")


@dataclass(frozen=True, slots=True)
class Lead:
    """Index row `i` of resource row `r` under the first sort key of a type."""

    type: str
    sort: Sort

    def join(self) -> str:
        """SQL: join `r` with `i`."""
        table, column, _ = TABLES[self.sort.type]
        of_several = "is_greatest" if self.sort.is_descending else "is_least"
        first = f"{column} IS NOT NULL" if self._is_only() else of_several
        return (
            f" JOIN {table} AS i ON i.rid = r.rid AND i.param = {param(self.type, self.sort.code)}"
            f" AND i.{first}"
        )

    def lacks(self) -> str:
        """SQL: `r` has no value for the key."""
        table, column, _ = TABLES[self.sort.type]
        return (
            f"NOT EXISTS (SELECT FROM {table} AS k WHERE k.rid = r.rid"
            f" AND k.param = {param(self.type, self.sort.code)} AND k.{column} IS NOT NULL)"
        )

    def tests(self, condition: Condition) -> bool:
        """Whether `i` alone decides the condition: a date of which a resource has at most one."""
        return (
            isinstance(condition, Criterion)
            and condition.parameter.code == self.sort.code
            and condition.parameter.type == "date"
            and condition.modifier is None
            and self._is_only()
        )

    def test(self, condition: Condition, over: Over) -> str:
        """SQL: the condition holds for `i`."""
        assert isinstance(condition, Criterion)
        return date.comparison(condition, "i", over)

    def _is_only(self) -> bool:
        return is_single(parameters(self.type)[self.sort.code])


@cache
def is_single(parameter: SearchParameter) -> bool:
    """Whether a resource can have but one index row under the parameter.

    So it is when its expression names one element, in any of its types, that never repeats.
    """
    if parameter.type == "string":
        return False
    paths = set(CHOICE.sub(" ", parameter.expression).split())
    return len(paths) == 1 and all(_never_repeats(path) for path in paths)


def _never_repeats(path: str) -> bool:
    if not PATH.fullmatch(path):
        return False
    owner, *names = path.split(".")
    # A choice has no elements that a path could go on to without naming its type.
    for name in names:
        element = structure(owner).get(name)
        if element is None or element.many:
            return False
        owner = next(iter(element.names.values()))
    return True
