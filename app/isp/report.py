"""The findings on a plan as lines of text, for the command line."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from app.isp.check import check, is_ready_to_sign, score
from app.isp.plan import assemble
from app.isp.resources import of_bundle, root
from app.isp.rules.profiles import profile
from app.isp.rules.rule import Finding


def report(bundle: Any, rules: str, today: date) -> tuple[str, bool]:
    """What a drafted plan lacks, section by section, and whether it is free of errors.

    Raises LookupError for rules that do not exist, FHIRError for what is no plan.
    """
    chosen = profile(rules)
    resources = of_bundle(bundle)
    findings = check(assemble(resources, root(resources)), chosen, today)
    has_errors = any(finding.severity == "error" for finding in findings)
    lines = [f"Judged by {chosen.name} on {today}."]
    for section, percent in score(findings, chosen).items():
        lines += ["", f"{section}: {percent} %"]
        lines += _lines(finding for finding in findings if finding.section == section)
    ready = is_ready_to_sign(findings)
    lines += ["", "Ready to sign." if ready else "Not ready to sign."]
    return "\n".join(lines), not has_errors


def _lines(findings: Iterator[Finding]) -> Iterator[str]:
    for one in findings:
        path = one.expression.partition(".")[2]
        place = f"{one.resource} {path}".rstrip()
        yield f"  {one.severity:11} {one.id:13} {place}"
        yield f"  {'':11} {one.sentence} [{one.origin}]"
