"""Access tokens: what is believed, for how long, and what ends it."""

import asyncio
import time
from typing import Any

import pytest

from app.auth import jose, keys
from app.auth.access_token import Grant, authenticate, issue, to_caller
from app.auth.authority import Authority
from app.auth.caller import Callers
from app.fhir.errors import Unauthorized
from app.storage.database import Database

GRANT = Grant("client", "system/Goal.rs", "ehr-system")
ADA = Grant("app", "patient/*.rs user/Goal.r", "individual", user="ada", fhir_user="Patient/ada")


async def forged(authority: Authority, typ: str = "at+jwt", **changed: Any) -> str:
    """A properly signed token whose claims are not what this server would write."""
    now = int(time.time())
    claims = {
        "iss": authority.issuer,
        "sub": "client",
        "aud": authority.audience,
        "exp": now + 60,
        "iat": now,
        "jti": "j",
        "client_id": "client",
        "scope": "system/*.cruds",
        "role": "ehr-system",
    } | changed
    kept = {name: value for name, value in claims.items() if value is not None}
    return jose.sign(kept, await authority.keys.signing(), typ)


async def refusal(authority: Authority, authorization: str | None) -> Unauthorized:
    with pytest.raises(Unauthorized) as caught:
        await authenticate(authority, authorization)
    return caught.value


async def test_a_token_says_who_calls(authority: Authority) -> None:
    grant = Grant(
        "app",
        "patient/*.rs user/Goal.r openid",
        "individual",
        organization="Organization/clinic",
        purpose="TREAT",
        user="ada",
        fhir_user="Patient/ada",
        patient="ada",
    )
    issued = await issue(authority, grant)
    caller = await authenticate(authority, f"Bearer {issued.token}")
    assert (caller.user, caller.fhir_user, caller.patient) == ("ada", "Patient/ada", "ada")
    assert (caller.organization, caller.purpose) == ("Organization/clinic", "TREAT")
    assert [scope.text for scope in caller.scopes] == ["patient/*.rs", "user/Goal.r"]
    assert caller.token_id == issued.id
    claims = jose.read_unverified(issued.token)
    assert claims["exp"] - claims["iat"] == issued.lifetime == 300
    assert claims["aud"] == "http://127.0.0.1:8000/fhir"
    assert jose.read_header(issued.token)["typ"] == "at+jwt"


async def test_the_scheme_is_read_in_any_case(authority: Authority) -> None:
    issued = await issue(authority, GRANT)
    assert (await authenticate(authority, f"bearer  {issued.token}")).client_id == "client"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer\tx"])
async def test_without_a_token_no_error_code_is_told(
    authority: Authority, header: str | None
) -> None:
    error = await refusal(authority, header)
    assert error.headers["WWW-Authenticate"].startswith('Bearer realm="fhir", DPoP ')


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", "a.b.c.d.e", "e30.e30.e30", "a b"])
async def test_what_is_no_token_is_invalid(authority: Authority, token: str) -> None:
    error = await refusal(authority, f"Bearer {token}")
    assert 'error="invalid_token"' in error.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "https://elsewhere.example/fhir"},
        {"aud": ["http://127.0.0.1:8000/fhir"]},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"exp": True},
        {"exp": "4000000000"},
        {"exp": 4e9},
        {"sub": None},
        {"jti": None},
        {"jti": 1},
        {"client_id": None},
        {"scope": None},
        {"scope": ["system/*.cruds"]},
        {"role": None},
        {"role": "emperor"},
        {"typ": "JWT"},
    ],
)
async def test_a_claim_missing_or_wrong_makes_a_token_invalid(
    authority: Authority, changed: dict[str, Any]
) -> None:
    token = await forged(authority, **changed)
    assert (
        'error="invalid_token"'
        in (await refusal(authority, f"Bearer {token}")).headers["WWW-Authenticate"]
    )


async def test_the_forged_tokens_above_differ_in_one_claim_only(authority: Authority) -> None:
    assert (
        await authenticate(authority, f"Bearer {await forged(authority)}")
    ).client_id == "client"


async def test_a_token_of_a_strange_key_is_refused(authority: Authority) -> None:
    kid = (await authority.keys.signing())["kid"]
    claims = jose.read_unverified(await forged(authority))
    for key in (jose.generate(), jose.generate() | {"kid": kid}):
        await refusal(authority, f"Bearer {jose.sign(claims, key, 'at+jwt')}")


async def test_a_token_ends_when_it_expires_though_it_was_verified(authority: Authority) -> None:
    issued = await issue(authority, GRANT, lifetime=1)
    await authenticate(authority, f"Bearer {issued.token}")
    while time.time() < jose.read_unverified(issued.token)["exp"]:
        await asyncio.sleep(0.05)
    error = await refusal(authority, f"Bearer {issued.token}")
    assert error.issues[0].code == "expired"


def test_without_a_patient_the_patient_scopes_fall_away() -> None:
    claims = {"client_id": "app", "sub": "ada", "role": "individual", "jti": "j", "exp": 1}
    asked = "patient/*.rs user/Goal.r system/CarePlan.r __introspection"
    scopes = [s.text for s in to_caller(claims | {"scope": asked}).scopes]
    assert scopes == ["system/CarePlan.r"]
    caller = to_caller(claims | {"scope": asked, "patient": "ada", "fhirUser": "Patient/ada"})
    assert [s.text for s in caller.scopes] == ["patient/*.rs", "user/Goal.r", "system/CarePlan.r"]
    assert caller.extra_scopes == {"__introspection"}


async def test_the_oldest_verified_caller_is_forgotten_first(authority: Authority) -> None:
    caller = await authenticate(authority, f"Bearer {(await issue(authority, GRANT)).token}")
    callers = Callers(size=2)
    for token in ("one", "two"):
        callers.put(token, caller)
    callers.get("one")
    callers.put("three", caller)
    assert [callers.get(t) is caller for t in ("one", "two", "three")] == [True, False, True]


async def test_a_verified_caller_is_believed_for_a_while(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = await authenticate(authority, f"Bearer {(await issue(authority, GRANT)).token}")
    monkeypatch.setattr("app.auth.caller.BELIEVED", 0)
    callers = Callers()
    callers.put("one", caller)
    assert callers.get("one") is None


async def test_workers_starting_together_make_one_key(database: Database) -> None:
    await database.execute("DELETE FROM signing_key")
    workers = [keys.Keys(database) for _ in range(8)]
    made = await asyncio.gather(*(worker.signing() for worker in workers))
    assert len({key["kid"] for key in made}) == 1


async def test_a_rotated_key_still_verifies_and_the_new_one_signs(
    authority: Authority, database: Database
) -> None:
    before = await issue(authority, GRANT)
    kid = await keys.rotate(database)
    other = keys.Keys(database)
    assert (await other.signing())["kid"] == kid
    authority.forget()
    assert (await authenticate(authority, f"Bearer {before.token}")).client_id == "client"
    published = [key["kid"] for key in (await authority.keys.public())["keys"]]
    assert published[0] == kid
    assert jose.read_header(before.token)["kid"] in published


async def test_a_worker_that_does_not_know_a_new_key_looks_it_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "RELOAD_INTERVAL", 0.0)
    worker = keys.Keys(database)
    await worker.signing()
    kid = await keys.rotate(database)
    assert kid in {key["kid"] for key in await worker.verification(kid)}


async def test_unknown_kids_do_not_become_many_lookups(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "RELOAD_INTERVAL", 60.0)
    worker = keys.Keys(database)
    known = await worker.signing()
    await keys.rotate(database)
    assert {key["kid"] for key in await worker.verification("nonsense")} >= {known["kid"]}
    assert (await worker.signing())["kid"] == known["kid"]


async def test_long_replaced_keys_are_removed(database: Database) -> None:
    old, replacing = await keys.rotate(database), await keys.rotate(database)
    ago = "UPDATE signing_key SET created = now() - $2::int * interval '1 hour' WHERE kid = $1"
    await database.execute(ago, old, 9)
    await database.execute(ago, replacing, 5)
    newest = await keys.rotate(database)
    kids = {row["kid"] for row in await database.fetch("SELECT kid FROM signing_key")}
    assert old not in kids
    assert {replacing, newest} <= kids


async def test_a_compromised_key_ends_its_tokens(authority: Authority, database: Database) -> None:
    issued = await issue(authority, GRANT)
    await authenticate(authority, f"Bearer {issued.token}")
    await keys.rotate(database, compromised=True)
    async with asyncio.timeout(5):
        while True:
            try:
                await authenticate(authority, f"Bearer {issued.token}")
            except Unauthorized:
                break
            await asyncio.sleep(0.01)
