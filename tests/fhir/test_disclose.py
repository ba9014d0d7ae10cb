"""What leaves without having been read through `visible`: nothing that is a record."""

from datetime import UTC, datetime

import pytest

from app.fhir import json
from app.fhir.context import Disclosed
from app.fhir.disclose import SAID, Entry, bundle, document, packed, patients, statement
from tests.build import goal, patient

PLAIN, SENSITIVE = Disclosed(b'{"id":"plain"}', 2), Disclosed(b'{"id":"sensitive"}', 4)


@pytest.mark.parametrize("record", [patient(), goal()], ids=["Patient", "Goal"])
def test_a_record_is_no_statement_of_the_server(record: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="is a record"):
        statement(record)


@pytest.mark.parametrize("type_", sorted(SAID))
def test_what_the_server_says_holds_no_record(type_: str) -> None:
    assert statement({"resourceType": type_}).level is None


def test_an_empty_bundle_has_nothing_but_its_type() -> None:
    made = bundle("searchset", [])
    assert made.content == b'{"resourceType":"Bundle","type":"searchset"}'
    assert made.level is None
    assert bundle("searchset", [], {}).content == made.content


def test_a_bundle_says_what_is_known_of_it() -> None:
    written = datetime(2026, 3, 1, tzinfo=UTC)
    made = bundle("history", [], {"self": "x"}, total=0, last_updated=written)
    assert json.parse(made.content) == {
        "resourceType": "Bundle",
        "meta": {"lastUpdated": "2026-03-01T00:00:00.000Z"},
        "type": "history",
        "total": 0,
        "link": [{"relation": "self", "url": "x"}],
    }


def test_a_bundle_bears_the_highest_level_of_its_records() -> None:
    entries = [Entry(resource=SENSITIVE), Entry(resource=PLAIN), Entry()]
    made = bundle("searchset", entries)
    [label] = json.parse(made.content)["meta"]["security"]
    assert (made.level, label["code"]) == (4, "R")
    assert document({"value": "x"}, datetime(2026, 3, 1, tzinfo=UTC), entries).level == 4


def test_a_bundle_of_what_has_no_level_bears_none() -> None:
    made = bundle("batch-response", [Entry(resource=Disclosed(b"{}"))])
    assert (
        made.content
        == b'{"resourceType":"Bundle","type":"batch-response","entry":[{"resource":{}}]}'
    )


def test_an_entry_has_what_is_given_and_no_more() -> None:
    assert packed(Entry()) == b"{}"
    whole = Entry("a:b", PLAIN, "match", {"method": "GET"}, {"status": "200"})
    assert json.parse(packed(whole)) == {
        "fullUrl": "a:b",
        "resource": {"id": "plain"},
        "search": {"mode": "match"},
        "request": {"method": "GET"},
        "response": {"status": "200"},
    }


@pytest.mark.parametrize(
    ("one", "several", "expected"),
    [("ada", None, ("ada",)), (None, ["ada", "ben"], ("ada", "ben")), (None, None, ())],
)
def test_a_row_is_about_the_one_or_the_several(
    one: str | None, several: list[str] | None, expected: tuple[str, ...]
) -> None:
    assert patients({"patient": one, "patients": several}) == expected
