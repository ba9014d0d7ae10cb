"""The reference parameters of AuditEvent: they read a column of hashes instead of index rows.

An event is written with every read; index rows would cost it twice as much as all the rest.
"""

from app.fhir.search.parameters import reference, token
from app.fhir.search.parameters.criterion import Criterion, Over
from app.fhir.search.parameters.keys import key


def points(code: str, target: str) -> int:
    """The key in `audit_event.targets` of a reference parameter and what it points to."""
    return key(f"AuditEvent.{code}", target)


def predicate(criterion: Criterion, over: Over) -> str:
    """SQL: the event points to one of the values."""
    code = criterion.parameter.code
    if criterion.modifier == "missing":
        return token.presence_predicate(criterion, over)
    if criterion.modifier == "identifier":
        name = f"AuditEvent.{code}:identifier"
        wanted = [token.asked(name, value) for value in criterion.values]
    else:
        targets = [
            to
            for value in criterion.values
            for to in reference.asked(criterion, value, over.base_url)
        ]
        wanted = [points(code, target) for target in targets]
    return (
        f"{over.alias}.rid IN (SELECT a.rid FROM audit_event AS a"
        f" WHERE a.targets && {over.args.add(wanted, 'bigint[]')})"
    )
