"""Headers in and out."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.fhir.context import Conditions, Preference, Result
from app.fhir.errors import NotAcceptable, UnsupportedMediaType
from app.routers import negotiation


def headers(**lines: str) -> dict[bytes, bytes]:
    return {
        name.replace("_", "-").encode(): value.encode("latin-1") for name, value in lines.items()
    }


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/*",
        "application/fhir+json",
        "application/json",
        "Application/FHIR+JSON",
        "application/fhir+json; fhirVersion=4.0",
        "application/fhir+json;charset=UTF-8",
        "text/html, application/json;q=0.9",
        "application/fhir+xml;q=0.9, */*;q=0.1",
    ],
)
def test_json_is_acceptable_under_many_names(accept: str) -> None:
    assert negotiation.accepted(headers(accept=accept), ()) == "application/fhir+json"
    assert negotiation.accepted({}, [("_format", accept)]) == "application/fhir+json"


@pytest.mark.parametrize(
    "accept", ["", "text/turtle", "text/html", "application/fhir+json; fhirVersion=5.0"]
)
def test_what_is_neither_json_nor_xml_of_this_version_is_not_written(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        assert negotiation.accepted(headers(accept=accept), ()) == "application/fhir+json"


def test_the_format_parameter_decides_alone() -> None:
    turtle, json = [("_format", "ttl")], [("_format", "json")]
    with pytest.raises(NotAcceptable):
        negotiation.accepted(headers(accept="*/*"), turtle)
    assert negotiation.accepted(headers(accept="text/html"), json) == "application/fhir+json"
    assert (
        negotiation.accepted({}, [("_format", "application/fhir json")]) == "application/fhir+json"
    )


@pytest.mark.parametrize(
    ("accept", "query", "expected"),
    [
        ("", "", False),
        ("*/*", "", False),
        ("application/fhir+xml", "", True),
        ("application/xml", "a=b", True),
        ("application/fhir+xml, application/fhir+json", "", True),
        ("application/fhir+json, application/fhir+xml", "", False),
        ("application/fhir+xml;q=0.5, application/fhir+json", "", False),
        ("application/fhir+xml;q=0.5, application/fhir+json;q=0.4", "", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "", True),
        ("application/fhir+xml;fhirVersion=5.0, application/json", "", False),
        ("application/fhir+json", "_format=xml", True),
        ("application/fhir+xml", "a=b&_format=json", False),
        ("", "_format=application%2Ffhir%2Bxml", True),
        ("", "_format=application/fhir+xml", True),
        ("application/fhir+xml", "_format=", False),
    ],
)
def test_xml_is_written_where_it_is_liked_best(accept: str, query: str, expected: bool) -> None:
    sent = headers(accept=accept) if accept else {}
    assert negotiation.is_xml_wanted(sent, query) is expected


@pytest.mark.parametrize(
    "kind",
    [
        "application/fhir+json",
        "application/json",
        'application/fhir+json; charset="utf-8"',
        "APPLICATION/JSON;Charset=UTF-8",
        "application/fhir+json; fhirVersion=4.0; charset=utf-8",
    ],
)
def test_json_is_read_under_several_names(kind: str) -> None:
    negotiation.check_content_type(headers(content_type=kind))


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/fhir+xml", "application/json;charset=latin-1", "*/*", "json+"],
)
def test_what_is_not_json_is_not_read(kind: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        negotiation.check_content_type(headers(content_type=kind))
    with pytest.raises(UnsupportedMediaType):
        negotiation.check_content_type({})


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ("", Preference()),
        ("return=minimal", Preference("minimal")),
        ("return=representation; handling=lenient", Preference("representation", "lenient")),
        ("handling=lenient,return=OperationOutcome", Preference("OperationOutcome", "lenient")),
        ("handling=strict", Preference(None, "strict")),
        ("respond-async, wait=5", Preference(is_asynchronous=True)),
        ("respond-async; return=minimal", Preference("minimal", is_asynchronous=True)),
        ("respond-async=yes", Preference()),
        ("return=all", Preference()),
        ("return, handling=", Preference()),
        ("handling=LENIENT; return=minimal; return=representation", Preference("minimal")),
        ('Return="minimal" ; foo=bar', Preference("minimal")),
    ],
)
def test_a_preference_is_read(prefer: str, expected: Preference) -> None:
    assert negotiation.preference(headers(prefer=prefer)) == expected


def test_conditions_are_kept_as_they_were_sent() -> None:
    sent = headers(if_match='W/"1"', if_none_match="*", if_modified_since="x", if_none_exist="a=b")
    assert negotiation.conditions(sent) == Conditions('W/"1"', "*", "x", "a=b")
    assert negotiation.conditions(headers(if_match="")) == Conditions(if_match="")
    assert negotiation.conditions({}) == Conditions()


def test_a_header_that_comes_twice_is_one_list() -> None:
    lines = [(b"prefer", b"return=minimal"), (b"host", b"x"), (b"prefer", b"handling=lenient")]
    joined = negotiation.joined(lines)
    assert joined == {b"prefer": b"return=minimal, handling=lenient", b"host": b"x"}
    assert negotiation.preference(joined) == Preference("minimal", "lenient")


@pytest.mark.parametrize("given", ["a", "A-1.2_3:4", "x" * 128])
def test_a_request_id_is_taken_over(given: str) -> None:
    assert negotiation.request_id(headers(x_request_id=given)) == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\n", "ü", "{}"])
def test_a_request_id_that_could_do_harm_is_replaced(given: str) -> None:
    made = negotiation.request_id(headers(x_request_id=given))
    assert made != given
    assert negotiation.REQUEST_ID.match(made)


@pytest.mark.parametrize(
    ("query", "expected"),
    [("_pretty=true", True), ("a=b&_pretty=true", True), ("_pretty=false", False), ("", False)],
)
def test_pretty_is_asked_for(query: str, expected: bool) -> None:
    assert negotiation.is_pretty(query) is expected


def said(**fields: Any) -> dict[str, str]:
    lines = negotiation.response_headers(Result(200, **fields))
    return {name.decode(): value.decode() for name, value in lines}


def test_an_answer_is_this_callers_alone() -> None:
    assert said() == {"cache-control": "private, no-cache", "vary": "Authorization, Accept"}


def test_an_answer_says_which_version_and_since_when() -> None:
    instant = datetime(2026, 11, 22, 3, 4, 5, 678000, tzinfo=UTC)
    found = said(version="3", last_modified=instant, location="http://x/fhir/Goal/1/_history/3")
    assert found["etag"] == 'W/"3"'
    assert found["last-modified"] == "Sun, 22 Nov 2026 03:04:05 GMT"
    assert found["location"] == "http://x/fhir/Goal/1/_history/3"
    assert said(headers={"Retry-After": "5"})["retry-after"] == "5"
