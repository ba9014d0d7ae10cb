import httpx
import pytest

from tests.conformance.http_file import Filling, in_http, in_markdown, pick, run

PAGE = """
# Page

```http
# 201 made
# @name made
# expect $.id = 7
POST {{base}}/Goal
Content-Type: application/fhir+json

{"resourceType": "Goal"}
```

```http
# 200
GET {{base}}/Goal/{{made.response.body.$.id}} HTTP/1.1
If-None-Match: {{made.response.headers.ETag}}
Authorization: Bearer other
```
"""


def test_a_page_gives_its_examples_in_order() -> None:
    first, second = in_markdown(PAGE)
    assert (first.status, first.method, first.url) == (201, "POST", "{{base}}/Goal")
    assert first.headers == {"Content-Type": "application/fhir+json"}
    assert first.body == '{"resourceType": "Goal"}'
    assert (first.name, first.expected) == ("made", (("$.id", "7"),))
    assert (second.status, second.url) == (200, "{{base}}/Goal/{{made.response.body.$.id}}")


def test_an_http_file_separates_examples_by_hashes() -> None:
    text = "# About\n@base = http://test\n\n### one\n# 200\nGET {{base}}/a\n\n###\n# 404\nGET b\n"
    assert [(one.status, one.url) for one in in_http(text)] == [(200, "{{base}}/a"), (404, "b")]


def test_a_path_picks_members_and_items() -> None:
    assert pick({"entry": [{"response": {"status": "200 OK"}}]}, "$.entry[0].response.status")


async def test_what_a_response_named_is_filled_in_later() -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        status = 201 if request.method == "POST" else 200
        return httpx.Response(status, json={"id": 7}, headers={"ETag": 'W/"1"'})

    filling = Filling({"base": "http://test/fhir", "token": "mine"})
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        for example in in_markdown(PAGE):
            await run(client, example, filling)
    assert [str(request.url) for request in seen] == [
        "http://test/fhir/Goal",
        "http://test/fhir/Goal/7",
    ]
    assert seen[1].headers["If-None-Match"] == 'W/"1"'
    assert [request.headers["Authorization"] for request in seen] == ["Bearer mine", "Bearer other"]


@pytest.mark.parametrize("promise", ["# 204", "# 200\n# expect $.id = 8"])
async def test_a_response_that_breaks_the_promise_fails(promise: str) -> None:
    (example,) = in_http(f"{promise}\nGET http://test/a")
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"id": 7}))
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(AssertionError, match="GET http://test/a"):
            await run(client, example, Filling({"token": "mine"}))
