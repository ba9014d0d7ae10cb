"""Whatever is asked, the answer is a searchset or tells what to change; never a fault of ours."""

from urllib.parse import quote

import httpx
import pytest

from app.fhir.registry import parameters
from app.fhir.search.parameters.modifiers import MODIFIERS

JUNK = [
    "|",
    "||",
    "$",
    "a$b",
    "a|b$gt5||mg",
    "\\",
    "\\\\,",
    "😀é\u0301",
    "%",
    "'; DROP TABLE resource; --",
    '"',
    "{}",
    "ValueSet/x",
    "http://hl7.org/fhir/ValueSet/goal-status",
    "urn:oid:1.2.3",
    "9999-12-31T23:59:60+14:00",
    "0001-01-01",
    "ap0001",
    "1e400",
    "gt1e-200",
    "90|180|1e308|km",
    "x" * 5000,
]
WORDS = sorted({word for words in MODIFIERS.values() for word in words} | {"Patient", "x", ""})
SPECIAL = (
    "_filter",
    "_list",
    "_text",
    "_content",
    "_type",
    "_contained",
    "_sort",
    "_include",
    "_has",
)


@pytest.mark.parametrize("type_", ["Observation", "Location", "AuditEvent"])
async def test_no_value_of_any_parameter_breaks_a_search(
    client: httpx.AsyncClient, type_: str
) -> None:
    for at, name in enumerate([*parameters(type_), *SPECIAL]):
        word = WORDS[at % len(WORDS)]
        for step, asked in enumerate((name, f"{name}:{word}")):
            value = JUNK[(at + step * 7) % len(JUNK)]
            response = await client.get(f"/{type_}?{quote(asked, safe=':')}={quote(value)}")
            assert response.status_code in (200, 400, 403), (asked, value, response.text)


FILTERS = ["{} eq {}", "{} co {}", "{} pr {}", "{} ss {}", "not({} ne {})", "{}[_id eq a].x eq {}"]


async def test_no_filter_breaks_a_search(client: httpx.AsyncClient) -> None:
    for name in ("near", "code", "code-value-quantity", "patient", "date", "_id", "value-quantity"):
        for form in FILTERS:
            for value in ("1|2|3", '"\\ud800"'):
                text = quote(form.format(name, value))
                response = await client.get(f"/Observation?_filter={text}")
                assert response.status_code in (200, 400), (form, name, value, response.text)


@pytest.mark.parametrize(
    "url", ["?{}={}", "/Patient/ada/*?{}={}", "/Patient/ada/$everything?{}={}"]
)
async def test_no_value_breaks_a_search_over_types(client: httpx.AsyncClient, url: str) -> None:
    for at, name in enumerate(("_id", "_lastUpdated", "_profile", "_tag", "_since", *SPECIAL)):
        for value in JUNK[at % 7 :: 7]:
            response = await client.get(url.format(quote(name), quote(value)))
            assert response.status_code in (200, 400), (url, name, value, response.text)
