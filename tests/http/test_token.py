"""An EHR's backend service and a partner, from the token endpoint to the first resource."""

import httpx
import pytest

from app.auth import jose
from app.auth.clients import Client, Registration, create_client
from app.storage.database import Database
from tests.auth.assertions import assertion, form
from tests.http.conftest import COUNTY, Service, found, links

KEY = jose.generate("ES384")
FORM = "application/x-www-form-urlencoded"
SECRET = {"grant_type": "client_credentials", "scope": "system/Goal.rs"}


@pytest.fixture
async def ehr(database: Database) -> Client:
    """A backend service of the county that may read and search, registered with KEY."""
    jwks = {"keys": [jose.public(KEY)]}
    asked = Registration("EHR", "system/*.rs", "ehr-system", organization=COUNTY, jwks=jwks)
    client, _ = await create_client(database, asked)
    return client


async def token(service: Service, client: Client, scope: str) -> httpx.Response:
    """What the token endpoint that discovery names answers to an assertion of this client."""
    async with service.client() as http:
        discovery = await http.get("/.well-known/smart-configuration")
        url = discovery.json()["token_endpoint"]
        data = form(assertion(client.id, KEY, aud=url), scope)
        return await http.post(url, data=data, headers={"Content-Type": FORM})


async def bearer(service: Service, client: Client, scope: str) -> httpx.AsyncClient:
    response = await token(service, client, scope)
    assert response.status_code == 200, response.text
    return service.client({"Authorization": f"Bearer {response.json()['access_token']}"})


async def test_a_backend_service_reads_with_the_token_it_got(
    service: Service, ada: str, ehr: Client
) -> None:
    http = await bearer(service, ehr, "system/*.rs")
    response = await http.get("/CarePlan", params={"patient": ada})
    assert found(response) == ["CarePlan/ada-plan"]
    assert links(response)["self"].startswith(service.settings.base_url)


async def test_a_token_opens_only_the_letters_and_types_it_was_granted(
    service: Service, ada: str, ehr: Client
) -> None:
    http = await bearer(service, ehr, "system/Goal.r")
    goal = await http.get("/Goal/ada-goal-1")
    assert goal.status_code == 200
    assert (await http.get("/CarePlan/ada-plan")).status_code == 403
    assert (await http.get("/Goal", params={"patient": ada})).status_code == 403
    headers = {"If-Match": goal.headers["etag"]}
    written = await http.put("/Goal/ada-goal-1", json=goal.json(), headers=headers)
    assert written.status_code == 403


async def test_a_partner_reads_with_the_token_its_secret_got(
    service: Service, ada: str, database: Database
) -> None:
    asked = Registration(
        "Partner", "system/Goal.rs", "partner-system", "client_secret_basic", organization=COUNTY
    )
    client, secret = await create_client(database, asked)
    async with service.client({"Content-Type": FORM}) as http:
        url = f"{service.settings.issuer}/auth/token"
        response = await http.post(url, data=SECRET, auth=(client.id, secret or ""))
    http = service.client({"Authorization": f"Bearer {response.json()['access_token']}"})
    assert (await http.get(f"/Goal/{ada}-goal-1")).status_code == 200


async def test_a_revoked_token_opens_nothing(service: Service, ada: str, ehr: Client) -> None:
    issued = (await token(service, ehr, "system/Goal.rs")).json()["access_token"]
    http = service.client({"Authorization": f"Bearer {issued}"})
    assert (await http.get(f"/Goal/{ada}-goal-1")).status_code == 200
    url = f"{service.settings.issuer}/auth"
    proof = form(assertion(ehr.id, KEY, aud=f"{url}/token")) | {"token": issued}
    async with service.client({"Content-Type": FORM}) as oauth:
        assert (await oauth.post(f"{url}/revoke", data=proof)).status_code == 200
    refusal = await http.get(f"/Goal/{ada}-goal-1")
    assert refusal.status_code == 401
    assert 'error="invalid_token"' in refusal.headers["www-authenticate"]


@pytest.mark.parametrize("authorization", [None, "Bearer nonsense", "Basic YTpi"])
async def test_without_a_good_token_nothing_opens(
    service: Service, ada: str, authorization: str | None
) -> None:
    http = service.client({"Authorization": authorization} if authorization else None)
    for path in (f"/Goal/{ada}-goal-1", "/Goal/nobodys", f"/Goal?patient={ada}"):
        response = await http.get(path)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer ")


async def test_grants_and_refusals_are_in_the_audit_trail(
    service: Service, operator: httpx.AsyncClient, ehr: Client
) -> None:
    assert (await token(service, ehr, "system/Goal.rs")).status_code == 200
    assert (await token(service, ehr, "system/*.cruds")).status_code == 400
    bundle = (await operator.get("/AuditEvent")).json()
    events = [entry["resource"] for entry in bundle["entry"]]
    outcomes = [event["outcome"] for event in events if ehr.id in str(event)]
    assert sorted(outcomes) == ["0", "4"]
