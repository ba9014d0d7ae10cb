"""Modifiers that look at more than the value: value sets, code systems, hierarchies, texts, URLs.

https://hl7.org/fhir/R4/search.html#modifiers
"""

from typing import Any

import httpx
import pytest

from tests.build import concept, condition, goal, organization, patient, reference
from tests.http.conftest import COUNTY, Json, found, load, refused

NEEDS = "http://example.org/CodeSystem/needs"
SCT = "http://snomed.info/sct"
SETS = "http://example.org/ValueSet"


def code_system() -> Json:
    return {
        "resourceType": "CodeSystem",
        "id": "needs",
        "url": NEEDS,
        "status": "active",
        "content": "complete",
        "concept": [
            {
                "code": "living",
                "concept": [{"code": "home", "concept": [{"code": "rent"}]}, {"code": "money"}],
            },
            {"code": "people", "property": [{"code": "child", "valueCode": "friends"}]},
            {"code": "friends"},
        ],
    }


def value_set(name: str, **compose: Any) -> Json:
    head = {"resourceType": "ValueSet", "id": name, "url": f"{SETS}/{name}", "status": "active"}
    return head | {"compose": compose}


def part(op: str, value: str) -> Json:
    return {"system": NEEDS, "filter": [{"property": "concept", "op": op, "value": value}]}


VALUE_SETS = [
    value_set("listed", include=[{"system": NEEDS, "concept": [{"code": "rent"}]}]),
    value_set("whole", include=[{"system": NEEDS}]),
    value_set("foreign", include=[{"system": SCT}]),
    value_set("tree", include=[part("is-a", "living")]),
    value_set("under", include=[part("descendent-of", "living")]),
    value_set("imported", include=[{"valueSet": [f"{SETS}/tree"]}]),
    value_set("both", include=[{"system": NEEDS, "valueSet": [f"{SETS}/under"]}]),
    value_set("less", include=[part("is-a", "living")], exclude=[part("is-a", "home")]),
    value_set("circle", include=[{"valueSet": [f"{SETS}/circle"]}]),
    value_set("regex", include=[part("regex", "h.*")]),
    value_set("lost", include=[{"valueSet": [f"{SETS}/nowhere"]}]),
    {
        "resourceType": "ValueSet",
        "id": "expanded",
        "url": f"{SETS}/expanded",
        "status": "active",
        "expansion": {
            "timestamp": "2026-01-01",
            "contains": [
                {
                    "display": "All",
                    "abstract": True,
                    "contains": [{"system": NEEDS, "code": "money"}],
                }
            ],
        },
    },
]
CODES = ("living", "home", "rent", "money", "people", "friends")


@pytest.fixture
async def needs(operator: httpx.AsyncClient, county: httpx.AsyncClient) -> httpx.AsyncClient:
    """The county, with one condition of ada for every code, named by it, and one of SNOMED CT."""
    await load(operator, code_system(), *VALUE_SETS, patient("ada", COUNTY))
    made = [condition(code, code=concept(NEEDS, code)) for code in CODES]
    await load(operator, *made, condition("snomed", code=concept(SCT, "1")))
    return county


async def ids(client: httpx.AsyncClient, url: str) -> set[str]:
    return {each.partition("/")[2] for each in found(await client.get(url))}


IN = {
    f"{SETS}/listed": {"rent"},
    "ValueSet/listed": {"rent"},
    f"{SETS}/whole": set(CODES),
    f"{SETS}/foreign": {"snomed"},
    f"{SETS}/tree": {"living", "home", "rent", "money"},
    f"{SETS}/under": {"home", "rent", "money"},
    f"{SETS}/imported": {"living", "home", "rent", "money"},
    f"{SETS}/both": {"home", "rent", "money"},
    f"{SETS}/less": {"living", "money"},
    f"{SETS}/expanded": {"money"},
    f"{SETS}/listed,{SETS}/expanded": {"rent", "money"},
}


async def test_codes_are_found_by_their_value_set(needs: httpx.AsyncClient) -> None:
    everything = {*CODES, "snomed"}
    for url, expected in IN.items():
        assert await ids(needs, f"/Condition?code:in={url}") == expected, url
        assert await ids(needs, f"/Condition?code:not-in={url}") == everything - expected, url


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (f"{SETS}/nowhere", "not-found"),
        ("ValueSet/nowhere", "not-found"),
        (f"{SETS}/lost", "not-found"),
        (f"{SETS}/circle", "invalid"),
        (f"{SETS}/regex", "not-supported"),
    ],
)
async def test_a_value_set_that_cannot_be_told_is_refused(
    needs: httpx.AsyncClient, value: str, code: str
) -> None:
    refused(await needs.get(f"/Condition?code:in={value}"), 400, code)


async def test_the_value_sets_of_r4_itself_are_known(
    needs: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    """The codes of an element of type code are those of the value set it is bound to."""
    await load(operator, goal("g1"))
    official = "http://hl7.org/fhir/ValueSet/goal-status"
    assert await ids(needs, f"/Goal?lifecycle-status:in={official}") == {"g1"}
    assert await ids(needs, f"/Goal?lifecycle-status:not-in={official}") == set()
    system = "http://hl7.org/fhir/goal-status"
    assert await ids(needs, f"/Goal?lifecycle-status={system}|active") == {"g1"}
    assert await ids(needs, f"/Goal?lifecycle-status={system}|rejected") == set()
    assert await ids(needs, f"/Goal?lifecycle-status={SCT}|active") == set()


RELATED = {
    f"code:below={NEEDS}|living": {"living", "home", "rent", "money"},
    f"code:below={NEEDS}|home": {"home", "rent"},
    f"code:below={NEEDS}|rent": {"rent"},
    f"code:below={NEEDS}|people": {"people", "friends"},
    f"code:above={NEEDS}|rent": {"rent", "home", "living"},
    f"code:above={NEEDS}|friends": {"people", "friends"},
    f"code:below={NEEDS}|home,{NEEDS}|people": {"home", "rent", "people", "friends"},
}


async def test_codes_are_found_by_what_is_above_and_below(needs: httpx.AsyncClient) -> None:
    for query, expected in RELATED.items():
        assert await ids(needs, f"/Condition?{query}") == expected, query
    through = f"/Patient?_has:Condition:patient:code:below={NEEDS}|home"
    assert await ids(needs, through) == {"ada"}


async def test_a_hierarchy_nobody_knows_is_refused(needs: httpx.AsyncClient) -> None:
    refused(await needs.get(f"/Condition?code:below={SCT}|1"), 400, "not-found")
    refused(await needs.get("/Condition?code:below=home"), 400, "invalid", "code")


TEXTS = {
    "code:text=rent": {"text", "display"},
    "code:text=RENT DUE": {"text"},
    "code:text=due": set(),
    "code:text=overdue,rent is": {"display"},
    "identifier:text=case": {"identified"},
}


async def test_codes_are_found_by_their_texts(
    county: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    await load(operator, patient("ada", COUNTY))
    case = [{"type": {"text": "Case number"}, "value": "7"}]
    shown = {"coding": [{"system": NEEDS, "code": "rent", "display": "Rent is high"}]}
    await load(
        operator,
        condition("text", code={"text": "Rent due"}),
        condition("display", code=shown),
        condition("identified", identifier=case),
    )
    for query, expected in TEXTS.items():
        assert await ids(county, f"/Condition?{query}") == expected, query


CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
URLS = {
    f"_profile:below={CORE}": {"a", "b"},
    "_profile:below=http://hl7.org/fhir/us/core/": {"a", "b"},
    f"_profile:below={CORE}/us-core-condition": {"a"},
    "_profile:below=http://hl7.org/fhir/us/co": set(),
    f"_profile:above={CORE}/us-core-condition": {"a"},
    f"_profile:above={CORE}/us-core-condition/part": {"a"},
    "_profile:above=http://hl7.org/fhir": set(),
}


async def test_urls_are_found_by_the_path_they_share(
    county: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    await load(operator, patient("ada", COUNTY))
    a = condition("a", meta={"profile": [f"{CORE}/us-core-condition"]})
    b = condition("b", meta={"profile": [f"{CORE}/us-core-condition-problem|6.1.0"]})
    await load(operator, a, b, condition("c", meta={"profile": ["urn:oid:1.2.3"]}))
    for query, expected in URLS.items():
        assert await ids(county, f"/Condition?{query}") == expected, query
    refused(
        await county.get("/Condition?_profile:below=urn:oid:1.2"),
        400,
        "invalid",
        "Condition._profile",
    )


PLACES = {
    "location:below=house": {"in-house", "in-room"},
    "location:below=Location/room": {"in-room"},
    "location:above=room": {"in-house", "in-room"},
    "location:above=house": {"in-house"},
    "location=house": {"in-house"},
    "location:below=elsewhere": set(),
}


async def test_references_are_found_by_what_their_target_is_part_of(
    county: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    house = {"resourceType": "Location", "id": "house"}
    room = {"resourceType": "Location", "id": "room", "partOf": reference("Location/house")}
    await load(operator, patient("ada", COUNTY), house, room)
    await load(operator, encounter("in-house", "house"), encounter("in-room", "room"))
    for query, expected in PLACES.items():
        assert await ids(county, f"/Encounter?{query}") == expected, query


def encounter(id_: str, place: str) -> Json:
    head = {"resourceType": "Encounter", "id": id_, "status": "finished", "class": {"code": "HH"}}
    where = {"location": [{"location": reference(f"Location/{place}")}]}
    return head | {"subject": reference("Patient/ada")} | where


async def test_an_organization_is_found_below_the_one_it_is_part_of(
    operator: httpx.AsyncClient,
) -> None:
    await load(
        operator,
        organization("state"),
        organization("county", partOf=reference("Organization/state")),
        organization("office", partOf=reference("Organization/county")),
    )
    assert await ids(operator, "/Organization?partof:below=state") == {"county", "office"}
    assert await ids(operator, "/Organization?partof:above=county") == {"county", "office"}


NOT_ALLOWED = [
    ("Goal?start-date:exact=2026", ":missing"),
    ("Goal?lifecycle-status:contains=a", ":missing, :not, :in, :not-in, :above, :below"),
    ("Goal?lifecycle-status:of-type=a|b|c", ":missing, :not, :in"),
    ("Patient?name:not=x", ":missing, :exact, :contains"),
    ("Patient?name:text=x", ":missing, :exact, :contains"),
    ("Patient?identifier:in=x", ":missing, :not, :text, :of-type"),
    ("Patient?active:below=x", ":missing, :not."),
    ("Goal?patient:below=x", ":missing, :identifier, :[type]"),
    ("Goal?patient:Organization=x", ":missing, :identifier, :[type]"),
    ("Goal?_id:text=x", ":missing, :not"),
    ("Questionnaire?url:exact=x", ":missing, :above, :below"),
    ("RiskAssessment?probability:not=1", ":missing"),
    ("Observation?value-quantity:exact=1", ":missing"),
    ("Observation?code-value-concept:missing=true", "none"),
]


@pytest.mark.parametrize(("url", "valid"), NOT_ALLOWED)
async def test_a_modifier_that_does_not_apply_is_refused_naming_those_that_do(
    client: httpx.AsyncClient, url: str, valid: str
) -> None:
    response = await client.get(f"/{url}")
    assert response.status_code == 400, url
    assert valid in response.json()["issue"][0]["diagnostics"]


async def test_words_follow_every_edit(operator: httpx.AsyncClient, ada: str) -> None:
    made = (await operator.get("/Goal/ada-goal-1")).json()
    for word in ("zeppelin", "bicycle"):
        text = {"text": f"To ride a {word}"}
        made = (await operator.put("/Goal/ada-goal-1", json=made | {"description": text})).json()
        for asked, total in (("zeppelin", word == "zeppelin"), ("bicycle", word == "bicycle")):
            found = (await operator.get(f"/Goal?_content={asked}&_summary=count")).json()
            assert found["total"] == total
