"""Transactions in few words, and what they answer."""

from typing import Any

import httpx

from tests.http.conftest import Json


def bundle(*entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def asking(method: str, url: str, resource: Any = None, full_url: str = "", **rest: str) -> Json:
    entry: Json = {"request": {"method": method, "url": url, **rest}}
    if resource is not None:
        entry["resource"] = resource
    return {"fullUrl": full_url, **entry} if full_url else entry


def posting(resource: Json, full_url: str = "") -> Json:
    bare = {name: value for name, value in resource.items() if name != "id"}
    return asking("POST", resource["resourceType"], bare, full_url)


async def answers(client: httpx.AsyncClient, *entries: Json, **headers: str) -> list[Json]:
    response = await client.post("", json=bundle(*entries), headers=headers)
    assert response.status_code == 200, response.text
    made = response.json()
    assert made["type"] == "transaction-response"
    answered: list[Json] = made.get("entry", [])
    assert len(answered) == len(entries)
    return answered


def statuses(answered: list[Json]) -> list[str]:
    return [entry["response"]["status"][:3] for entry in answered]


def places(answered: list[Json]) -> list[str]:
    """Where each entry lives now, as Type/id."""
    return [entry["fullUrl"].split("/fhir/")[1] for entry in answered]
