"""https://hl7.org/fhir/R4/terminology-service.html"""

from typing import Any

import httpx
import pytest

from app.fhir.validation.structure import validate
from tests.build import ACT
from tests.http.conftest import Json, Service, load, refused

ISP = "https://isp-fhir.example"

SHOES = {
    "resourceType": "CodeSystem",
    "id": "shoes",
    "url": "https://county.example/shoes",
    "status": "active",
    "content": "complete",
    "caseSensitive": False,
    "concept": [
        {
            "code": "shoe",
            "display": "Shoe",
            "concept": [
                {"code": "boot", "display": "Boot", "designation": [{"value": "Stiefel"}]},
                {
                    "code": "clog",
                    "display": "Wooden clog",
                    "property": [{"code": "inactive", "valueBoolean": True}],
                },
            ],
        },
        {"code": "hat", "display": "Hat"},
    ],
}


def value_set(*include: Json, exclude: list[Json] | None = None, id_: str = "set") -> Json:
    url = f"https://county.example/ValueSet/{id_}"
    compose: Json = {"include": list(include)} | ({"exclude": exclude} if exclude else {})
    head = {"resourceType": "ValueSet", "id": id_, "url": url, "status": "active"}
    return head | {"compose": compose}


def shoes(**more: Any) -> Json:
    return {"system": SHOES["url"], **more}


def is_a(code: str, op: str = "is-a") -> Json:
    return shoes(filter=[{"property": "concept", "op": op, "value": code}])


async def expanded(client: httpx.AsyncClient, resource: Json, **more: str | int) -> list[str]:
    parts = [{"name": "valueSet", "resource": resource}]
    parts += [{"name": name, "valueString": value} for name, value in more.items()]
    sent = {"resourceType": "Parameters", "parameter": parts}
    response = await client.post("/ValueSet/$expand", json=sent)
    assert response.status_code == 200, response.text
    assert validate(response.json(), "ValueSet") == []
    return [one["code"] for one in response.json()["expansion"].get("contains", [])]


@pytest.mark.parametrize(
    ("parts", "exclude", "found"),
    [
        ([shoes()], None, ["shoe", "boot", "clog", "hat"]),
        ([is_a("shoe")], None, ["shoe", "boot", "clog"]),
        ([is_a("shoe", "descendent-of")], None, ["boot", "clog"]),
        ([is_a("shoe", "is-not-a")], None, ["hat"]),
        ([is_a("boot", "generalizes")], None, ["shoe", "boot"]),
        ([is_a("shoe")], [is_a("boot")], ["shoe", "clog"]),
        ([shoes(concept=[{"code": "hat"}, {"code": "boot"}])], None, ["hat", "boot"]),
        ([shoes(filter=[{"property": "code", "op": "in", "value": "hat,clog"}])], None,
         ["clog", "hat"]),
        ([shoes(filter=[{"property": "inactive", "op": "=", "value": "true"}])], None, ["clog"]),
        ([shoes(filter=[{"property": "inactive", "op": "exists", "value": "false"}])], None,
         ["shoe", "boot", "hat"]),
        ([{"system": "http://loinc.org", "concept": [{"code": "1-8"}]}], None, ["1-8"]),
    ],
)  # fmt: skip
async def test_a_value_set_is_expanded_as_it_is_composed(
    operator: httpx.AsyncClient, parts: list[Json], exclude: list[Json] | None, found: list[str]
) -> None:
    await load(operator, SHOES)
    assert await expanded(operator, value_set(*parts, exclude=exclude)) == found


async def test_value_sets_are_made_of_value_sets(operator: httpx.AsyncClient) -> None:
    one, two = value_set(is_a("shoe"), id_="one"), value_set(is_a("boot"), id_="two")
    await load(operator, SHOES, one, two)
    both = value_set({"valueSet": [one["url"], two["url"]]}, id_="both")
    either = value_set({"valueSet": [two["url"]]}, shoes(concept=[{"code": "hat"}]), id_="either")
    assert await expanded(operator, both) == ["boot"]
    assert await expanded(operator, either) == ["boot", "hat"]
    slow = value_set(shoes(filter=[{"property": "display", "op": "regex", "value": "(.*o){30}"}]))
    circle = value_set({"valueSet": [f"{ISP}/circle"]}) | {"url": f"{ISP}/circle"}
    for asked, code in ((slow, "not-supported"), (circle, "invalid")):
        part = {"name": "valueSet", "resource": asked}
        sent = {"resourceType": "Parameters", "parameter": [part]}
        refused(await operator.post("/ValueSet/$expand", json=sent), 422, code)


async def test_a_value_set_may_have_the_id_of_its_code_system(operator: httpx.AsyncClient) -> None:
    """As many guides name them, stored at one instant."""
    url = f"/ValueSet/$expand?url={value_set(id_='shoes')['url']}"
    await load(operator, SHOES, value_set(shoes(), id_="shoes"))
    looked_up = await operator.get(f"/CodeSystem/$lookup?system={SHOES['url']}&code=hat")
    assert looked_up.status_code == 200, looked_up.text
    response = await operator.get(url)
    assert response.status_code == 200, response.text
    assert len(response.json()["expansion"]["contains"]) == 4


async def test_an_expansion_is_filtered_and_paged(operator: httpx.AsyncClient) -> None:
    await load(operator, SHOES, value_set(shoes()))
    url = "/ValueSet/set/$expand"
    assert await expanded(operator, value_set(shoes()), filter="wood cl") == ["clog"]
    page = (await operator.get(url, params={"offset": 1, "count": 2})).json()["expansion"]
    assert [one["code"] for one in page["contains"]] == ["boot", "clog"]
    assert (page["total"], page["offset"]) == (4, 1)
    assert page["contains"][1]["inactive"] is True
    active = (await operator.get(url, params={"activeOnly": "true"})).json()["expansion"]
    assert active["total"] == 3
    none = (await operator.get(url, params={"count": 0})).json()["expansion"]
    assert (none["total"], "contains" in none) == (4, False)
    full = (await operator.get(url, params={"includeDesignations": "true"})).json()["expansion"]
    assert full["contains"][1]["designation"] == [{"value": "Stiefel"}]


async def test_what_comes_with_the_server_is_expanded(county: httpx.AsyncClient) -> None:
    url = f"{ISP}/ValueSet/isp-plan-part"
    found = (await county.get("/ValueSet/$expand", params={"url": url})).json()["expansion"]
    assert {one["code"] for one in found["contains"]} > {"crisis-plan", "backup-plan"}
    url = "http://hl7.org/fhir/ValueSet/goal-status"
    found = (await county.get("/ValueSet/$expand", params={"url": url})).json()["expansion"]
    assert "entered-in-error" in {one["code"] for one in found["contains"]}


async def test_what_is_not_held_is_told(county: httpx.AsyncClient) -> None:
    said = refused(
        await county.get("/ValueSet/$expand", params={"url": "https://nowhere.example/x"}),
        404,
        "not-found",
    )
    assert "is not held here" in said
    sent = {"resourceType": "Parameters"}
    parts = [{"name": "valueSet", "resource": value_set({"system": "http://loinc.org"})}]
    response = await county.post("/ValueSet/$expand", json=sent | {"parameter": parts})
    assert "http://loinc.org is not held here" in refused(response, 422, "not-supported")
    refused(await county.get("/ValueSet/$expand"), 400, "required")
    bad = {"url": "x", "count": "many"}
    refused(await county.get("/ValueSet/$expand", params=bad), 404, "not-found")
    known = {"url": f"{ISP}/ValueSet/isp-task", "count": "many"}
    refused(await county.get("/ValueSet/$expand", params=known), 400, "value")
    refused(await county.get("/ValueSet/$expand", params={"colour": "red"}), 400, "not-supported")


async def result(client: httpx.AsyncClient, type_: str, **asked: str) -> tuple[bool, str]:
    response = await client.get(f"/{type_}/$validate-code", params=asked)
    assert response.status_code == 200, response.text
    parts = {one["name"]: one for one in response.json()["parameter"]}
    return parts["result"]["valueBoolean"], parts.get("message", {}).get("valueString", "")


async def test_a_code_is_in_a_value_set_or_not(operator: httpx.AsyncClient) -> None:
    made = value_set(is_a("shoe"))
    await load(operator, SHOES, made)
    system = str(SHOES["url"])
    asked = {"url": made["url"], "system": system}
    assert await result(operator, "ValueSet", **asked, code="boot") == (True, "")
    assert await result(operator, "ValueSet", **asked, code="BOOT", display="boot") == (True, "")
    assert not (await result(operator, "ValueSet", **asked, code="hat"))[0]
    wrong = await result(operator, "ValueSet", **asked, code="boot", display="Sock")
    assert wrong == (False, "The display of boot is: Boot.")
    concept = {"coding": [{"system": system, "code": "hat"}, {"system": system, "code": "clog"}]}
    parts = [
        {"name": "url", "valueUri": made["url"]},
        {"name": "codeableConcept", "valueCodeableConcept": concept},
    ]
    sent = {"resourceType": "Parameters", "parameter": parts}
    answer = (await operator.post("/ValueSet/$validate-code", json=sent)).json()
    assert answer["parameter"][0] == {"name": "result", "valueBoolean": True}


async def test_a_code_is_in_a_code_system_or_not(county: httpx.AsyncClient) -> None:
    assert await result(county, "CodeSystem", url=f"{ISP}/CodeSystem/isp", code="inform") == (
        True,
        "",
    )
    assert not (await result(county, "CodeSystem", url=ACT, code="nonsense"))[0]
    response = await county.get("/CodeSystem/$validate-code", params={"url": "x:y", "code": "z"})
    refused(response, 404, "not-found")


async def test_a_code_is_looked_up(operator: httpx.AsyncClient) -> None:
    await load(operator, SHOES)
    asked = {"system": str(SHOES["url"]), "code": "Boot"}
    answer = (await operator.get("/CodeSystem/$lookup", params=asked)).json()
    assert validate(answer, "Parameters") == []
    parts = {one["name"]: one for one in answer["parameter"]}
    assert parts["display"]["valueString"] == "Boot"
    assert parts["designation"]["part"] == [{"name": "value", "valueString": "Stiefel"}]
    asked["property"] = "parent"
    answer = (await operator.get("/CodeSystem/$lookup", params=asked)).json()
    assert [one["part"][1] for one in answer["parameter"] if one["name"] == "property"] == [
        {"name": "value", "valueCode": "shoe"}
    ]
    asked["code"] = "glove"
    refused(await operator.get("/CodeSystem/$lookup", params=asked), 404, "not-found")
    refused(await operator.get("/CodeSystem/$lookup"), 400, "required")


@pytest.mark.parametrize(
    ("one", "other", "outcome"),
    [
        ("SUD", "OPIOIDUD", "subsumes"),
        ("OPIOIDUD", "SUD", "subsumed-by"),
        ("SUD", "SUD", "equivalent"),
        ("SUD", "HIV", "not-subsumed"),
    ],
)
async def test_codes_subsume_each_other(
    county: httpx.AsyncClient, one: str, other: str, outcome: str
) -> None:
    asked = {"system": ACT, "codeA": one, "codeB": other}
    answer = (await county.get("/CodeSystem/$subsumes", params=asked)).json()
    assert answer["parameter"] == [{"name": "outcome", "valueCode": outcome}]


async def test_the_server_tells_what_terminology_it_has(service: Service) -> None:
    response = await service.client().get("/metadata?mode=terminology")
    assert response.json()["resourceType"] == "TerminologyCapabilities"
    assert validate(response.json(), "TerminologyCapabilities") == []
    assert ACT in {one["uri"] for one in response.json()["codeSystem"]}
    refused(await service.client().get("/metadata?mode=loud"), 400, "value", "mode")


async def test_the_server_tells_which_fhir_it_speaks(county: httpx.AsyncClient) -> None:
    answer = (await county.get("/$versions")).json()
    assert {one["name"]: one["valueCode"] for one in answer["parameter"]} == {
        "version": "4.0",
        "default": "4.0",
    }


async def test_the_profiles_that_are_checked_are_advertised(service: Service) -> None:
    [rest] = (await service.client().get("/metadata")).json()["rest"]
    of_goal = next(one for one in rest["resource"] if one["type"] == "Goal")
    assert f"{ISP}/StructureDefinition/isp-milestone" in of_goal["supportedProfile"]


async def test_a_profile_gets_its_snapshot(county: httpx.AsyncClient) -> None:
    url = f"{ISP}/StructureDefinition/isp-crisis-plan"
    made = (await county.get("/StructureDefinition/$snapshot", params={"url": url})).json()
    assert validate(made, "StructureDefinition") == []
    ids = [one["id"] for one in made["snapshot"]["element"]]
    assert ids.index("CarePlan.category") < ids.index("CarePlan.category:part")
    refused(await county.get("/StructureDefinition/$snapshot"), 400, "required")
