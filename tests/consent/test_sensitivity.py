"""Which labels a resource bears, what each is worth, and what a rule on one covers. Pure."""

from typing import Any

import pytest

from app.consent.labels import BASIS, labels
from app.consent.sensitivity import (
    ACT_CODE,
    CONFIDENTIALITY,
    HIGHEST,
    LEVELS,
    NORMAL,
    PRIVACY_LAW,
    RESTRICTED,
    concerned,
    covered,
    level,
    narrower,
    sensitivity,
)
from tests.build import goal

ELSEWHERE = "http://elsewhere.example"
HIV_CODE = ("http://hl7.org/fhir/sid/icd-10-cm", "B20")


def coded(system: str, code: str, **more: Any) -> dict[str, Any]:
    return {"system": system, "code": code, **more}


@pytest.mark.parametrize(
    ("coding", "is_level", "kind"),
    [
        (coded(CONFIDENTIALITY, "R"), True, None),
        (coded(ELSEWHERE, "R"), False, None),
        (coded(CONFIDENTIALITY, "X"), False, None),
        (coded(ACT_CODE, "ETH"), False, "ETH"),
        (coded(ELSEWHERE, "ETH"), False, None),
        (coded(ACT_CODE, "WHAT"), False, None),
        (coded(CONFIDENTIALITY, "ETH"), False, "ETH"),
        (coded(CONFIDENTIALITY, "C"), False, "CEL"),
        ({}, False, None),
    ],
    ids=str,
)
def test_a_label_counts_by_its_system(
    coding: dict[str, Any], is_level: bool, kind: str | None
) -> None:
    assert (level(coding) is not None) is is_level
    assert sensitivity(coding) == kind


def test_levels_are_in_order() -> None:
    assert sorted(LEVELS, key=LEVELS.__getitem__) == list("ULMNRV")


def test_notes_of_psychotherapy_are_covered_by_their_own_name_alone() -> None:
    assert narrower("PSYTHPN") == {"PSYTHPN"}
    assert "PSYTHPN" not in narrower("SPI") | narrower("PSY") | narrower("MH")
    assert "PSYTHPN" in concerned("SPI")
    assert "PSYTHPN" not in concerned("PSY")


def test_a_permit_covers_what_is_surely_meant_and_a_denial_what_may_be() -> None:
    assert covered(["OPIOIDUD"], permits=True) == {"OPIOIDUD"}
    assert covered(["OPIOIDUD"], permits=False) == {"OPIOIDUD", "ETH", "SUD"}
    assert covered(["HIV"], permits=False) == {"HIV"}
    assert covered(["ETH"], permits=True) == {"ETH", "SUD", "ETHUD", "OPIOIDUD"}
    assert covered(["HIV", "PSY"], permits=True) == {"HIV", "PSY", "MH"}
    assert covered([], permits=False) == frozenset()


def found(*security: dict[str, Any], codes: tuple[tuple[str, str], ...] = ()) -> Any:
    return labels(goal(meta={"security": list(security)}), codes)


def test_the_author_names_the_level_and_codes_add_kinds() -> None:
    assert found().confidentiality == NORMAL
    assert found(codes=(HIV_CODE,)).confidentiality == RESTRICTED
    assert found(coded(ACT_CODE, "SUD")).confidentiality == RESTRICTED
    assert found(coded(CONFIDENTIALITY, "N"), codes=(HIV_CODE,)).confidentiality == NORMAL
    several = [coded(CONFIDENTIALITY, code) for code in ("L", "V", "N")]
    assert found(*several).confidentiality == HIGHEST
    assert found(coded(ACT_CODE, "SUD"), codes=(HIV_CODE,)).sensitivities == ("HIV", "SUD")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (("http://hl7.org/fhir/sid/icd-10-cm", "B20"), ("HIV",)),
        (("http://hl7.org/fhir/sid/icd-10", "B20"), ("HIV",)),
        (("http://hl7.org/fhir/sid/icd-10-cm", "B20.1"), ("HIV",)),
        (("http://hl7.org/fhir/sid/icd-10-cm", "B2"), ()),
        ((ELSEWHERE, "B20"), ()),
        (("http://snomed.info/sct", "B20"), ()),
        (("http://snomed.info/sct", "1376001"), ("PSY",)),
        # Only of a classification what follows is a kind of it.
        (("http://snomed.info/sct", "13760019"), ()),
    ],
)
def test_a_code_tells_the_kind_in_its_own_system(
    code: tuple[str, str], expected: tuple[str, ...]
) -> None:
    assert found(codes=(code,)).sensitivities == expected


def basis(url: str, coding: dict[str, Any]) -> dict[str, Any]:
    return coded(ACT_CODE, "SUD", extension=[{"url": url, "valueCoding": coding}])


PART_2 = "42CFRPart2"


@pytest.mark.parametrize(
    ("label", "seals"),
    [
        (coded(ACT_CODE, PART_2), (PART_2,)),
        (coded(PRIVACY_LAW, PART_2), (PART_2,)),
        (coded(ELSEWHERE, PART_2), ()),
        (coded(ACT_CODE, "SUD"), ()),
        (basis(BASIS, coded(PRIVACY_LAW, PART_2)), (PART_2,)),
        (basis(BASIS, coded(ELSEWHERE, PART_2)), ()),
        (basis(BASIS, coded(PRIVACY_LAW, "HIPAAPsyNotes")), ()),
        (basis(f"{ELSEWHERE}/basis", coded(PRIVACY_LAW, PART_2)), ()),
        (coded(ACT_CODE, "PSYTHPN"), ("PSYTHPN",)),
        (coded(ELSEWHERE, "PSYTHPN"), ()),
    ],
    ids=str,
)
def test_a_law_seals_what_its_author_says_it_does(
    label: dict[str, Any], seals: tuple[str, ...]
) -> None:
    assert found(label).seals == seals
