"""docs/operations/isp-checks.md: the table of checks as a page."""

from collections.abc import Iterator

from app.isp.rules.profiles import available, profile
from app.isp.rules.rule import Rule
from app.isp.rules.table import RULES, SECTIONS

ORDER = ("therapy", "core", "hcbs", "oh-bh", "va", "icf-iid", "ny", "part2")
LETTERS = {"error": "**E**", "warning": "W", "information": "i", "off": ""}

HEAD = """# Checks of $isp-validate

**E** error, W warning, i information; empty: not asked for. `part2` is an overlay, shown here upon
`core`. R numbers are the requirements of service plans; the rest is law. This page is made from
the table of rules in `app/isp/rules/`.
"""


def documentation() -> str:
    """The page, in Markdown: one table a section, one row a check, one column a rule profile."""
    return "\n".join([HEAD, *(line for section in SECTIONS for line in _section(section))])


def _section(section: str) -> Iterator[str]:
    names = [*ORDER, *(name for name in available() if name not in ORDER)]
    yield f"## {section}\n"
    yield f"| check | what to write | from | {' | '.join(names)} |"
    yield "|---" * (3 + len(names)) + "|"
    yield from (_row(rule, names) for rule in RULES if rule.section == section)
    yield ""


def _row(rule: Rule, names: list[str]) -> str:
    levels = " | ".join(LETTERS[profile(name).severities[rule.id]] for name in names)
    sentence = rule.write.format_map(profile().limits)
    return f"| {rule.id} | {sentence} | {rule.origin} | {levels} |"
