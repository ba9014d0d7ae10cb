"""Confidentiality and sensitivity labels: their order, their kinds, and what a rule on one covers.

A permit opens what is surely meant, a denial closes whatever may be meant: "restricted" permits R
and lower and denies R and higher; what is labelled "substance use" is not opened by a permit for
opioid data, but closed by a denial of it. The same letters in two code systems are the same label.
https://hl7.org/fhir/R4/security-labels.html
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
PRIVACY_LAW = "http://terminology.hl7.org/CodeSystem/v3-ActUSPrivacyLaw"

LEVELS = {"U": 0, "L": 1, "M": 2, "N": 3, "R": 4, "V": 5}
"""The order of confidentiality, https://hl7.org/fhir/R4/v3/ConfidentialityClassification/vs.html"""

LOWEST, NORMAL, RESTRICTED, HIGHEST = LEVELS["U"], LEVELS["N"], LEVELS["R"], LEVELS["V"]

PSYCHOTHERAPY_NOTES = "PSYTHPN"
PART_2 = "42CFRPart2"
"""What no general permission opens: 42 CFR Part 2 and 45 CFR 164.508(a)(2)."""

_BELOW = {
    "SPI": "BH MH PSY PSYTHPN SUD",
    "BH": "COGN DVD EMOTDIS",
    "SUD": "ETHUD OPIOIDUD",
    "ETH": "ETHUD OPIOIDUD",
}
_ALIKE = (frozenset({"ETH", "SUD"}), frozenset({"MH", "PSY"}))
"""Labels that name one thing in two ways, though the code system does not relate them."""

_NAMES = """
ETH GDIS HIV MST PREGNANT SCA SDV SEX STD TBOO VIO IDS SICKLE
SPI BH COGN DVD EMOTDIS MH PSY PSYTHPN SUD ETHUD OPIOIDUD
DEMO DOB GENDER LIVARG MARST RACE REL B EMPL LOCIS SSP ADOL CEL DIA DRGIS EMP PDS PHY PRS
"""
SENSITIVITIES = frozenset(_NAMES.split())
"""v3-ActCode below _InformationSensitivityPolicy: of R4, and what was added since."""

_OTHERWISE = {
    (CONFIDENTIALITY, "ETH"): "ETH",
    (CONFIDENTIALITY, "HIV"): "HIV",
    (CONFIDENTIALITY, "PSY"): "PSY",
    (CONFIDENTIALITY, "SDV"): "SDV",
    (CONFIDENTIALITY, "C"): "CEL",
    (CONFIDENTIALITY, "T"): "TBOO",
}
"""The retired codes of v3-Confidentiality that name a kind of information, not a level."""


def level(coding: Any) -> int | None:
    """The confidentiality level of a Coding, if it is one."""
    is_level = coding.get("system") == CONFIDENTIALITY
    return LEVELS.get(coding.get("code")) if is_level else None


def sensitivity(coding: Any) -> str | None:
    """The sensitivity label of a Coding, if it is one."""
    system, code = coding.get("system"), coding.get("code")
    if system == ACT_CODE and code in SENSITIVITIES:
        return str(code)
    return _OTHERWISE.get((system, code))


@cache
def narrower(label: str) -> frozenset[str]:
    """The label, what is a kind of it, and what is another name for one of these.

    Psychotherapy notes are a kind of nothing: only their own name covers them.
    """
    found = {label}
    for group in _ALIKE:
        found |= group if label in group else set()
    for name in tuple(found):
        for child in _BELOW.get(name, "").split():
            found |= narrower(child)
    return frozenset(found if label == PSYCHOTHERAPY_NOTES else found - {PSYCHOTHERAPY_NOTES})


@cache
def concerned(label: str) -> frozenset[str]:
    """What may hold information of this kind: `narrower`, and labels that do not tell the kind."""
    unclear = {"ETH", "SUD"} if label in ("ETHUD", "OPIOIDUD") else set()
    notes = {PSYCHOTHERAPY_NOTES} if label == "SPI" else set()
    return frozenset(narrower(label) | unclear | notes)


def covered(labels: Iterable[str], *, permits: bool) -> frozenset[str]:
    """The labels that a rule on any of these speaks of."""

    def each() -> Iterator[str]:
        for label in labels:
            yield from narrower(label) if permits else concerned(label)

    return frozenset(each())
