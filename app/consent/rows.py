"""Rules → rows of table consent_rule: one per rule and actor, sets as arrays."""

from collections.abc import Collection
from typing import Any

from app.consent.provisions import Data
from app.consent.rules import Rule, rules
from app.fhir.access import EVERYONE
from app.fhir.context import Resource

Row = tuple[Any, ...]
UNNAMED = Data()


def rule_rows(resource: Resource, base_url: str) -> list[Row]:
    """The rows of a Consent, in the order of the columns of `storage.versions.DERIVED`."""
    if resource["resourceType"] != "Consent":
        return []
    return [
        (rule.patient, actor, *_row(rule))
        for rule in rules(resource, base_url)
        for actor in ([EVERYONE] if rule.terms.actors is None else sorted(rule.terms.actors))
    ]


def _row(rule: Rule) -> Row:
    terms = rule.terms
    lo, hi = terms.time or (None, None)
    data = terms.data or UNNAMED
    return (
        rule.consent,
        rule.path,
        rule.permits,
        rule.closes,
        _array(terms.purposes),
        _array(terms.actions),
        *terms.levels,
        sorted(terms.labels),
        list(rule.opens),
        any(limit is not None for limit in (terms.classes, terms.codes, terms.time, terms.data)),
        _array(terms.classes),
        _array(terms.codes),
        lo,
        hi,
        terms.data is not None,
        sorted(data.instances),
        sorted(data.dependents),
        sorted(data.authors),
        sorted(data.related),
        rule.starts,
        rule.ends,
        rule.lineage,
        rule.signed,
    )


def _array(values: Collection[Any] | None) -> list[Any] | None:
    return None if values is None else sorted(values)
