"""docs/conformance/rfc9700.md says what is so."""

from pathlib import Path

from tests.named import exists
from tests.security.rfc9700 import SENTENCES, documentation

ROOT = Path(__file__).parents[2]
SECTIONS = """
2.1 2.1.1 2.1.2 2.2.1 2.2.2 2.3 2.4 2.5 2.6 4.1.3 4.2.4 4.3.1 4.3.2 4.4.2 4.4.2.1 4.4.2.2 4.5.3.1
4.5.3.2 4.6.1 4.7.1 4.8.2 4.9.3 4.10.1 4.10.2 4.11.1 4.11.2 4.12 4.13 4.14.2 4.15.1 4.16 4.17
"""
"""Those of RFC 9700 that demand something."""


def test_every_section_that_demands_something_is_there() -> None:
    found = list(dict.fromkeys(each.section for each in SENTENCES))
    assert found == SECTIONS.split()


def test_every_sentence_is_tried_or_explained() -> None:
    for each in SENTENCES:
        assert bool(each.tests) != bool(each.because), each.asks


def test_every_test_that_is_named_exists() -> None:
    for test in {test for each in SENTENCES for test in each.tests}:
        assert exists(test.replace("::", "::test_")), test


def test_the_page_is_fresh() -> None:
    page = ROOT / "docs" / "conformance" / "rfc9700.md"
    assert page.read_text("utf-8") == documentation()
