"""What is asked of a plan, R1 to R84, and where it is answered; `python -m tests.isp.requirements`
writes docs/requirements.md.

Which checks ask for it is read from the checks themselves (`origin` in app/isp/rules) and CHECKS.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.isp.rules.rule import Rule
from app.isp.rules.table import RULES

PAGE = Path(__file__).parents[2] / "docs" / "requirements.md"
TABLE = Path(__file__).with_name("requirements.txt")
"""A row for each: id, what is asked, FHIR elements, operations, tests."""

HEAD = """# What is asked of a plan

Each requirement on service plans, where it lives in FHIR R4, which
[checks](operations/isp-checks.md) ask for it, which operations serve it, and which tests hold it.
Written by `python -m tests.isp.requirements`; a test keeps it fresh. For every check of a
requirement `tests/isp/test_requirements.py` breaks a good plan and expects the finding, besides
the tests named.

| | asked | FHIR | checks | operations | tests |
|---|---|---|---|---|---|
"""

WORLDS = "isp/test_worlds.py::test_a_world_has_the_findings_that_are_expected"
DEMO = "isp/test_demonstration_plan.py"
PAGES = "http/test_document.py::test_everything_that_was_written_can_be_read"
SEEN = "security/test_leaks.py::test_the_hidden_leaves_no_trace"

CHECKS = {
    "R10": "C16 C60",
    "R13": "C19 C16",
    "R21": "C19 C20",
    "R40": "C15 C66",
    "R57": "C65",
    "R79": "C70",
}
"""Checks that a requirement has besides those whose origin names it."""


@dataclass(frozen=True)
class Requirement:
    """One requirement: in a few words, its FHIR elements, operations, and tests (file::name)."""

    id: str
    asked: str
    elements: str
    operations: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def rules(self) -> list[Rule]:
        """The checks that ask for it."""
        also = CHECKS.get(self.id, "").split()
        return [r for r in RULES if self.id in re.findall(r"R\d+", r.origin) or r.id in also]


def requirements() -> Iterator[Requirement]:
    """The rows of the table."""
    tests = {"worlds": WORLDS, "demo": DEMO, "page": PAGES, "seen": SEEN, "metrics": METRICS}
    for line in TABLE.read_text("utf-8").splitlines():
        id_, asked, elements, operations, named = (cell.strip() for cell in line.split("|"))
        found = named.format_map(tests).split()
        yield Requirement(id_, asked, elements, tuple(operations.split()), tuple(found))


METRICS = "http/test_isp_metrics.py::test_the_figures_of_a_plan_are_counted"


def markdown(served: set[str]) -> str:
    """The page; of the operations those that are served."""
    rows = []
    for one in requirements():
        checks = " ".join(rule.id for rule in one.rules) or "-"
        operations = " ".join(f"${name}" for name in one.operations if name in served) or "-"
        tests = "<br>".join(f"`{test}`" for test in one.tests)
        cells = (one.id, one.asked, one.elements, checks, operations, tests)
        rows.append(f"| {' | '.join(cells)} |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    from app.main import OPERATIONS

    PAGE.write_text(markdown(set(OPERATIONS)), "utf-8")
