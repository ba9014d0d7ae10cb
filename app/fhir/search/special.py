"""The parameters that are no search parameter of a type: _content, _filter, _list, _text.

https://hl7.org/fhir/R4/search.html#all
"""

from collections.abc import Callable, Mapping

from app.fhir.errors import BadRequest
from app.fhir.search.condition import Condition, Listed, Worded, parse_condition
from app.fhir.search.filter import parse_filter
from app.fhir.search.parameters.criterion import UnknownParameter, parse, split, unescape


def condition_of(type_: str, name: str, value: str) -> Condition:
    """The condition that one parameter of a search for this type sets.

    Raises UnknownParameter, BadRequest.
    """
    special = SPECIALS.get(name)
    return parse_condition(type_, name, value) if special is None else special(type_, value)


def _list(_: str, value: str) -> Condition:
    """https://hl7.org/fhir/R4/search.html#list"""
    if value.startswith("$"):
        raise BadRequest(
            "The server keeps no functional lists; _list takes the id of a List.",
            code="not-supported",
            expression=("_list",),
        )
    return Listed(tuple(unescape(each) for each in parse("List", "_id", value).values))


def _text(type_: str, value: str) -> Condition:
    return _worded("narrative", type_, value)


def _content(type_: str, value: str) -> Condition:
    return _worded("content", type_, value)


def _worded(column: str, type_: str, value: str) -> Condition:
    """https://hl7.org/fhir/R4/search.html#content"""
    if type_ == "AuditEvent":
        raise UnknownParameter("The words of AuditEvents are not indexed.", code="not-supported")
    values = tuple(unescape(each).strip() for each in split(value, ","))
    if not all(values):
        raise BadRequest("A word to search for is missing.", expression=("_content",))
    return Worded(column, values)


SPECIALS: Mapping[str, Callable[[str, str], Condition]] = {
    "_content": _content,
    "_filter": parse_filter,
    "_list": _list,
    "_text": _text,
}
