"""The predicate of a criterion: an SQL condition over one row of `visible`."""

from collections.abc import Callable

from app.fhir.search.parameters import (
    composite,
    date,
    identity,
    number,
    quantity,
    reference,
    string,
    token,
    uri,
)
from app.fhir.search.parameters.criterion import Criterion, Over, parse
from app.storage.sql import Arguments

PREDICATES: dict[str, Callable[[Criterion, Over], str]] = {
    "token": token.predicate,
    "string": string.predicate,
    "date": date.predicate,
    "reference": reference.predicate,
    "uri": uri.predicate,
    "number": number.predicate,
    "quantity": quantity.predicate,
    "composite": composite.predicate,
}


def predicate(criterion: Criterion, over: Over) -> str:
    """SQL: the row matches the criterion. Raises BadRequest for a value that cannot be read."""
    own = identity.PREDICATES.get((criterion.type, criterion.parameter.code)) or (
        identity.PREDICATES.get(("*", criterion.parameter.code))
    )
    if own is not None:
        return own(criterion, over)
    if criterion.modifier == "missing":
        return token.presence_predicate(criterion, over)
    return PREDICATES[criterion.parameter.type](criterion, over)


def criterion(type_: str, name: str, value: str, args: Arguments, alias: str = "r") -> str:
    """SQL: the row matches one search parameter as written in a URL. Raises BadRequest."""
    return predicate(parse(type_, name, value), Over(alias, args))
