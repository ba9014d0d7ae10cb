"""What of a Consent becomes a rule, where the table of cases does not reach."""

from app.consent.rules import is_about_privacy, policies, rules
from tests.build import reference
from tests.consent.case import BASE
from tests.consent.paper import COUNTY, PARTNER, deny, form, part_2, permit


def test_a_policy_without_code_or_uri_is_none() -> None:
    assert policies({"policyRule": {"coding": [{"system": "http://h"}]}}) == frozenset()
    assert policies({"policy": [{"authority": "http://h"}]}) == frozenset()


def test_only_the_code_of_fhir_makes_a_consent_about_privacy() -> None:
    code = {"system": "http://h/mine", "code": "patient-privacy"}
    assert not is_about_privacy({"scope": {"coding": [code]}})


def test_only_a_root_that_permits_is_a_list_of_what_may_flow() -> None:
    assert [rule.closes for rule in rules(form(permit(label="R")), BASE)] == [False, True]
    assert not any(rule.closes for rule in rules(form(deny(permit(label="R"))), BASE))
    assert not any(rule.closes for rule in rules(form(permit(label="PSY")), BASE))
    assert any(rule.closes for rule in rules(form(permit(label="R PSY")), BASE))


def test_a_reference_is_the_same_however_it_is_written() -> None:
    relative = form(permit(label="R"), organization=[reference(COUNTY)])
    absolute = form(permit(label="R"), organization=[reference(f"{BASE}/{COUNTY}")])
    [one, other] = ({rule.lineage for rule in rules(each, BASE)} for each in (relative, absolute))
    assert one == other


def test_recipients_elsewhere_are_told_apart() -> None:
    """Else a newer Consent for one would replace an older one for another."""
    papers = (
        form(permit(label="R"), organization=[reference(f"https://{name}.example/Organization/1")])
        for name in ("one", "two")
    )
    [one, other] = ({rule.lineage for rule in rules(each, BASE)} for each in papers)
    assert one != other


def test_a_denial_opens_no_seal() -> None:
    provision = permit(deny(label="HIV"), to=PARTNER, purpose="TREAT", label="SUD")
    provision["period"] = {"start": "2020-01-01", "end": "2090-12-31"}
    found = rules(part_2(provision), BASE)
    assert {rule.permits for rule in found} == {None, True, False}
    assert all(bool(rule.opens) is bool(rule.permits) for rule in found)
