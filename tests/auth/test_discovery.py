from dataclasses import replace

import httpx
from fastapi import FastAPI

from app.auth import jose
from app.auth.authority import Authority
from app.auth.clients import Client
from app.auth.scopes import unknown
from app.routers.discovery import discovery_router
from app.routers.oauth import oauth_router
from app.settings import Settings
from tests.auth.assertions import assertion, form

CONFIGURATION = "/fhir/.well-known/smart-configuration"
METADATA = "/.well-known/oauth-authorization-server"


async def test_the_configuration_is_json_for_anybody_from_anywhere(http: httpx.AsyncClient) -> None:
    for accept in ("text/html", "application/fhir+xml", "*/*"):
        response = await http.get(CONFIGURATION, headers={"Accept": accept, "Origin": "https://a"})
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        assert response.headers["access-control-allow-origin"] == "*"
    preflight = await http.options(CONFIGURATION, headers={"Origin": "https://a"})
    assert preflight.headers["access-control-allow-origin"] == "*"


async def test_the_configuration_has_what_smart_requires(http: httpx.AsyncClient) -> None:
    body = (await http.get(CONFIGURATION)).json()
    assert body["token_endpoint"] == "http://127.0.0.1:8000/auth/token"
    grants = {"authorization_code", "refresh_token", "client_credentials"}
    assert set(body["grant_types_supported"]) == grants
    assert body["code_challenge_methods_supported"] == ["S256"]
    assert "private_key_jwt" in body["token_endpoint_auth_methods_supported"]
    algorithms = body["token_endpoint_auth_signing_alg_values_supported"]
    assert sorted(algorithms) == ["ES384", "RS384"]
    assert body["scopes_supported"]
    assert body["issuer"] == "http://127.0.0.1:8000"
    assert body["jwks_uri"] == "http://127.0.0.1:8000/auth/jwks"
    assert body["authorization_endpoint"] == "http://127.0.0.1:8000/auth/authorize"
    assert body["management_endpoint"] == "http://127.0.0.1:8000/auth/apps"
    sets = {
        "launch-standalone launch-ehr client-public client-confidential-symmetric"
        " client-confidential-asymmetric sso-openid-connect context-standalone-patient"
        " permission-offline permission-patient permission-user authorize-post"
        " permission-v1 permission-v2"
    }
    assert set(" ".join(sets).split()) <= set(body["capabilities"])


async def test_every_endpoint_listed_is_absolute_and_answers(http: httpx.AsyncClient) -> None:
    body = (await http.get(METADATA)).json()
    assert body["issuer"] == "http://127.0.0.1:8000"
    for name in ("token", "revocation", "introspection"):
        url = body[f"{name}_endpoint"]
        assert url.startswith(body["issuer"])
        assert (await http.post(url)).status_code == 400
    assert (await http.get(body["jwks_uri"])).status_code == 200


async def test_openid_providers_and_resources_are_described_where_they_are_looked_for(
    http: httpx.AsyncClient,
) -> None:
    openid = (await http.get("/.well-known/openid-configuration")).json()
    assert openid["issuer"] == "http://127.0.0.1:8000"
    assert openid["id_token_signing_alg_values_supported"] == ["RS256"]
    assert openid["subject_types_supported"] == ["public"]
    assert openid["response_types_supported"] == ["code"]
    resource = (await http.get("/.well-known/oauth-protected-resource/fhir")).json()
    assert resource["resource"] == "http://127.0.0.1:8000/fhir"
    assert resource["authorization_servers"] == [openid["issuer"]]


async def test_every_scope_listed_is_one(http: httpx.AsyncClient) -> None:
    body = (await http.get(CONFIGURATION)).json()
    assert unknown(" ".join(body["scopes_supported"])) == ()


async def test_anybody_can_verify_a_token_with_the_published_keys(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims
) -> None:
    body = (await http.post("/auth/token", data=form(assertion(backend.id, key)))).json()
    keys = (await http.get("/auth/jwks")).json()["keys"]
    assert not [member for each in keys for member in each if member in ("d", "p", "q", "k")]
    claims = jose.verify(body["access_token"], keys, ("ES256",), "at+jwt")
    assert claims["sub"] == claims["client_id"] == backend.id


async def test_behind_a_path_everything_lies_below_it(authority: Authority) -> None:
    settings = Settings(base_url="https://plans.example.org/isp/fhir")
    app = FastAPI()
    below = replace(authority, settings=settings)
    app.include_router(oauth_router(below))
    app.include_router(discovery_router(below))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://plans.example.org") as http:
        body = (await http.get("/isp/fhir/.well-known/smart-configuration")).json()
        assert body["token_endpoint"] == "https://plans.example.org/isp/auth/token"
        assert (await http.post(body["token_endpoint"])).status_code == 400
        metadata = (await http.get("/.well-known/oauth-authorization-server/isp")).json()
        assert metadata["issuer"] == "https://plans.example.org/isp"
        assert (await http.get(metadata["jwks_uri"])).status_code == 200
