"""What of a Consent becomes a rule, where the table of cases does not reach."""

from app.consent.rules import is_about_privacy, policies, rules
from tests.build import reference
from tests.consent.case import BASE
from tests.consent.paper import COUNTY, deny, form, permit


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
