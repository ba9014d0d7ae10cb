"""Rules, request and resource → permit, deny or not covered, and why. Pure.

Of a Consent the most specific provisions decide: a provision counts unless one within it matches. A
denial in any Consent beats every permission; where no Consent speaks the implicit policy does.
`app/fhir/consented.py` asks the same in SQL. https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.consent.marks import references_key
from app.consent.provisions import Terms
from app.consent.purpose import EMERGENCY
from app.consent.rules import BASE, Rule
from app.consent.sensitivity import PART_2, PSYCHOTHERAPY_NOTES
from app.fhir.access import Standing
from app.fhir.marks import Marks

Outcome = Literal["permit", "deny", "not-covered"]
PLAIN = ""
"""The one atom of what bears no sensitivity label."""


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, what for, to do what, when.

    `actors` are all that the principal is or belongs to; `reach` adds who works for it: what they
    were permitted, it may know. `purposes` include the broader ones. `authorship` are the traits of
    what the principal wrote.
    """

    actors: frozenset[str]
    reach: frozenset[str]
    purposes: frozenset[str]
    actions: frozenset[str]
    now: datetime
    authorship: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """A resource: its marks, what refers to it, and whom a Provenance calls its author, as keys."""

    marks: Marks
    referrers: frozenset[int] = frozenset()
    attested: frozenset[int] = frozenset()

    @property
    def atoms(self) -> tuple[str, ...]:
        return self.marks.labels or (PLAIN,)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome, the rule or the relationship that decided, and what whoever acts on it owes."""

    outcome: Outcome
    reason: str
    consent: str | None = None
    expression: str | None = None
    obligations: tuple[str, ...] = ()


def decide(
    rules: Sequence[Rule], standings: Sequence[Standing], request: Request, facts: Facts
) -> Decision:
    """Whether one patient permits the request: `rules` are all of hers, `standings` those that the
    principal has with her."""
    applicable = [rule for rule in in_force(rules, request.now) if applies(rule, request)]
    is_free = any(standing.is_free for standing in standings)
    found = [_of_atom(applicable, request, facts, atom) for atom in facts.atoms]
    denied = next((rule for denial, _ in found for rule in denial), None)
    if denied and not is_free:
        return _by_rule("deny", denied, request, facts)
    standing = next((s for s in standings if _opens(s, applicable, request, facts)), None)
    if standing and (standing.is_free or not all(permits for _, permits in found)):
        return Decision("permit", f"as {standing.basis}", obligations=obligations(request, facts))
    if all(permits for _, permits in found):
        return _by_rule("permit", found[0][1][0], request, facts)
    return Decision("not-covered", "no consent and no relationship covers this")


def in_force(rules: Collection[Rule], now: datetime) -> list[Rule]:
    """The rules of now, of each lineage those signed last. Two signed at one instant both hold."""
    bases = [rule for rule in rules if rule.path == BASE and rule.starts <= now < rule.ends]
    newest: dict[tuple[str, int], datetime] = {}
    for base in bases:
        line = (base.patient, base.lineage)
        newest[line] = max(base.signed, newest.get(line, base.signed))
    return [
        rule
        for rule in rules
        if rule.starts <= now < rule.ends
        and rule.signed >= newest.get((rule.patient, rule.lineage), rule.signed)
    ]


def applies(rule: Rule, request: Request) -> bool:
    """Whether the rule is about whoever asks, the purpose and the action."""
    terms = rule.terms
    asking = request.reach if rule.permits else request.actors
    return (
        (terms.actors is None or bool(terms.actors & asking))
        and (terms.purposes is None or bool(terms.purposes & request.purposes))
        and (terms.actions is None or bool(terms.actions & request.actions))
    )


def matches(rule: Rule, request: Request, facts: Facts, atom: str) -> bool:
    """Whether an applicable rule extends to the resource, seen as information of one kind."""
    least, most = rule.terms.levels
    return (
        rule.permits is not None
        and (least <= facts.marks.confidentiality <= most or atom in rule.terms.labels)
        and (not rule.permits or _unsealed(rule.opens, request, facts))
        and _is_within(rule.terms, facts, permits=rule.permits)
    )


def _is_within(terms: Terms, facts: Facts, *, permits: bool) -> bool:
    traits = frozenset(facts.marks.traits)
    return (
        (terms.classes is None or bool(terms.classes & traits))
        and (terms.codes is None or bool(terms.codes & traits))
        and _is_in_time(terms, facts.marks, permits=permits)
        and _is_named(terms, facts)
    )


def _is_in_time(terms: Terms, marks: Marks, *, permits: bool) -> bool:
    """A permit opens what lies within its time, a denial closes what touches it or has no time."""
    if terms.time is None:
        return True
    if marks.lo is None or marks.hi is None:
        return not permits
    lo, hi = terms.time
    if permits:
        return marks.lo >= lo and marks.hi <= hi
    return marks.lo < hi and marks.hi > lo


def _is_named(terms: Terms, facts: Facts) -> bool:
    if terms.data is None:
        return True
    traits = frozenset(facts.marks.traits)
    return bool(
        terms.data.instances & set(facts.marks.traits[:1])
        or terms.data.dependents & traits
        or terms.data.authors & (traits | facts.attested)
        or frozenset(map(references_key, terms.data.related)) & facts.referrers
    )


def _of_atom(
    applicable: Sequence[Rule], request: Request, facts: Facts, atom: str
) -> tuple[list[Rule], list[Rule]]:
    """The denials that count, and the permissions, which count unless there is one."""
    matched = [rule for rule in applicable if matches(rule, request, facts, atom)]
    denials = [
        rule
        for rule in matched
        if not rule.permits and not any(is_within(other, rule) for other in matched)
    ]
    return denials, sorted((r for r in matched if r.permits), key=lambda r: -len(r.path))


def is_within(inner: Rule, outer: Rule) -> bool:
    """Whether a provision is nested in another, at any depth."""
    return (
        inner.consent == outer.consent
        and inner.path != outer.path
        and inner.path.startswith(outer.path)
    )


def _opens(standing: Standing, applicable: Sequence[Rule], request: Request, facts: Facts) -> bool:
    marks = facts.marks
    return (
        marks.confidentiality <= standing.confidentiality
        and (standing.is_labelled or not marks.labels)
        and _unsealed(standing.opens, request, facts)
        and not (standing.is_closable and any(rule.closes for rule in applicable))
    )


def _unsealed(opens: Collection[str], request: Request, facts: Facts) -> bool:
    """Whether no law is in the way; who wrote psychotherapy notes may use them."""
    is_author = bool(request.authorship & frozenset(facts.marks.traits))
    return set(facts.marks.seals) <= {*opens, *([PSYCHOTHERAPY_NOTES] if is_author else [])}


def _by_rule(outcome: Outcome, rule: Rule, request: Request, facts: Facts) -> Decision:
    owed = obligations(request, facts) if outcome == "permit" else ()
    reason = "permitted by a consent" if outcome == "permit" else "denied by a consent"
    return Decision(outcome, reason, rule.consent, rule.expression, owed)


def obligations(request: Request, facts: Facts) -> tuple[str, ...]:
    """What is owed in return: codes of v3-ActCode, and `alert`, `log`, `notice`, `reason`."""
    owed: list[str] = []
    if EMERGENCY in request.purposes:
        owed += ["alert", "log", "reason"]
    if PART_2 in facts.marks.seals:
        owed += ["NORDSCLCD", "log", "notice"]
    if facts.marks.labels:
        owed.append("PERSISTLABEL")
    return tuple(sorted(set(owed)))
