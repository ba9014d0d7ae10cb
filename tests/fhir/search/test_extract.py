"""What is indexed of a resource does not depend on which parameters are looked at."""

from app.fhir.registry import STORED
from app.fhir.search.parameters.index import applicable, steps_of
from tests.official import examples


def test_a_parameter_that_is_passed_over_finds_nothing() -> None:
    passed_over = 0
    for resource in examples():
        type_ = resource["resourceType"]
        if type_ not in STORED:
            continue
        looked_at = applicable(type_, frozenset(resource))
        for step in steps_of(type_):
            if step not in looked_at:
                passed_over += 1
                assert not step.evaluate(resource), (type_, resource.get("id"), step.names)
    assert passed_over
