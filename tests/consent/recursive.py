"""What consents mean, as the definition goes: provision within provision. Easy to believe.

A provision decides unless one within it does; of those within, a denial before a permit. What no
provision decides is left to the base policy. `app/consent/decision.py` has to agree.
"""

from collections.abc import Sequence
from datetime import datetime

from app.consent.decision import PLAIN, Facts, Request, applies, matches
from app.consent.rules import BASE, EXCEPT, Rule, rules
from app.consent.sensitivity import PSYCHOTHERAPY_NOTES
from app.fhir.access import Standing
from tests.consent.paper import Resource

UNDECIDED, LISTED = "undecided", "listed"
BASE_URL = "http://example.org/fhir"


def outcome(
    consents: Sequence[Resource], held: Sequence[Standing], request: Request, facts: Facts
) -> str:
    """permit, deny or not-covered."""
    found = [
        of_atom(consents, held, request, facts, atom) for atom in facts.marks.labels or (PLAIN,)
    ]
    if "deny" in found:
        return "deny"
    return "permit" if set(found) == {"permit"} else "not-covered"


def of_atom(
    consents: Sequence[Resource],
    held: Sequence[Standing],
    request: Request,
    facts: Facts,
    atom: str,
) -> str:
    signed = [(consent, rules(consent, BASE_URL)) for consent in consents]
    valid = [(c, made) for c, made in signed if made and is_newest(made, signed, request.now)]
    results = [of_consent(c, made, request, facts, atom) for c, made in valid]
    if any(standing.is_free and covers(standing, request, facts) for standing in held):
        return "permit"
    if "deny" in results and not any(standing.is_free for standing in held):
        return "deny"
    if "permit" in results:
        return "permit"
    is_listed = LISTED in results
    opened = (s for s in held if covers(s, request, facts))
    return "permit" if any(not (s.is_closable and is_listed) for s in opened) else "not-covered"


def is_newest(
    made: list[Rule], signed: Sequence[tuple[Resource, list[Rule]]], now: datetime
) -> bool:
    """Whether its time has come and no newer one of its lineage is valid."""
    base = made[0]
    rivals = [other[0] for _, other in signed if other and other[0].lineage == base.lineage]
    return base.starts <= now < base.ends and not any(
        rival.signed > base.signed and rival.starts <= now < rival.ends for rival in rivals
    )


def of_consent(
    consent: Resource, made: list[Rule], request: Request, facts: Facts, atom: str
) -> str:
    by_path = {rule.path: rule for rule in made}

    def decides(path: str) -> str:
        rule = by_path.get(path)
        if rule is None or rule.permits is None or not is_live(rule, request):
            return UNDECIDED
        if not applies(rule, request) or not matches(rule, request, facts, atom):
            return UNDECIDED
        return "permit" if rule.permits else "deny"

    def of_provision(provision: Resource, path: str) -> str:
        nested = [
            of_provision(each, f"{path}{number}.")
            for number, each in enumerate(provision.get("provision", ()))
        ]
        if "deny" in nested:
            return "deny"
        if "permit" in nested:
            return "permit"
        found = decides(path)
        if found == UNDECIDED and path == "0." and is_list(by_path.get(path), request):
            return LISTED
        return found

    root = consent.get("provision")
    found = of_provision(root, "0.") if root else UNDECIDED
    if found == UNDECIDED:
        found = decides(EXCEPT) if decides(EXCEPT) != UNDECIDED else decides(BASE)
    return found


def is_live(rule: Rule, request: Request) -> bool:
    return rule.starts <= request.now < rule.ends


def is_list(rule: Rule | None, request: Request) -> bool:
    return rule is not None and rule.closes and is_live(rule, request) and applies(rule, request)


def covers(standing: Standing, request: Request, facts: Facts) -> bool:
    marks = facts.marks
    is_author = bool(request.authorship & set(marks.traits))
    seals = set(marks.seals) - ({PSYCHOTHERAPY_NOTES} if is_author else set())
    return (
        marks.confidentiality <= standing.confidentiality
        and (standing.is_labelled or not marks.labels)
        and seals <= set(standing.opens)
    )
