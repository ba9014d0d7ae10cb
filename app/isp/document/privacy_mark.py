"""The mark of a document: how confidential it is, and the notice of 42 CFR Part 2. Pure.

What is printed carries what the records in it carry: https://www.ecfr.gov/current/title-42/section-2.32
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.fhir.context import Resource
from app.fhir.label import LEVELS, NOTICE, grounds_of, noticed


@dataclass(frozen=True, slots=True)
class PrivacyMark:
    """The highest level of what is told, as a code of v3-Confidentiality; empty without any.

    `grounds` are the URLs of the Consents by which sealed records are told; None where none are.
    """

    level: str = ""
    grounds: Sequence[str] | None = None

    @property
    def notice(self) -> str:
        """The notice, word by word; empty where nothing told is sealed."""
        return "" if self.grounds is None else NOTICE

    def laid_on(self, composition: Resource) -> Resource:
        """The Composition with its confidentiality, and the notice where there is one."""
        return self.noticed(composition | ({"confidentiality": self.level} if self.level else {}))

    def noticed(self, made: Resource) -> Resource:
        """A resource that tells of these, with the notice where there is one."""
        return made if self.grounds is None else noticed({"meta": {}, **made}, self.grounds)


def privacy_mark(told: Iterable[Resource], level: int | None = None) -> PrivacyMark:
    """The mark of what tells of these, as they were disclosed; `level` is the highest of them."""
    found = [grounds for one in told if (grounds := grounds_of(one)) is not None]
    grounds = sorted({each for some in found for each in some}) if found else None
    return PrivacyMark("" if level is None else LEVELS[level], grounds)
