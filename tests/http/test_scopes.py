"""Scopes per type and letter. https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html"""

import httpx
import pytest

from tests.build import care_plan, concept, goal, patient, plan, reference
from tests.http.conftest import COUNTY, Json, Service, found, load, refused

READ, VREAD, HISTORY = (
    "/Goal/ada-goal-1",
    "/Goal/ada-goal-1/_history/1",
    "/Goal/ada-goal-1/_history",
)
CALLS = {
    "read": ("GET", READ, "r"),
    "vread": ("GET", VREAD, "r"),
    "history-instance": ("GET", HISTORY, "r"),
    "create": ("POST", "/Goal", "c"),
    "update": ("PUT", READ, "u"),
    "delete": ("DELETE", READ, "d"),
    "search-type": ("GET", "/Goal", "s"),
    "search-post": ("POST", "/Goal/_search", "s"),
    "search-compartment": ("GET", "/Patient/ada/Goal", "s"),
    "history-type": ("GET", "/Goal/_history", "s"),
    "history-system": ("GET", "/_history", "s"),
}


async def county(service: Service, scope: str, **claims: str) -> httpx.AsyncClient:
    return await service.as_("provider-organization", COUNTY, scope, **claims)


async def ask(client: httpx.AsyncClient, call: str) -> httpx.Response:
    method, url, _ = CALLS[call]
    body = goal() if method in ("POST", "PUT") and not url.endswith("_search") else None
    return await client.request(method, url, json=body)


@pytest.mark.parametrize("call", CALLS)
async def test_each_interaction_needs_its_letter(service: Service, ada: str, call: str) -> None:
    letter = CALLS[call][2]
    others = "".join(each for each in "cruds" if each != letter)
    without = await county(service, f"system/Goal.{others} system/Patient.cruds")
    if call != "history-system":
        said = refused(await ask(without, call), 403, "forbidden")
        assert f"Goal.{letter}" in said
    with_it = await county(service, f"system/Goal.{letter} system/Patient.s")
    assert (await ask(with_it, call)).is_success


async def test_a_refused_scope_says_so_in_the_challenge(service: Service, ada: str) -> None:
    """https://www.rfc-editor.org/rfc/rfc6750#section-3.1"""
    response = await (await county(service, "system/Patient.rs")).get(READ)
    assert response.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'


async def test_a_scope_that_is_missing_does_not_tell_whether_something_exists(
    service: Service, ada: str
) -> None:
    client = await county(service, "system/Patient.rs")
    there, nowhere = await client.get(READ), await client.get("/Goal/ada-goal-9")
    assert (there.status_code, there.text) == (nowhere.status_code, nowhere.text)


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("system/*.read", {"read", "vread", "search-type", "history-type"}),
        ("system/Goal.write", {"create", "update", "delete"}),
        ("system/*.*", set(CALLS)),
        ("system/*.rs", {"read", "search-type"}),
        ("system/Goal.sr", set()),
        ("system/Goal.", set()),
        ("system/Unicorn.rs", set()),
        ("Goal.rs", set()),
        ("user/*.cruds", set()),
        ("patient/*.cruds", set()),
        ("", set()),
        ("openid fhirUser launch/patient", set()),
    ],
)
async def test_both_spellings_of_scopes_mean_what_they_say(
    service: Service, ada: str, scope: str, allowed: set[str]
) -> None:
    client = await county(service, scope)
    for call in ("read", "search-type", "create", "update"):
        assert (await ask(client, call)).is_success is (call in allowed), call


async def test_the_history_of_the_system_holds_the_types_in_scope(
    service: Service, ada: str
) -> None:
    client = await county(service, "system/Goal.s system/Condition.s system/Patient.r")
    response = await client.get("/_history")
    types = {entry["resource"]["resourceType"] for entry in response.json()["entry"]}
    assert types == {"Goal", "Condition"}


PULL = "/CarePlan?patient=ada&_include=CarePlan:goal&_include=CarePlan:care-team"


@pytest.mark.parametrize(
    ("more", "included"),
    [
        ("", set()),
        ("system/Goal.r", set()),
        ("system/Goal.s", {"Goal/ada-goal-1", "Goal/ada-goal-2"}),
        ("system/CareTeam.rs", {"CareTeam/ada-team"}),
    ],
)
async def test_what_is_included_needs_the_search_letter(
    service: Service, ada: str, more: str, included: set[str]
) -> None:
    client = await county(service, f"system/CarePlan.rs {more}")
    response = await client.get(PULL)
    assert found(response) == ["CarePlan/ada-plan"]
    assert set(found(response, "include")) == included


async def test_what_points_back_needs_the_search_letter(service: Service, ada: str) -> None:
    url = "/Goal?_id=ada-goal-1&_revinclude=CarePlan:goal"
    reader = await county(service, "system/Goal.rs system/CarePlan.r")
    assert found(await reader.get(url), "include") == []
    searcher = await county(service, "system/Goal.rs system/CarePlan.s")
    assert found(await searcher.get(url), "include") == ["CarePlan/ada-plan"]


@pytest.mark.parametrize("query", ["subject:Patient.name=ada", "_has:CarePlan:goal:status=active"])
async def test_a_chain_through_a_type_out_of_scope_finds_nothing(
    service: Service, ada: str, query: str
) -> None:
    whole = await county(service, "system/*.rs")
    assert len(found(await whole.get(f"/Goal?{query}"))) == 2
    goals = await county(service, "system/Goal.rs")
    response = await goals.get(f"/Goal?{query}")
    assert response.status_code == 403 or found(response) == []


class TestPatientScopes:
    """patient/ scopes open the compartment of the patient in the token and the directory."""

    @pytest.fixture
    async def app(
        self, service: Service, operator: httpx.AsyncClient, ada: str
    ) -> httpx.AsyncClient:
        await load(operator, *plan(person="ben", organization=COUNTY))
        return await county(service, "patient/*.cruds", patient="ada")

    async def test_only_this_patient_is_seen(self, app: httpx.AsyncClient) -> None:
        assert found(await app.get("/Patient")) == ["Patient/ada"]
        assert sorted(found(await app.get("/Goal"))) == ["Goal/ada-goal-1", "Goal/ada-goal-2"]
        refused(await app.get("/Patient/ben"), 404, "not-found")
        refused(await app.get("/Goal/ben-goal-1"), 404, "not-found")
        assert found(await app.get("/Goal?patient=ben")) == []
        assert found(await app.get("/Patient/ben/Goal")) == []
        assert found(await app.get("/Organization")) == ["Organization/county"]

    async def test_only_about_this_patient_is_written(self, app: httpx.AsyncClient) -> None:
        assert (await app.post("/Goal", json=goal())).status_code == 201
        refused(
            await app.post("/Goal", json=goal(patient="Patient/ben")),
            422,
            "not-found",
            "Goal.subject",
        )
        refused(await app.post("/Patient", json=patient("x", COUNTY)), 403, "forbidden", "Patient")

    async def test_the_patient_in_the_token_opens_nobody_who_is_not_supported(
        self, service: Service, app: httpx.AsyncClient
    ) -> None:
        other = await service.as_(
            "provider-organization", "Organization/elsewhere", "patient/*.rs", patient="ada"
        )
        assert found(await other.get("/Patient")) == []

    async def test_a_token_without_a_patient_opens_nothing(self, service: Service, app) -> None:
        client = await county(service, "patient/*.cruds")
        refused(await client.get("/Patient/ada"), 403, "forbidden")

    async def test_scopes_of_both_kinds_add_up(self, service: Service, app) -> None:
        client = await county(service, "patient/Goal.rs system/Condition.rs", patient="ada")
        assert sorted(found(await client.get("/Goal"))) == ["Goal/ada-goal-1", "Goal/ada-goal-2"]
        refused(await client.get("/Patient/ada"), 403, "forbidden")

    async def test_what_is_about_several_is_seen_when_it_is_about_this_patient_alone(
        self, operator: httpx.AsyncClient, app: httpx.AsyncClient
    ) -> None:
        await load(operator, _group("alone", "ada"), _group("both", "ada", "ben"))
        assert found(await app.get("/Group")) == ["Group/alone"]


def _group(id_: str, *people: str) -> Json:
    member = [{"entity": reference(f"Patient/{person}")} for person in people]
    return {"resourceType": "Group", "id": id_, "type": "person", "actual": True, "member": member}


class TestGranularScopes:
    """system/Observation.rs?category=…: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters"""

    CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
    SCOPE = f"category={CATEGORY}|social-history"

    @pytest.fixture
    async def app(
        self, service: Service, operator: httpx.AsyncClient, ada: str
    ) -> httpx.AsyncClient:
        await load(operator, self.observation("social-history"), self.observation("laboratory"))
        return await county(service, f"system/Observation.cruds?{self.SCOPE}")

    def observation(self, category: str, **elements: object) -> Json:
        return {
            "resourceType": "Observation",
            "id": category,
            "status": "final",
            "category": [concept(self.CATEGORY, category)],
            "code": {"text": "Something noticed"},
            "subject": reference("Patient/ada"),
        } | elements

    async def test_only_the_category_is_seen(self, app: httpx.AsyncClient) -> None:
        assert found(await app.get("/Observation")) == ["Observation/social-history"]
        assert found(await app.get("/Observation?category=laboratory")) == []
        assert (await app.get("/Observation/social-history")).status_code == 200
        refused(await app.get("/Observation/laboratory"), 404, "not-found")
        refused(await app.get("/Observation/laboratory/_history"), 404, "not-found")
        assert len((await app.get("/Observation/_history")).json()["entry"]) == 1

    async def test_only_the_category_is_written(self, app: httpx.AsyncClient) -> None:
        made = await app.post("/Observation", json=self.observation("social-history"))
        assert made.status_code == 201
        other = await app.post("/Observation", json=self.observation("laboratory"))
        refused(other, 403, "forbidden", "Observation")

    async def test_nothing_moves_into_or_out_of_the_category(self, app: httpx.AsyncClient) -> None:
        out = self.observation("laboratory", id="social-history")
        refused(
            await app.put("/Observation/social-history", json=out), 403, "forbidden", "Observation"
        )
        into = self.observation("social-history", id="laboratory")
        refused(
            await app.put("/Observation/laboratory", json=into), 405, "not-supported", "Observation"
        )

    async def test_several_categories_add_up(self, service: Service, app) -> None:
        scope = " ".join(
            f"system/Observation.rs?category={self.CATEGORY}|{code}"
            for code in ("laboratory", "social-history")
        )
        client = await county(service, scope)
        assert len(found(await client.get("/Observation"))) == 2

    @pytest.mark.parametrize(
        "query", ["category:not=x", "unknown=1", "subject.name=ada", "category="]
    )
    async def test_a_condition_that_cannot_be_enforced_opens_nothing(
        self, service: Service, app, query: str
    ) -> None:
        client = await county(service, f"system/Observation.rs?{query}")
        refused(await client.get("/Observation"), 403, "forbidden")


@pytest.mark.parametrize("letter", "cruds")
async def test_a_reference_needs_some_scope_for_its_target(
    service: Service, ada: str, letter: str
) -> None:
    """Or a write would tell which ids there are of what the token has nothing to do with."""
    plan = care_plan("Goal/ada-goal-1")
    blind = await county(service, "system/CarePlan.c")
    refused(await blind.post("/CarePlan", json=plan), 422, "not-found", "CarePlan.goal[0]")
    client = await county(service, f"system/CarePlan.c system/Goal.{letter}")
    made = await client.post("/CarePlan", json=plan)
    assert made.status_code == 201, made.text


async def test_whom_a_record_is_about_needs_no_scope(service: Service, ada: str) -> None:
    client = await county(service, "system/Goal.c")
    made = await client.post("/Goal", json=goal())
    assert made.status_code == 201, made.text


async def test_an_operator_is_held_to_scopes_too(service: Service, ada: str) -> None:
    client = await service.as_("operator", None, "system/Goal.rs")
    assert (await client.get(READ)).status_code == 200
    refused(await client.get("/Patient/ada"), 403, "forbidden")
    refused(await client.put(READ, json=goal()), 403, "forbidden")


async def test_who_acts_for_nobody_is_told_so(service: Service, ada: str) -> None:
    nobody = await service.as_("partner-system", None, "system/*.cruds")
    for method, url in (("GET", READ), ("GET", "/Goal"), ("DELETE", READ)):
        said = refused(await nobody.request(method, url), 403, "forbidden")
        assert said.startswith("The token names no organization and no person it acts for")
