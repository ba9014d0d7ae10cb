"""What a search may not match: elements that are hidden from whoever asks.

A search by a reference to what does not exist for the caller finds nothing, whatever points there;
who is shown no goal of a plan finds it by goal:missing=true. docs/decisions/0018-redaction.md
"""

import re
from collections.abc import Sequence

from app.fhir.compartments import is_patient_parameter
from app.fhir.known import Known, restricted, seen
from app.fhir.search.at_risk import is_at_risk
from app.fhir.search.parameters import Criterion, Over
from app.fhir.search.parameters.criterion import targets
from app.fhir.search.parameters.keys import param
from app.fhir.search.parameters.reference import asked

POINTER = r'"reference":"(?:{}/)?([A-Z][A-Za-z]+/[A-Za-z0-9.-]+)'
"""A reference in stored text, to this server or relative, as PostgreSQL matches it."""


def shown(criterion: Criterion, matches: str, over: Over) -> str:
    """SQL: the row matches (SQL `matches`) by what is shown of it."""
    parameter = criterion.parameter
    if over.known and is_at_risk(criterion.type, parameter.code):
        return f"({matches} AND NOT {_is_redacted(over)})"
    if not over.known or parameter.type != "reference":
        return matches
    if criterion.modifier in ("missing", "identifier"):
        return _present(criterion, matches, over)
    wanted = [each for value in criterion.values for each in asked(criterion, value, over)]
    if all(each.startswith("Patient/") for each in wanted) and _is_own(criterion):
        return matches
    if criterion.type == "AuditEvent":
        return _of_event(wanted, matches, over)
    return shown_member(wanted, (param(criterion.type, parameter.code),), matches, over)


def _is_own(criterion: Criterion) -> bool:
    """Whether what the parameter points to is whom the row is about, which goes without saying."""
    return is_patient_parameter(criterion.type, criterion.parameter.code)


def shown_member(wanted: Sequence[str], params: tuple[int, ...], matches: str, over: Over) -> str:
    """SQL: the row matches by pointing, under one of these parameters, to one that is shown."""
    judged = restricted(over.known, (each.partition("/")[0] for each in wanted))
    if not judged or not params:
        return matches
    among = over.args.add(list(wanted), "text[]")
    return f"({matches} AND {_points(params, over, f'x.target = ANY({among})', judged)})"


def _present(criterion: Criterion, matches: str, over: Over) -> str:
    """By :missing a reference counts if it is shown; by :identifier where none is hidden."""
    judged = restricted(over.known, targets(criterion.parameter))
    if not judged or criterion.type == "AuditEvent":
        return matches
    params = (param(criterion.type, criterion.parameter.code),)
    hides = _hides(params, over, judged)
    if criterion.modifier == "identifier":
        return f"({matches} AND NOT {hides})"
    is_gone = f"({hides} AND NOT {_points(params, over, 'true', judged)})"
    if criterion.values == ("true",):
        return f"({matches} OR {is_gone})"
    return f"({matches} AND NOT {is_gone})"


def _points(params: tuple[int, ...], over: Over, test: str, judged: Known) -> str:
    return f"EXISTS ({_index(params, over)} AND {test} AND {_is_shown(judged, over)})"


def _hides(params: tuple[int, ...], over: Over, judged: Known) -> str:
    return f"EXISTS ({_index(params, over)} AND NOT {_is_shown(judged, over)})"


def _index(params: tuple[int, ...], over: Over) -> str:
    among = ", ".join(map(str, params))
    return (
        f"SELECT FROM index_reference AS x WHERE x.rid = {over.alias}.rid AND x.param IN ({among})"
    )


def _is_shown(judged: Known, over: Over) -> str:
    """SQL: index row `x` leads to what exists for the caller, or to whom the row is about."""
    own = (
        f"x.target = 'Patient/' || {over.alias}.patient"
        f" OR x.target = ANY(SELECT 'Patient/' || o FROM unnest({over.alias}.patients) AS o)"
    )
    return f"(coalesce({own}, false) OR {seen(judged, 'x.target', over.args)})"


def _is_redacted(over: Over) -> str:
    """SQL: the row refers anywhere to what is hidden."""
    pattern = over.args.add(POINTER.format(re.escape(over.base_url)), "text")
    return (
        f"EXISTS (SELECT FROM regexp_matches({over.alias}.body, {pattern}, 'g') AS m(parts)"
        f" CROSS JOIN LATERAL (SELECT m.parts[1]) AS x(target)"
        f" WHERE NOT {_is_shown(over.known, over)})"
    )


def _of_event(wanted: Sequence[str], matches: str, over: Over) -> str:
    """AuditEvents keep hashes of what they point to: each value must exist for the caller."""
    named = [each for each in wanted if not each.startswith("Patient/")]
    judged = restricted(over.known, (each.partition("/")[0] for each in named))
    if not judged:
        return matches
    among = over.args.add(named, "text[]")
    hides = f"SELECT FROM unnest({among}) AS t WHERE NOT {seen(judged, 't', over.args)}"
    return f"({matches} AND NOT EXISTS ({hides}))"
