"""Registering clients, making accounts, and tokens for operators."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.auth import jose
from app.auth.access_token import authenticate
from app.auth.accounts import InvalidAccount, create_account, find_account
from app.auth.authority import Authority, Event
from app.auth.clients import Client, InvalidRegistration, Registration, create_client, find_client
from app.auth.errors import InvalidScope
from app.auth.operator_tokens import issue_for
from app.auth.passwords import is_password
from app.auth.roles import ROLES
from app.storage.database import Database

SECRET = Registration("Partner", "system/*.rs", "partner-system", "client_secret_basic")
KEYS = {"keys": [jose.public(jose.generate("ES384"))]}


async def test_a_client_is_found_as_it_was_registered(database: Database) -> None:
    asked = Registration(
        "EHR",
        " system/*.rs  system/Goal.u ",
        "ehr-system",
        organization="Organization/clinic",
        purpose="TREAT",
        jwks=KEYS,
        redirect_uris=("https://app.example/callback",),
    )
    client, secret = await create_client(database, asked)
    assert secret is None
    assert client.scope == "system/*.rs system/Goal.u"
    assert await find_client(database, client.id) == client


async def test_only_the_hash_of_a_secret_is_kept(database: Database) -> None:
    client, secret = await create_client(database, SECRET)
    assert secret
    assert len(secret) >= 40
    row = await database.fetchrow("SELECT * FROM client WHERE id = $1", client.id)
    assert secret not in str(row)
    assert row is not None
    assert row["secret_hash"].startswith("$argon2id$")
    assert await is_password(secret, row["secret_hash"])
    assert not await is_password(secret + "x", row["secret_hash"])


async def test_an_id_can_be_chosen_but_not_twice(database: Database) -> None:
    client, _ = await create_client(database, replace(SECRET, client_id="chosen"))
    assert client.id == "chosen"
    with pytest.raises(InvalidRegistration, match="exists"):
        await create_client(database, replace(SECRET, client_id="chosen"))


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"role": "emperor"}, "key-worker"),
        ({"scope": "system/*.sr openid x"}, "system/\\*.sr x"),
        ({"scope": "system/Unicorn.rs"}, "Unicorn"),
        ({"name": " "}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"client_id": "with:colon"}, "client id"),
        ({"client_id": "with blank"}, "client id"),
        ({"organization": "clinic"}, "Organization/"),
        ({"organization": "Organization/"}, "Organization/"),
        ({"auth_method": "tls_client_auth"}, "one of"),
        ({"auth_method": "private_key_jwt"}, "key set"),
        ({"jwks": KEYS}, "key set"),
        ({"auth_method": "private_key_jwt", "jwks": KEYS, "jwks_url": "https://a/b"}, "key set"),
        ({"auth_method": "private_key_jwt", "jwks": {"keys": []}}, "no key"),
        ({"auth_method": "private_key_jwt", "jwks_url": "ftp://a/b"}, "https"),
        ({"auth_method": "private_key_jwt", "jwks_url": "/jwks"}, "https"),
        ({"redirect_uris": ("/callback",)}, "redirect"),
        ({"redirect_uris": ("https://app.example/#x",)}, "redirect"),
        ({"redirect_uris": ("javascript:alert(1)",)}, "redirect"),
    ],
)
async def test_a_registration_that_could_not_work_is_refused(
    database: Database, changed: dict[str, Any], match: str
) -> None:
    with pytest.raises(InvalidRegistration, match=match):
        await create_client(database, replace(SECRET, **changed))


async def test_nobody_is_found_under_an_unknown_id(database: Database) -> None:
    for client_id in ("nobody", "", "\0", "'"):
        assert await find_client(database, client_id) is None


async def test_an_account_is_made_once(database: Database) -> None:
    made = await create_account(database, "grace", "correct horse", "Practitioner/1", "key-worker")
    assert await find_account(database, "grace") == made
    hash_ = await database.fetchval("SELECT password_hash FROM account WHERE username = 'grace'")
    assert hash_.startswith("$argon2id$")
    assert await is_password("correct horse", hash_)
    with pytest.raises(InvalidAccount, match="exists"):
        await create_account(database, "grace", "correct horse", "Practitioner/1", "key-worker")


@pytest.mark.parametrize(
    ("username", "password", "fhir_user", "role"),
    [
        ("a b", "correct horse", "Practitioner/1", "key-worker"),
        ("", "correct horse", "Practitioner/1", "key-worker"),
        ("a", "short", "Practitioner/1", "key-worker"),
        ("a", "x" * 1_025, "Practitioner/1", "key-worker"),
        ("a", "iloveyou", "Practitioner/1", "key-worker"),
        ("a", "P@ssw0rd", "Practitioner/1", "key-worker"),
        ("a", "z" * 1_024, "Practitioner/1", "key-worker"),
        ("grace.hopper-7", "Grace.Hopper-7", "Practitioner/1", "key-worker"),
        ("a", "correct horse", "Goal/1", "key-worker"),
        ("a", "correct horse", "Practitioner", "key-worker"),
        ("a", "correct horse", "Practitioner/1", "emperor"),
    ],
)
async def test_an_account_that_could_not_work_is_refused(
    database: Database, username: str, password: str, fhir_user: str, role: str
) -> None:
    with pytest.raises(InvalidAccount):
        await create_account(database, username, password, fhir_user, role)


async def test_an_operator_gets_a_token_for_a_client(
    authority: Authority, backend: Client, events: list[Event]
) -> None:
    issued = await issue_for(authority, backend.id)
    caller = await authenticate(authority, f"Bearer {issued.token}")
    assert (caller.role, caller.organization) == ("ehr-system", "Organization/clinic")
    assert issued.scope == backend.scope
    assert [(e.action, e.client_id, e.token_id) for e in events] == [
        ("token", backend.id, issued.id)
    ]


async def test_an_operator_gets_a_token_for_a_user_in_the_users_role(
    authority: Authority, database: Database
) -> None:
    scope = "patient/*.rs user/*.rs"
    client, _ = await create_client(database, Registration("App", scope, "ehr-system", "none"))
    ada = await create_account(database, "ada", "correct horse", "Patient/ada", "individual")
    issued = await issue_for(
        authority, client.id, scope="patient/Goal.rs", user="ada", patient="Patient/ada"
    )
    caller = await authenticate(authority, f"Bearer {issued.token}")
    assert (caller.role, caller.fhir_user) == ("individual", "Patient/ada")
    assert caller.user == ada.subject != "ada"
    assert (caller.patient, caller.organization) == ("ada", None)
    assert [scope.text for scope in caller.scopes] == ["patient/Goal.rs"]


async def test_an_operator_gets_no_token_beyond_the_registration(
    authority: Authority, backend: Client
) -> None:
    with pytest.raises(InvalidScope):
        await issue_for(authority, backend.id, scope="system/*.cruds")
    with pytest.raises(LookupError):
        await issue_for(authority, "nobody")
    with pytest.raises(LookupError):
        await issue_for(authority, backend.id, user="nobody")
    with pytest.raises(ValueError, match="logical id"):
        await issue_for(authority, backend.id, patient="../x")


def test_every_role_is_told_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "roles.md").read_text()
    rows = [
        f"| `{r.code}` | {r.display} | {r.definition} | {' '.join(f'`{p}`' for p in r.purposes)} |"
        for r in ROLES.values()
    ]
    assert [line for line in text.splitlines() if line.startswith("| `")] == rows
