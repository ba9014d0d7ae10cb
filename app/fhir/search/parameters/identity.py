"""The parameters that read a column of the row itself."""

from collections.abc import Callable

from app.fhir.search.parameters import audit_target, near
from app.fhir.search.parameters.criterion import Criterion, Over, unescape
from app.fhir.search.parameters.date import instant_predicate


def _id(criterion: Criterion, over: Over) -> str:
    """https://hl7.org/fhir/R4/search.html#id"""
    if criterion.modifier == "missing":
        return "false" if criterion.values == ("true",) else "true"
    if len(criterion.values) == 1:
        test = f"{over.alias}.id = {over.args.add(unescape(criterion.values[0]))}"
    else:
        wanted = [unescape(value) for value in criterion.values]
        test = f"{over.alias}.id = ANY({over.args.add(wanted, 'text[]')})"
    return f"NOT ({test})" if criterion.modifier == "not" else test


def _last_updated(criterion: Criterion, over: Over) -> str:
    """https://hl7.org/fhir/R4/search.html#lastUpdated"""
    if criterion.modifier == "missing":
        return "false" if criterion.values == ("true",) else "true"
    return instant_predicate("last_updated", criterion, over)


PREDICATES: dict[tuple[str, str], Callable[[Criterion, Over], str]] = {
    ("*", "_id"): _id,
    ("*", "_lastUpdated"): _last_updated,
    ("AuditEvent", "date"): _last_updated,
    ("Location", "near"): near.predicate,
    ("AuditEvent", "agent"): audit_target.predicate,
    ("AuditEvent", "entity"): audit_target.predicate,
    ("AuditEvent", "patient"): audit_target.predicate,
    ("AuditEvent", "source"): audit_target.predicate,
}
