"""check: a plan, a rule profile and a day become findings, a score by section, and a verdict."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from app.isp.plan import Plan
from app.isp.rules.profiles import Profile
from app.isp.rules.rule import LEVELS, Clock, Finding
from app.isp.rules.table import AFTER_SIGNING, RULES, SECTIONS


def check(plan: Plan, profile: Profile, today: date) -> list[Finding]:
    """Everything that the profile asks for and the plan does not hold, section by section.

    Judged by what was given: what a reference leads to but was not given is never held against it.
    """
    clock = Clock(today, profile.limits)
    return [
        Finding(
            id=rule.id,
            section=rule.section,
            severity=profile.severities[rule.id],
            resource=place.resource,
            expression=place.expression,
            sentence=rule.write.format_map(profile.limits),
            origin=rule.origin,
        )
        for rule in RULES
        if profile.severities[rule.id] != "off"
        for place in dict.fromkeys(rule.find(plan, clock))
    ]


def score(findings: Iterable[Finding], profile: Profile) -> Mapping[str, int]:
    """By section, how many of the checks that ask for something are met, in percent."""
    failed = {finding.id for finding in findings}
    scores = {}
    for section in SECTIONS:
        asked = [
            rule.id
            for rule in RULES
            if rule.section == section and LEVELS.index(profile.severities[rule.id]) > 1
        ]
        if asked:
            scores[section] = round(100 * sum(id_ not in failed for id_ in asked) / len(asked))
    return scores


def is_ready_to_sign(findings: Sequence[Finding]) -> bool:
    """Whether no error is left that must be mended before the plan is signed."""
    return not any(
        finding.severity == "error" and finding.section not in AFTER_SIGNING for finding in findings
    )
