"""Whatever the CapabilityStatement advertises is there: each of it is tried over HTTP."""

from typing import Any

import httpx
import pytest

from app.fhir import json
from app.fhir.registry import STORED
from tests.http.conftest import Service
from tests.http.test_examples import official, without_meta

Json = dict[str, Any]
VALUES = {
    "token": "a|b",
    "string": "a",
    "date": "ge2024-01-01",
    "reference": "Patient/ada",
    "uri": "http://example.org/x",
    "number": "gt1",
    "quantity": "gt1|http://unitsofmeasure.org|mg",
}

COMPOSITES = {
    "characteristic-value": "a|b$c",
    "code-value-concept": "a|b$c|d",
    "code-value-date": "a|b$ge2024-01-01",
    "code-value-quantity": "a|b$gt1||mg",
    "code-value-string": "a|b$c",
    "combo-code-value-concept": "a|b$c|d",
    "combo-code-value-quantity": "a|b$gt1||mg",
    "component-code-value-concept": "a|b$c|d",
    "component-code-value-quantity": "a|b$gt1||mg",
    "context-type-quantity": "a|b$gt1",
    "context-type-value": "a|b$c|d",
    "near": "40|-82|5|km",
    "relationship": "DocumentReference/a$replaces",
}


async def resources(service: Service) -> list[Json]:
    statement: Json = (await service.client().get("/metadata")).json()
    [rest] = statement["rest"]
    found: list[Json] = rest["resource"]
    return found


def codes(resource: Json) -> set[str]:
    return {interaction["code"] for interaction in resource["interaction"]}


async def test_every_stored_type_is_advertised(service: Service) -> None:
    assert {resource["type"] for resource in await resources(service)} == set(STORED)


async def test_every_search_parameter_is_searched_by(service: Service) -> None:
    operator = await service.as_("operator")
    tried = 0
    for resource in await resources(service):
        for parameter in resource.get("searchParam", ()):
            value = COMPOSITES.get(parameter["name"]) or VALUES[parameter["type"]]
            url = f"/{resource['type']}"
            response = await operator.get(url, params={parameter["name"]: value})
            assert response.status_code == 200, (url, parameter["name"], response.text)
            tried += 1
    assert tried > 700


async def test_what_us_core_expects_to_be_searched_by_together_is(service: Service) -> None:
    operator = await service.as_("operator")
    tried = set()
    for resource in await resources(service):
        kinds = {each["name"]: each["type"] for each in resource.get("searchParam", ())}
        for extension in resource.get("extension", ()):
            level, *parts = (
                each.get("valueCode") or each["valueString"] for each in extension["extension"]
            )
            pairs = [(name, VALUES[kinds[name]]) for name in parts]
            response = await operator.get(f"/{resource['type']}", params=pairs)
            assert response.status_code == 200, (parts, response.text)
            tried.add((resource["type"], "+".join(parts), level))
    assert ("CarePlan", "patient+category", "SHALL") in tried
    assert len(tried) > 40


async def test_every_include_is_followed(service: Service) -> None:
    operator = await service.as_("operator")
    for resource in await resources(service):
        for word, name in (("searchInclude", "_include"), ("searchRevInclude", "_revinclude")):
            asked = [(name, value) for value in resource.get(word, ())]
            for start in range(0, len(asked), 20):
                url = f"/{resource['type']}"
                response = await operator.get(url, params=asked[start : start + 20])
                assert response.status_code == 200, (url, asked[start : start + 20], response.text)


async def lived(operator: httpx.AsyncClient, resource: Json, interactions: set[str]) -> set[str]:
    """Take one resource through the interactions of its type; the ones that worked."""
    type_, done = resource["resourceType"], set[str]()

    async def ask(code: str, method: str, url: str, status: int, body: Json | None = None) -> Json:
        content = None if body is None else json.dump(body)
        response = await operator.request(method, url, content=content)
        assert response.status_code == status, (code, url, response.text)
        done.add(code)
        return response.json() if response.content else {}

    if "create" not in interactions:
        return done
    made = await ask("create", "POST", f"/{type_}", 201, resource)
    url = f"/{type_}/{made['id']}"
    await ask("read", "GET", url, 200)
    await ask("vread", "GET", f"{url}/_history/1", 200)
    language = "de" if resource.get("language") != "de" else "fr"
    changed = {**without_meta(resource), "id": made["id"], "language": language}
    await ask("update", "PUT", url, 200, changed)
    merge = {"content-type": "application/merge-patch+json"}
    patched = await operator.patch(url, json={"language": "it"}, headers=merge)
    assert patched.json()["language"] == "it", patched.text
    done.add("patch")
    history = await ask("history-instance", "GET", f"{url}/_history", 200)
    assert len(history["entry"]) == 3
    await ask("search-type", "GET", f"/{type_}?_id={made['id']}", 200)
    await ask("history-type", "GET", f"/{type_}/_history?_count=1", 200)
    await ask("delete", "DELETE", url, 204)
    return done


async def test_every_interaction_of_every_type_works(lenient: Service) -> None:
    operator = await lenient.as_("operator")
    examples = {example["resourceType"]: example for example in official()}
    advertised = {resource["type"]: codes(resource) for resource in await resources(lenient)}
    for type_, example in examples.items():
        done = await lived(operator, without_meta(example), advertised[type_])
        assert done >= advertised[type_], type_


@pytest.mark.parametrize("type_", ["AuditEvent"])
async def test_what_is_not_advertised_is_refused(service: Service, type_: str) -> None:
    operator = await service.as_("operator")
    [resource] = [each for each in await resources(service) if each["type"] == type_]
    assert codes(resource) == {"read", "search-type"}
    for method, url in (("POST", ""), ("PUT", "/x"), ("DELETE", "/x")):
        body = {"resourceType": type_, "id": "x"} if method != "DELETE" else None
        response = await operator.request(method, f"/{type_}{url}", json=body)
        assert response.status_code == 405, response.text
