"""What leaves without having been read through `visible`: nothing that is a record."""

import pytest

from app.fhir.disclose import SAID, statement
from tests.build import goal, patient


@pytest.mark.parametrize("record", [patient(), goal()], ids=["Patient", "Goal"])
def test_a_record_is_no_statement_of_the_server(record: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="is a record"):
        statement(record)


@pytest.mark.parametrize("type_", sorted(SAID))
def test_what_the_server_says_holds_no_record(type_: str) -> None:
    assert statement({"resourceType": type_}).level is None
