"""Purposes of use and their hierarchy: whoever acts for a purpose acts for every broader one.

http://terminology.hl7.org/CodeSystem/v3-ActReason, below PurposeOfUse, as R4 publishes it
"""

from functools import cache

SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ANY = "PurposeOfUse"

_BELOW = {
    ANY: "HMARKT HOPERAT HPAYMT HRESCH PATRQT PUBHLTH TREAT",
    "HOPERAT": "CAREMGT DONAT FRAUD GOV HACCRED HCOMPL HDECD HDIRECT HDM HLEGAL HOUTCOMS HPRGRP"
    " HQUALIMP HSYSADMIN MEMADMIN MILCDM PATADMIN PATSFTY PERFMSR RECORDMGT SYSDEV TRAIN",
    "HSYSADMIN": "LABELING METAMGT",
    "SYSDEV": "HTEST",
    "HPAYMT": "CLMATTCH COVAUTH COVERAGE REMITADV",
    "COVERAGE": "ELIGDTRM ELIGVER ENROLLM MILDCRG",
    "HRESCH": "BIORCH CLINTRCH DSRCH POARCH TRANSRCH",
    "CLINTRCH": "CLINTRCHNPC CLINTRCHPC PRECLINTRCH",
    "PATRQT": "FAMRQT PWATRNY SUPNWK",
    "PUBHLTH": "DISASTER THREAT",
    "TREAT": "CLINTRL COC ETREAT POPHLTH",
    "ETREAT": "BTG ERTREAT",
}

PARENT = {code: parent for parent, codes in _BELOW.items() for code in codes.split()}
PURPOSES = frozenset({ANY, *PARENT})

OPERATIONS = frozenset({"TREAT", "HPAYMT", "HOPERAT"})
"""Treatment, payment and operations, 45 CFR 164.506(c)."""

EMERGENCY = "ETREAT"
BREAK_GLASS = "BTG"


@cache
def broader(*codes: str) -> tuple[str, ...]:
    """These purposes and all that they are a kind of, sorted; codes that are none are left out."""
    found: set[str] = set()
    for code in codes:
        at: str | None = code if code in PURPOSES else None
        while at is not None:
            found.add(at)
            at = PARENT.get(at)
    return tuple(sorted(found))
