"""app/consent/check.py: what a Consent must say clearly before it is stored."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.consent.check import check, is_loinc
from tests.build import HL7, goal, reference
from tests.consent.paper import LOINC, PARTNER, Resource, coding, deny, form, part_2, permit

ROOT = "Consent.provision"


def found(consent: Resource, severity: str = "error") -> list[tuple[str, str]]:
    """The code and place of each issue."""
    issues = [one for one in check(consent) if one.severity == severity]
    assert all(one.diagnostics.startswith(f"{one.expression[0]}: ") for one in issues)
    return [(one.code, one.expression[0]) for one in issues]


def said(consent: Resource) -> str:
    return " ".join(one.diagnostics for one in check(consent))


def limited(**limits: Any) -> Resource:
    """A Consent whose one provision has these limits: in few words, or elements as they are."""
    words = {name: given for name, given in limits.items() if isinstance(given, str)}
    whole = {name: given for name, given in limits.items() if name not in words}
    return form(permit(to=PARTNER, **words) | whole)


def scope(*codings: Resource) -> Resource:
    return form(permit(to=PARTNER)) | {"scope": {"coding": list(codings)}}


def test_only_consents_are_judged() -> None:
    assert list(check(goal())) == []


PRIVACY = {"system": f"{HL7}/consentscope", "code": "patient-privacy"}
RESEARCH = PRIVACY | {"code": "research"}


@pytest.mark.parametrize(
    ("consent", "is_found"),
    [
        (scope(PRIVACY), False),
        (scope(RESEARCH), False),
        (scope({"system": "http://elsewhere.example", "code": "x"}, PRIVACY), False),
        (scope({"code": "patient-privacy"}), True),
        (scope(), True),
    ],
)
def test_a_scope_is_one_of_hl7(consent: Resource, is_found: bool) -> None:
    assert (("code-invalid", "Consent.scope") in found(consent)) is is_found


def test_what_is_not_about_privacy_is_not_judged_further() -> None:
    wrong = scope(RESEARCH)
    del wrong["policyRule"]
    wrong["provision"]["purpose"] = [{"code": "FUN"}]
    assert list(check(wrong)) == []


@pytest.mark.parametrize("policy", ["policyRule", "policy", ""])
def test_a_policy_is_named(policy: str) -> None:
    consent = form(permit(to=PARTNER))
    given = consent.pop("policyRule")
    if policy:
        consent[policy] = given if policy == "policyRule" else [{"uri": "http://law.example/1"}]
    expected = [] if policy else [("required", "Consent")]
    assert found(consent) == expected


@pytest.mark.parametrize(
    ("policy", "kind", "warning"),
    [
        ("OPTIN", None, ""),
        ("OPTIN", "permit", "R4 has none at the root"),
        ("OPTIN", "deny", "contradicts the policy"),
        ("OPTOUT", "deny", "R4 has none at the root"),
        ("OPTOUT", "permit", "contradicts the policy"),
        ("OPTOUT", None, ""),
    ],
)
def test_a_type_at_the_root_is_warned_of(policy: str, kind: str | None, warning: str) -> None:
    consent = form({"type": kind} if kind else {}, policy)
    places = [("informational", f"{ROOT}.type")] if warning else []
    assert found(consent, "warning") == places
    assert warning in said(consent)
    assert found(consent) == []


def test_without_a_provision_nothing_is_warned_of() -> None:
    assert list(check(form(None, "OPTIN"))) == []


def test_what_part_2_asks_for_is_told_to_who_claims_it() -> None:
    complete = part_2(permit(to=PARTNER, purpose="TREAT", label="SUD"))
    assert [one for one in found(complete, "warning") if one[1] == "Consent"] == []
    lacking = {name: value for name, value in complete.items() if name != "performer"}
    assert ("informational", "Consent") in found(lacking, "warning")
    assert "who signed what" in said(lacking)
    assert "42 CFR" not in said(form(permit(to=PARTNER)))


@pytest.mark.parametrize(
    ("limits", "place"),
    [
        ({"purpose": "TREAT"}, ""),
        ({"purpose": "TREAT FUN"}, "purpose[1]"),
        ({"purpose": [{"system": "http://x.example", "code": "TREAT"}]}, "purpose[0]"),
        ({"action": "access"}, ""),
        ({"action": "peek"}, "action[0]"),
        ({"action": [{"text": "look"}]}, "action[0]"),
        ({"action": [{"coding": [{"system": "http://x.example", "code": "access"}]}]}, "action[0]"),
        ({"label": "R"}, ""),
        ({"label": "HIV"}, ""),
        ({"label": "WHAT"}, "securityLabel[0]"),
        (
            {"securityLabel": [{"system": f"{HL7}/v3-Confidentiality/", "code": "R"}]},
            "securityLabel[0]",
        ),
        ({"type_": "Goal"}, ""),
        ({"class": [{"code": "Goal"}]}, "class[0]"),
        ({"class": [{"system": "http://hl7.org/fhir/resource-types"}]}, "class[0]"),
        ({"code": f"{LOINC}#8867-4"}, ""),
        ({"code": f"{LOINC}#8867-5"}, "code[0]"),
        ({"code": [{"text": "Heart rate"}]}, "code[0]"),
        ({"code": [{"coding": [{"system": LOINC}]}]}, "code[0]"),
        ({"code": [{"coding": [{"code": "8867-4"}]}]}, "code[0]"),
        ({"code": "http://snomed.info/sct#8867-5"}, ""),
        ({"data": "instance:Goal/1"}, ""),
        ({"data": [{"meaning": "instance", "reference": {"display": "that one"}}]}, "data[0]"),
        ({"data": "instance:somewhere"}, "data[0]"),
    ],
    ids=str,
)
def test_each_element_says_what_a_machine_can_compare(limits: Resource, place: str) -> None:
    expected = [("code-invalid", f"{ROOT}.{place}")] if place else []
    assert found(limited(**limits)) == expected


@pytest.mark.parametrize(
    ("limits", "hint"),
    [
        ({"securityLabel": [{"system": f"{HL7}/v3-Confidentiality/", "code": "R"}]}, "slash"),
        ({"securityLabel": [{"code": "R"}]}, "a level of confidentiality, of"),
        ({"securityLabel": [{"code": "HIV"}]}, f"sensitivity, of {HL7}/v3-ActCode"),
        ({"securityLabel": [{"code": "X"}]}, f"{HL7}/v3-Confidentiality or {HL7}/v3-ActCode"),
        ({"purpose": [{"code": "TREAT"}]}, "'TREAT' of no system is not known"),
        (
            {"action": [{"text": "look"}]},
            "write one of access, collect, correct, disclose, use, of",
        ),
        (
            {"action": [{"coding": [{"system": "http://x.example", "code": "access"}]}]},
            "'access' of http://x.example is not known",
        ),
        ({"code": f"{LOINC}#8867-5"}, "'8867-5' is no LOINC code"),
    ],
    ids=str,
)
def test_the_author_is_told_what_to_write(limits: Resource, hint: str) -> None:
    assert hint in said(limited(**limits))


def test_no_slash_is_blamed_where_there_is_none() -> None:
    wrong = {"purpose": [{"system": f"{HL7}/v3-ActReason", "code": "X"}]}
    assert "'X' of" in said(limited(**wrong))
    assert "slash" not in said(limited(**wrong))


@pytest.mark.parametrize("name", ["period", "dataPeriod"])
def test_a_period_begins_before_it_ends(name: str) -> None:
    assert found(limited(**{name: {"start": "2025-01-01", "end": "2025-01-01"}})) == []
    for wrong in ({"start": "2025-02-01", "end": "2025-01-01"}, {"start": "soon"}):
        assert found(limited(**{name: wrong})) == [("invariant", f"{ROOT}.{name}")]


@pytest.mark.parametrize(
    ("who", "is_found"),
    [
        (reference(PARTNER), False),
        (reference("CareTeam/1"), False),
        (reference("Device/1"), True),
        (reference("somebody"), True),
        ({"identifier": {"value": "1"}}, True),
        ({"reference": 1}, True),
    ],
    ids=str,
)
def test_an_actor_is_somebody_this_server_can_know(who: Resource, is_found: bool) -> None:
    consent = limited()
    consent["provision"]["actor"].append({"reference": who})
    expected = [("not-supported", f"{ROOT}.actor[1].reference")] if is_found else []
    assert found(consent) == expected


INSTANT, DAY = "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"


@pytest.mark.parametrize(
    ("ahead", "pattern", "is_found"),
    [
        (timedelta(hours=-1), INSTANT, False),
        (timedelta(minutes=1), INSTANT, False),
        (timedelta(days=1), INSTANT, True),
        (timedelta(days=-1), DAY, False),
        (timedelta(days=2), DAY, True),
        (timedelta(0), "2099", True),
        (timedelta(0), "2099-01", True),
    ],
)
def test_nobody_has_signed_in_time_to_come(ahead: timedelta, pattern: str, is_found: bool) -> None:
    signed = (datetime.now(UTC) + ahead).strftime(pattern)
    expected = [("business-rule", "Consent.dateTime")] if is_found else []
    assert found(limited() | {"dateTime": signed}) == expected
    assert found(limited() | {"dateTime": signed, "status": "inactive"}) == []


def test_nested_provisions_permit_or_deny_and_are_judged_at_any_depth() -> None:
    inner = {"purpose": [coding("purpose", "FUN")], "type": "perhaps"}
    consent = form(permit(deny(deny(inner, to=PARTNER)), to=PARTNER))
    place = f"{ROOT}.provision[0].provision[0].provision[0]"
    assert found(consent) == [
        ("required", f"{place}.type"),
        ("code-invalid", f"{place}.purpose[0]"),
    ]


@pytest.mark.parametrize(
    ("code", "is_one"),
    [
        ("8867-4", True),
        ("8867-5", False),
        ("18842-5", True),
        ("8867", False),
        ("8867-44", False),
        ("88x7-4", False),
        ("8867-x", False),
        ("LA6576-8", True),
        ("LL715-4", True),
        ("LP7787-7", True),
        ("LG-100", True),
        ("LG5", False),
        ("", False),
    ],
)
def test_the_check_digit_of_loinc(code: str, is_one: bool) -> None:
    assert is_loinc(code) is is_one
