"""Whatever is sent: a 4xx that says what is wrong and where, and nothing is written."""

import json
from typing import Any

import httpx
import pytest

from tests.build import care_plan, goal, reference
from tests.http.conftest import COUNTY, Json, Service, refused, serving
from tests.http.wire import send

SECRET = "Xyzzy-the-name-of-somebody"


def text(resource: Json | None = None) -> str:
    return json.dumps(resource or goal())


def with_(**elements: Any) -> Json:
    return goal() | elements


def without(name: str) -> Json:
    return {key: value for key, value in goal().items() if key != name}


MALFORMED = {
    "nothing": b"",
    "a space": b" ",
    "half of it": text()[:-9].encode(),
    "more than it": f"{text()} {{}}".encode(),
    "a trailing comma": b'{"resourceType":"Goal",}',
    "single quotes": b"{'resourceType':'Goal'}",
    "a comment": b'{"resourceType":"Goal" /* mine */}',
    "NaN": text(with_(target=[{"detailQuantity": {"value": float("nan")}}])).encode(),
    "infinity": text(with_(target=[{"detailQuantity": {"value": float("inf")}}])).encode(),
    "a huge number": text().replace('"value": 1', '"value": 1e999999').encode(),
    "a leading zero": text().replace('"value": 1', '"value": 01').encode(),
    "a byte order mark": b"\xef\xbb\xbf" + text().encode(),
    "latin-1": text(with_(description={"text": "Ärger"}))
    .encode("latin-1")
    .replace(b"\\u00c4", b"\xc4"),
    "utf-16": text().encode("utf-16"),
    "NUL": text(with_(description={"text": "a\0b"})).encode(),
    "a raw NUL": text().replace("library", "lib\0rary").encode(),
    "half a surrogate": text(with_(description={"text": "\ud800"})).encode(),
    "half a surrogate as a name": b'{"resourceType":"Goal","\\udc00":1}',
    "a name twice": b'{"resourceType":"Goal","lifecycleStatus":"active","lifecycleStatus":"x"}',
    "a name twice, deep": text().replace('"value": 1', '"value": 1, "value": 2').encode(),
    "deep arrays": b'{"resourceType":"Goal","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "an array": b"[]",
    "a string": b'"Goal"',
    "null": b"null",
    "a number": b"7",
    "an empty object": b"{}",
    "no type": b'{"lifecycleStatus":"active"}',
    "a type that is none": b'{"resourceType":7}',
    "a type that is an object": b'{"resourceType":{"Goal":1}}',
    "an unknown type": b'{"resourceType":"Unicorn"}',
    "another type": text(care_plan()).encode(),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_body_that_is_no_goal_is_refused(
    client: httpx.AsyncClient, unchanged: None, name: str
) -> None:
    for method, url in (("POST", "/Goal"), ("PUT", "/Goal/ada-goal-1")):
        response = await client.request(method, url, content=MALFORMED[name])
        assert response.status_code == 400, (name, response.text)
        [issue] = response.json()["issue"]
        assert issue["code"] in ("structure", "invalid", "value")
        assert len(issue["diagnostics"]) < 300


async def test_a_member_without_a_name_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/Goal", content=text(with_(**{"": 1})))
    assert response.status_code == 400
    assert response.json()["issue"][0]["code"] == "structure"


WRONG = {
    "Goal.lifecycleStatus": [
        (without("lifecycleStatus"), 400, "required"),
        (with_(lifecycleStatus="sleeping"), 422, "code-invalid"),
        (with_(lifecycleStatus=True), 400, "structure"),
        (with_(lifecycleStatus=["active"]), 400, "structure"),
    ],
    "Goal.description": [
        (without("description"), 400, "required"),
        (with_(description="To walk"), 400, "structure"),
        (with_(description={}), 400, "structure"),
        (with_(description=[{"text": "To walk"}]), 400, "structure"),
        (with_(description=None), 400, "structure"),
    ],
    "Goal.description.text": [
        (with_(description={"text": 7}), 400, "structure"),
        (with_(description={"text": ""}), 400, "value"),
    ],
    "Goal.subject": [
        (without("subject"), 400, "required"),
        (with_(subject={"reference": "Goal/ada-goal-1"}), 400, "value"),
    ],
    "Goal.subject.reference": [(with_(subject={"reference": 7}), 400, "structure")],
    "Goal.start": [
        (with_(startDate="2026-13-01"), 400, "value"),
        (with_(startDate="2026-02-30"), 400, "value"),
        (with_(startDate="01.02.2026"), 400, "value"),
        (with_(startDate="2026-1-1"), 400, "value"),
        (with_(startDate="0000"), 400, "value"),
        (with_(startDate=20260101), 400, "structure"),
        (with_(startDate="2026-01-01T00:00:00Z"), 400, "value"),
        (with_(startCodeableConcept={"text": "Soon"}), 400, "structure"),
    ],
    "Goal.colour": [(with_(colour=SECRET), 400, "structure")],
    "Goal.target[0].colour": [(with_(target=[{"colour": SECRET}]), 400, "structure")],
    "Goal.target": [(with_(target={"dueDate": "2026"}), 400, "structure")],
    "Goal.target[0]": [(with_(target=["2026"]), 400, "structure")],
    "Goal.target[0].detail": [
        (
            with_(target=[{"measure": {"text": "x"}, "detailInteger": 1, "detailString": "1"}]),
            400,
            "structure",
        )
    ],
    "Goal.meta.tag[0].system": [(with_(meta={"tag": [{"system": "not a uri"}]}), 400, "value")],
    "Goal.contained[0]": [(with_(contained=[{"resourceType": "Unicorn"}]), 400, "structure")],
    "Goal.addresses": [(with_(addresses=[]), 400, "structure")],
}


@pytest.mark.parametrize("expression", WRONG)
async def test_an_element_that_is_wrong_is_named(
    client: httpx.AsyncClient, unchanged: None, expression: str
) -> None:
    for resource, status, code in WRONG[expression]:
        for method, url in (("POST", "/Goal"), ("PUT", "/Goal/ada-goal-1")):
            response = await client.request(method, url, json=resource)
            found = [(i["code"], *i.get("expression", ())) for i in response.json()["issue"]]
            assert (response.status_code, (code, expression)) == (status, found[0]), resource
            assert SECRET not in response.text


async def test_all_that_is_wrong_is_told_at_once(
    client: httpx.AsyncClient, unchanged: None
) -> None:
    wrong = {"resourceType": "Goal", "startDate": "soon", "colour": "red"}
    issues = (await client.post("/Goal", json=wrong)).json()["issue"]
    assert {issue["expression"][0] for issue in issues} == {
        f"Goal.{name}" for name in ("lifecycleStatus", "description", "subject", "start", "colour")
    }


async def test_a_thousand_faults_are_not_a_thousand_issues(
    client: httpx.AsyncClient, unchanged: None
) -> None:
    wrong = with_(addresses=[{"reference": 7}] * 1000)
    assert len((await client.post("/Goal", json=wrong)).json()["issue"]) <= 100


async def test_a_body_that_is_too_long_is_refused(
    dsn: str, lasting: Service, unchanged: None
) -> None:
    async with serving(dsn, max_body=2_000) as small:
        own = await small.as_("provider-organization", COUNTY)
        long = with_(description={"text": "x" * 2_000})
        refused(await own.post("/Goal", json=long), 413, "too-long")
        refused(await own.put("/Goal/ada-goal-1", json=long), 413, "too-long")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        response = await own.post("/Goal/_search", content=b"x" * 2_001, headers=form)
        refused(response, 413, "too-long")


async def test_ten_megabytes_are_refused(client: httpx.AsyncClient, unchanged: None) -> None:
    long = with_(description={"text": "x" * 10_000_000})
    refused(await client.post("/Goal", json=long), 413, "too-long")


async def test_a_body_that_breaks_off_writes_nothing(
    lasting: Service, client: httpx.AsyncClient, unchanged: None
) -> None:
    part = {"type": "http.request", "body": text().encode(), "more_body": True}
    response = await send(lasting.app, client, "POST /Goal", messages=[part])
    refused(response, 400, "invalid")


@pytest.mark.parametrize(
    "resource",
    [
        with_(identifier=[{"value": "x" * 300_000}]),
        with_(statusDate="9999-12-31"),
        with_(statusDate="0001-01-01"),
        with_(meta={"profile": ["http://example.org/" + "x" * 10_000]}),
        with_(identifier=[{"system": "urn:x", "value": str(number)} for number in range(3_000)]),
        with_(target=[{"measure": {"text": "x"}, "detailQuantity": {"value": 10**17}}]),
        with_(description={"text": "\u202e\u0301 \ufdfa \U000e0001 \U0001f642" * 100}),
        with_(note=[{"text": "x" * 900_000}]),
    ],
    ids=range(8),
)
async def test_a_resource_that_is_odd_but_legal_is_kept(
    client: httpx.AsyncClient, resource: Json
) -> None:
    made = await client.post("/Goal", json=resource)
    assert made.status_code == 201, made.text
    assert (await client.get(f"/Goal/{made.json()['id']}")).content == made.content


async def test_a_reference_deep_in_an_extension_is_judged_too(
    client: httpx.AsyncClient, unchanged: None
) -> None:
    extension = [{"url": "http://example.org/x", "valueReference": reference("Goal/none")}]
    response = await client.post("/Goal", json=with_(extension=extension))
    refused(response, 422, "not-found", "Goal.extension[0].valueReference")
