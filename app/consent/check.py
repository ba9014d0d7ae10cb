"""What a Consent must say clearly to be enforced: a rule of the engine, asked before it is stored.

A code nobody understands would have to be guessed at when somebody is waiting for an answer; here
its author is still there to be asked. Pure, but for what day it is.
https://hl7.org/fhir/R4/consent.html, constraints ppc-1 to ppc-5 included
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from app.consent import part2, purpose
from app.consent.provisions import ACTION_CODES, ACTIONS, ACTORS, span
from app.consent.rules import CLOSING, OPENING, PRIVACY, SCOPES, is_about_privacy, policies
from app.consent.sensitivity import (
    ACT_CODE,
    CONFIDENTIALITY,
    LEVELS,
    SENSITIVITIES,
    level,
    sensitivity,
)
from app.fhir.context import Resource
from app.fhir.errors import Issue
from app.fhir.references import LITERAL
from app.fhir.search.parameters.date import interval

LOINC = "http://loinc.org"
AHEAD, SKEW = timedelta(hours=14), timedelta(minutes=5)
"""By which a date may be ahead of UTC, where the day begins first, and a clock of ours."""

Element = Mapping[str, Any]


def check(resource: Resource) -> Iterator[Issue]:
    """What is wrong with a Consent: errors refuse it, warnings tell how it will be understood."""
    if resource["resourceType"] != "Consent":
        return
    yield from _check_scope(resource)
    if not is_about_privacy(resource):
        return
    if "policyRule" not in resource and "policy" not in resource:
        yield _error("required", "name a policy: policyRule, or policy.uri (ppc-1)", "Consent")
    if resource.get("status") == "active":
        yield from _check_signed(resource.get("dateTime", ""))
    root = resource.get("provision")
    if root is not None:
        yield from _check_root(resource, root)
        yield from _check_provision(root, "Consent.provision")
    yield from _check_part_2(resource)


def _error(code: str, said: str, where: str) -> Issue:
    return Issue(code, f"{where}: {said}.", (where,))


def _warning(said: str, where: str) -> Issue:
    return Issue("informational", f"{where}: {said}.", (where,), "warning")


def _check_scope(resource: Resource) -> Iterator[Issue]:
    codings = resource.get("scope", {}).get("coding", ())
    if not any(coding.get("system") == SCOPES for coding in codings):
        said = f"write a coding of {SCOPES}, {PRIVACY} for a consent that is to be enforced"
        yield _error("code-invalid", said, "Consent.scope")


def _check_signed(given: str) -> Iterator[Issue]:
    """One that is to be signed yet would replace whatever the person signs until then."""
    try:
        signed = interval(given)[0]
    except ValueError:
        return
    if signed - (SKEW if "T" in given else AHEAD) > datetime.now(UTC):
        said = "it is yet to come; provision.period says from when a Consent holds"
        yield _error("business-rule", said, "Consent.dateTime")


def _check_root(resource: Resource, root: Element) -> Iterator[Issue]:
    kind, named = root.get("type"), policies(resource)
    if named & {"deny": OPENING, "permit": CLOSING}.get(str(kind), frozenset()):
        said = "it contradicts the policy; the consent is understood as a denial"
        yield _warning(said, "Consent.provision.type")
    elif kind is not None:
        said = "R4 has none at the root; it is understood as the rule where no nested one matches"
        yield _warning(said, "Consent.provision.type")


def _check_part_2(resource: Resource) -> Iterator[Issue]:
    if policies(resource) & part2.POLICIES:
        for lacking in part2.missing(resource):
            said = f"42 CFR 2.31(a) asks for {lacking}; until then no Part 2 record is opened"
            yield _warning(said, "Consent")


def _check_provision(provision: Element, where: str) -> Iterator[Issue]:
    for name in ("period", "dataPeriod"):
        if name in provision and not _is_period(provision[name]):
            yield _error("invariant", "it ends before it starts", f"{where}.{name}")
    for name, fault in FAULTS.items():
        for number, element in enumerate(provision.get(name, ())):
            if said := fault(element):
                yield _error("code-invalid", said, f"{where}.{name}[{number}]")
    for number, element in enumerate(provision.get("actor", ())):
        if said := _fault_of_actor(element.get("reference", {}).get("reference")):
            yield _error("not-supported", said, f"{where}.actor[{number}].reference")
    for number, nested in enumerate(provision.get("provision", ())):
        here = f"{where}.provision[{number}]"
        if nested.get("type") not in ("permit", "deny"):
            yield _error("required", "a nested provision permits or denies", f"{here}.type")
        yield from _check_provision(nested, here)


def _is_period(element: Any) -> bool:
    found = span(element)
    return found[0] < found[1]


def _fault_of_actor(reference: Any) -> str | None:
    if not isinstance(reference, str):
        return "refer to the resource itself: an identifier names nobody here"
    found = LITERAL.search(reference)
    if found is None or found[1] not in ACTORS:
        return f"refer to one of {', '.join(sorted(ACTORS))}"
    return None


def _fault_of_purpose(coding: Element) -> str | None:
    if coding.get("system") == purpose.SYSTEM and coding.get("code") in purpose.PURPOSES:
        return None
    return _unknown(coding, purpose.SYSTEM, "a purpose of use, e.g. TREAT")


def _fault_of_action(concept: Element) -> str | None:
    codings = concept.get("coding", ())
    if any(c.get("system") == ACTIONS and c.get("code") in ACTION_CODES for c in codings):
        return None
    known = ", ".join(sorted(ACTION_CODES))
    return _unknown(codings[0] if codings else {}, ACTIONS, f"one of {known}")


def _fault_of_label(coding: Element) -> str | None:
    if level(coding) is not None or sensitivity(coding) is not None:
        return None
    if coding.get("code") in LEVELS:
        return _unknown(coding, CONFIDENTIALITY, "a level of confidentiality")
    system = ACT_CODE if coding.get("code") in SENSITIVITIES else f"{CONFIDENTIALITY} or {ACT_CODE}"
    return _unknown(coding, system, "a level of confidentiality or a sensitivity")


def _unknown(coding: Element, system: str, wanted: str) -> str:
    given = str(coding.get("system", "no system"))
    if given.rstrip("/") == system and given != system:
        return f"write the system without a slash at its end: {system}"
    return f"'{coding.get('code', '')}' of {given} is not known; write {wanted}, of {system}"


def _fault_of_class(coding: Element) -> str | None:
    if coding.get("system") and coding.get("code"):
        return None
    return "write system and code: http://hl7.org/fhir/resource-types, or that of the document type"


def _fault_of_code(concept: Element) -> str | None:
    codings = [c for c in concept.get("coding", ()) if c.get("system") and c.get("code")]
    if not codings:
        return "write a coding with system and code: text is not compared"
    wrong = [c["code"] for c in codings if c["system"] == LOINC and not is_loinc(c["code"])]
    return f"'{wrong[0]}' is no LOINC code: its check digit is wrong" if wrong else None


def is_loinc(code: str) -> bool:
    """Whether the check digit is right (mod 10, doubling every other digit from the right)."""
    number, _, digit = code.partition("-")
    if not (number.isdigit() and len(digit) == 1 and digit.isdigit()):
        return code[:2] in ("LA", "LL", "LP") or code[:3] == "LG-"
    doubled = [int(d) * (2 - at % 2) for at, d in enumerate(reversed(number))]
    return (sum(d // 10 + d % 10 for d in doubled) + int(digit)) % 10 == 0


def _fault_of_data(element: Element) -> str | None:
    reference = element.get("reference", {}).get("reference")
    if isinstance(reference, str) and LITERAL.search(reference):
        return None
    return "refer to a resource by type and id"


FAULTS: Mapping[str, Callable[[Element], str | None]] = {
    "purpose": _fault_of_purpose,
    "action": _fault_of_action,
    "securityLabel": _fault_of_label,
    "class": _fault_of_class,
    "code": _fault_of_code,
    "data": _fault_of_data,
}
"""By element of a provision: what is wrong with one of them, None if nothing is."""
