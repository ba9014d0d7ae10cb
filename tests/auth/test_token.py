"""The token endpoint over HTTP, on a real database."""

import base64
from dataclasses import replace
from urllib.parse import quote_plus

import httpx
import pytest
from fastapi import FastAPI

from app.auth import jose
from app.auth.access_token import authenticate
from app.auth.authority import Authority, Event
from app.auth.clients import Client, Registration, create_client
from app.auth.passwords import hash_password
from app.routers.oauth import oauth_router
from app.storage.database import Database
from tests.auth.assertions import SCOPE, assertion, form, post, refused


async def test_a_backend_service_gets_a_token_that_works(
    http: httpx.AsyncClient, authority: Authority, backend: Client, key: jose.Claims
) -> None:
    response = await post(http, form(assertion(backend.id, key), "system/Goal.rs system/Goal.u"))
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    body = response.json()
    assert body.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["scope"]) == ("Bearer", "system/Goal.rs system/Goal.u")
    assert 0 < body["expires_in"] <= 300
    caller = await authenticate(authority, f"Bearer {body['access_token']}")
    assert (caller.client_id, caller.role) == (backend.id, "ehr-system")
    assert (caller.organization, caller.user, caller.patient) == ("Organization/clinic", None, None)
    assert [scope.text for scope in caller.scopes] == ["system/Goal.rs", "system/Goal.u"]


async def test_a_partner_gets_a_token_with_its_secret(
    http: httpx.AsyncClient, partner: tuple[Client, str]
) -> None:
    client, secret = partner
    data = {"grant_type": "client_credentials", "scope": "system/Goal.read"}
    for _ in range(2):
        response = await post(http, data, auth=(client.id, secret))
        assert response.status_code == 200
        assert response.json()["scope"] == "system/Goal.read"


async def test_id_and_secret_are_form_encoded_within_basic(
    http: httpx.AsyncClient, database: Database
) -> None:
    asked = Registration("Odd", SCOPE, "partner-system", "client_secret_basic", client_id="a+b/c%")
    client, secret = await create_client(database, asked)
    assert secret is not None
    text = f"{quote_plus(client.id)}:{quote_plus(secret)}"
    authorization = f"Basic {base64.b64encode(text.encode()).decode()}"
    data = {"grant_type": "client_credentials", "scope": "system/Goal.rs"}
    response = await post(http, data, headers={"Authorization": authorization})
    assert response.status_code == 200


async def test_a_rotated_secret_ends_the_old_one_at_once(
    http: httpx.AsyncClient, database: Database, partner: tuple[Client, str]
) -> None:
    client, secret = partner
    data = {"grant_type": "client_credentials", "scope": "system/Goal.rs"}
    assert (await post(http, data, auth=(client.id, secret))).status_code == 200
    sql = "UPDATE client SET secret_hash = $2 WHERE id = $1"
    await database.execute(sql, client.id, await hash_password("another secret"))
    assert refused(await post(http, data, auth=(client.id, secret)), "invalid_client", 401)
    assert (await post(http, data, auth=(client.id, "another secret"))).status_code == 200


async def test_a_removed_client_gets_nothing(
    http: httpx.AsyncClient, database: Database, partner: tuple[Client, str]
) -> None:
    client, secret = partner
    data = {"grant_type": "client_credentials", "scope": "system/Goal.rs"}
    assert (await post(http, data, auth=(client.id, secret))).status_code == 200
    await database.execute("DELETE FROM client WHERE id = $1", client.id)
    assert refused(await post(http, data, auth=(client.id, secret)), "invalid_client", 401)


@pytest.mark.parametrize("secret", ["wrong", "", "\0", "x" * 5_000])
async def test_a_wrong_secret_is_challenged(
    http: httpx.AsyncClient, partner: tuple[Client, str], secret: str
) -> None:
    data = {"grant_type": "client_credentials", "scope": "system/Goal.rs"}
    for client_id in (partner[0].id, "nobody", ""):
        response = await post(http, data, auth=(client_id, secret))
        assert refused(response, "invalid_client", 401)
        assert response.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    "authorization", ["Basic", "Basic !!!", "Basic YWJj", "Basic /w==", "Bearer abc", "é"]
)
async def test_an_authorization_header_that_is_not_basic_is_refused(
    http: httpx.AsyncClient, authorization: str
) -> None:
    data = {"grant_type": "client_credentials", "scope": "system/Goal.rs"}
    headers = {"Authorization": authorization.encode()}
    assert refused(await post(http, data, headers=headers), "invalid_client", 401)


async def test_a_client_uses_only_the_way_it_is_registered_for(
    http: httpx.AsyncClient, backend: Client, partner: tuple[Client, str], key: jose.Claims
) -> None:
    client, secret = partner
    data = {"grant_type": "client_credentials", "scope": "system/Goal.rs"}
    posted = data | {"client_id": client.id, "client_secret": secret}
    assert refused(await post(http, posted), "invalid_client", 401)
    assert refused(await post(http, data, auth=(backend.id, "any")), "invalid_client", 401)
    assert refused(await post(http, form(assertion(client.id, key))), "invalid_client", 401)
    for client_id in (backend.id, client.id, "nobody", "\0"):
        response = await post(http, data | {"client_id": client_id})
        assert refused(response, "invalid_client", 401)
    assert refused(await post(http, data), "invalid_client", 401)


async def test_a_secret_in_the_body_is_taken_from_who_registered_that(
    http: httpx.AsyncClient, database: Database
) -> None:
    asked = Registration("Post", SCOPE, "partner-system", "client_secret_post")
    client, secret = await create_client(database, asked)
    data = {"grant_type": "client_credentials", "scope": "system/Goal.rs", "client_id": client.id}
    assert (await post(http, data | {"client_secret": secret})).status_code == 200
    assert refused(await post(http, data, auth=(client.id, secret or "")), "invalid_client", 401)


async def test_two_ways_at_once_are_refused(
    http: httpx.AsyncClient, backend: Client, partner: tuple[Client, str], key: jose.Claims
) -> None:
    signed = form(assertion(backend.id, key))
    client, secret = partner
    for response in (
        await post(http, signed, auth=(client.id, secret)),
        await post(http, signed | {"client_secret": "x"}),
    ):
        assert refused(response, "invalid_request", 400)


@pytest.mark.parametrize(
    "scope",
    [
        "system/Goal.rs system/CarePlan.u",
        "system/*.cruds",
        "system/Patient.write",
        "patient/Goal.rs",
        "user/Goal.rs",
        "openid",
        "system/Goal.sr",
        "__introspection",
        " ",
    ],
)
async def test_a_scope_beyond_the_registration_is_refused(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims, scope: str
) -> None:
    response = await post(http, form(assertion(backend.id, key), scope))
    assert refused(response, "invalid_scope", 400)


async def test_an_unknown_scope_is_passed_over(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims
) -> None:
    response = await post(http, form(assertion(backend.id, key), "openid system/Goal.rs"))
    assert response.json()["scope"] == "system/Goal.rs"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"scope": ""}, "invalid_request"),
    ],
)
async def test_a_request_must_be_complete(
    http: httpx.AsyncClient,
    backend: Client,
    key: jose.Claims,
    changed: dict[str, str],
    error: str,
) -> None:
    assert refused(await post(http, form(assertion(backend.id, key), **changed)), error, 400)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"grant_type=client_credentials&grant_type=client_credentials", None),
        (b"grant_type=client_credentials&scope=a&scope=b", None),
        (b"a=%ff", None),
        (b"\xff=1", None),
        (b"&".join(b"a%d=1" % i for i in range(60)), None),
        (b"a=" + b"x" * 70_000, None),
        (b'{"grant_type": "client_credentials"}', "application/json"),
        (b"grant_type=client_credentials", ""),
        (b"grant_type=client_credentials", "multipart/form-data"),
    ],
)
async def test_a_form_that_is_not_one_is_refused(
    http: httpx.AsyncClient, content: bytes, media_type: str | None
) -> None:
    kind = "application/x-www-form-urlencoded" if media_type is None else media_type
    response = await http.post("/auth/token", content=content, headers={"Content-Type": kind})
    assert refused(response, "invalid_request", 400)


async def test_credentials_in_the_url_count_for_nothing(
    http: httpx.AsyncClient, partner: tuple[Client, str]
) -> None:
    client, secret = partner
    query = {"client_id": client.id, "client_secret": secret, "scope": "system/Goal.rs"}
    response = await post(http, {"grant_type": "client_credentials"}, params=query)
    assert refused(response, "invalid_client", 401)


async def test_only_post_is_answered(http: httpx.AsyncClient) -> None:
    for path in ("token", "revoke", "introspect"):
        assert (await http.get(f"/auth/{path}")).status_code == 405


async def test_a_public_client_cannot_act_for_itself(
    http: httpx.AsyncClient, database: Database
) -> None:
    client, secret = await create_client(database, Registration("App", SCOPE, "family", "none"))
    assert secret is None
    data = {"grant_type": "client_credentials", "scope": "system/Goal.rs", "client_id": client.id}
    assert refused(await post(http, data), "unauthorized_client", 400)


async def test_every_grant_and_refusal_is_audited(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims, events: list[Event]
) -> None:
    signed = assertion(backend.id, key)
    await post(http, form(signed))
    await post(http, form(signed))
    await post(http, form(assertion(backend.id, key), "system/*.cruds"))
    await post(http, {"grant_type": "client_credentials"}, auth=("nobody", "x"))
    await http.post("/auth/token", content=b"", headers={"Content-Type": "text/plain"})
    errors = [None, "invalid_client", "invalid_scope", "invalid_client", "invalid_request"]
    clients = [backend.id, backend.id, backend.id, "nobody", None]
    assert [(event.error, event.client_id) for event in events] == list(
        zip(errors, clients, strict=True)
    )
    assert events[0].scope == "system/Goal.rs"
    assert events[0].token_id
    assert signed not in repr(events)


async def test_no_token_leaves_when_the_grant_cannot_be_audited(
    authority: Authority, backend: Client, key: jose.Claims
) -> None:
    async def audit(event: Event) -> None:
        raise RuntimeError("the audit trail is away")

    app = FastAPI()
    app.include_router(oauth_router(replace(authority, audit=audit)))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=authority.issuer) as http:
        response = await post(http, form(assertion(backend.id, key)))
    assert response.status_code == 500
    assert b"access_token" not in response.content
