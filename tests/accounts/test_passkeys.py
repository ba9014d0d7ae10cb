"""Passkeys: what is taken from a device, and what is not."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import cbor2
import pytest

from app.auth.accounts import Account, create_account
from app.auth.audit import recorder
from app.auth.authority import Authority
from app.auth.ceremonies import (
    MOST,
    account_of_passkey,
    register_passkey,
    registration_options,
    sign_in_options,
)
from app.auth.passkeys import InvalidPasskey, is_possible, passkeys_of, remove_passkey
from app.fhir.audit import AuditLog
from app.settings import Settings
from app.storage.database import Database
from tests.accounts.authenticator import PRESENT, Device, text

BROWSER, OTHER = "one browser", "another browser"


@pytest.fixture
async def authority(database: Database) -> AsyncIterator[Authority]:
    chosen = Settings(base_url="http://localhost:8000/fhir")
    log = AuditLog(database, is_asynchronous=False)
    opened = await Authority.open(chosen, database, recorder(log, chosen.base_url))
    yield opened
    await opened.close()
    await log.close()


@pytest.fixture
async def ada(database: Database) -> Account:
    return await create_account(database, "ada", "correct horse", "Patient/ada", "individual")


async def register(authority: Authority, account: Account, device: Device) -> None:
    options = await registration_options(authority, account, BROWSER)
    await register_passkey(authority, account, BROWSER, json.dumps(device.made(options)), "Phone")


async def sign_in(authority: Authority, device: Device, browser: str = BROWSER) -> Account:
    options = await sign_in_options(authority, browser)
    return await account_of_passkey(authority, browser, json.dumps(device.signed(options)))


async def test_a_device_signs_in_whose_it_is(authority: Authority, ada: Account) -> None:
    device = Device()
    await register(authority, ada, device)
    assert await sign_in(authority, device) == ada
    [kept] = await passkeys_of(authority.database, ada.subject)
    assert kept.name == "Phone"
    assert kept.last_used


async def test_the_browser_is_asked_for_a_passkey_that_knows_its_owner(
    authority: Authority, ada: Account
) -> None:
    await register(authority, ada, device := Device())
    asked = json.loads(await registration_options(authority, ada, BROWSER))
    wanted = asked["authenticatorSelection"]
    assert (wanted["residentKey"], wanted["userVerification"]) == ("required", "required")
    assert len(asked["excludeCredentials"]) == 1
    asked = json.loads(await sign_in_options(authority, BROWSER))
    assert asked["userVerification"] == "required"
    assert not asked.get("allowCredentials")
    assert device.count == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"flags": PRESENT},
        {"flags": 0},
    ],
)
async def test_what_another_site_or_person_could_make_is_refused(
    authority: Authority, ada: Account, changed: dict[str, Any]
) -> None:
    with pytest.raises(InvalidPasskey):
        await register(authority, ada, replace(Device(), **changed))
    assert await passkeys_of(authority.database, ada.subject) == []
    device = Device()
    await register(authority, ada, device)
    with pytest.raises(InvalidPasskey):
        await sign_in(authority, replace(device, **changed))
    assert await sign_in(authority, device)


async def test_another_key_signs_nobody_in(authority: Authority, ada: Account) -> None:
    device = Device()
    await register(authority, ada, device)
    with pytest.raises(InvalidPasskey):
        await sign_in(authority, Device(id=device.id))
    with pytest.raises(InvalidPasskey):
        await sign_in(authority, Device())


async def test_a_challenge_is_answered_once_and_by_its_own_browser(
    authority: Authority, ada: Account
) -> None:
    device = Device()
    await register(authority, ada, device)
    options = await sign_in_options(authority, BROWSER)
    answer = json.dumps(device.signed(options))
    with pytest.raises(InvalidPasskey):
        await account_of_passkey(authority, OTHER, answer)
    assert await account_of_passkey(authority, BROWSER, answer)
    with pytest.raises(InvalidPasskey):
        await account_of_passkey(authority, BROWSER, answer)


async def test_a_challenge_expires(authority: Authority, ada: Account) -> None:
    device = Device()
    await register(authority, ada, device)
    options = await sign_in_options(authority, BROWSER)
    await authority.database.execute("UPDATE passkey_challenge SET expires = now()")
    with pytest.raises(InvalidPasskey):
        await account_of_passkey(authority, BROWSER, json.dumps(device.signed(options)))


async def test_of_32_who_send_the_same_answer_one_is_signed_in(
    authority: Authority, ada: Account
) -> None:
    device = Device()
    await register(authority, ada, device)
    answer = json.dumps(device.signed(await sign_in_options(authority, BROWSER)))
    tried = (account_of_passkey(authority, BROWSER, answer) for _ in range(32))
    results = await asyncio.gather(*tried, return_exceptions=True)
    assert [one for one in results if isinstance(one, Account)] == [ada]


async def test_a_counter_that_goes_back_is_a_copied_key(authority: Authority, ada: Account) -> None:
    device = Device()
    await register(authority, ada, device)
    copy = replace(device)
    assert await sign_in(authority, device)
    assert await sign_in(authority, device)
    with pytest.raises(InvalidPasskey):
        await sign_in(authority, copy)


async def test_a_passkey_of_one_cannot_become_that_of_another(
    authority: Authority, ada: Account, database: Database
) -> None:
    eve = await create_account(database, "eve", "correct horse", "Patient/eve", "individual")
    device = Device()
    await register(authority, ada, device)
    with pytest.raises(InvalidPasskey):
        await register(authority, eve, device)
    assert await sign_in(authority, device) == ada
    [kept] = await passkeys_of(database, ada.subject)
    assert not await remove_passkey(database, eve.subject, kept.id)
    assert await remove_passkey(database, ada.subject, kept.id)
    with pytest.raises(InvalidPasskey):
        await sign_in(authority, device)


async def test_there_are_only_so_many(authority: Authority, ada: Account) -> None:
    for _ in range(MOST):
        await register(authority, ada, Device())
    with pytest.raises(InvalidPasskey):
        await register(authority, ada, Device())


async def test_with_the_account_its_passkeys_go(
    authority: Authority, ada: Account, database: Database
) -> None:
    device = Device()
    await register(authority, ada, device)
    await database.execute("DELETE FROM account WHERE subject = $1", ada.subject)
    with pytest.raises(InvalidPasskey):
        await sign_in(authority, device)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://plan.example/fhir", True),
        ("http://localhost:8000/fhir", True),
        ("http://127.0.0.1:8000/fhir", False),
        ("https://192.0.2.1/fhir", False),
        ("http://[::1]:8000/fhir", False),
    ],
)
async def test_passkeys_are_offered_where_browsers_make_them(
    database: Database, authority: Authority, base_url: str, expected: bool
) -> None:
    chosen = Settings(base_url=base_url, allow_http=True)
    assert is_possible(replace(authority, settings=chosen)) is expected


PARTS = (
    *("id", "rawId", "type", "response", "clientDataJSON", "attestationObject"),
    *("authenticatorData", "signature"),
)
JUNK: tuple[Any, ...] = (
    *(None, True, 7, -1.5, "", "x", "a b", "\0", "\ud800", "é", [], ["x"], {}, {"x": [1]}),
    *(text(junk) for junk in (b"", b"{}", b"[]", b"null", b"\xff" * 37, b"\xa3" * 60, bytes(200))),
    text(json.dumps({"challenge": 7}).encode()),
    text(json.dumps({"challenge": "é", "type": [], "origin": {}}).encode()),
    text(cbor2.dumps({"fmt": 1, "attStmt": [], "authData": "x"})),
    text(cbor2.dumps({"fmt": "packed", "attStmt": {"x5c": [b"x"]}, "authData": bytes(90)})),
)


@pytest.mark.parametrize("part", PARTS)
async def test_no_answer_is_more_than_good_or_refused(
    authority: Authority, ada: Account, part: str
) -> None:
    device = Device()
    await register(authority, ada, device)
    for junk in JUNK:
        answer = device.signed(await sign_in_options(authority, BROWSER))
        made = Device().made(await registration_options(authority, ada, BROWSER))
        for one in (answer, made):
            (one if part in one else one["response"])[part] = junk
        unread = part == "attestationObject"
        if unread:
            assert await account_of_passkey(authority, BROWSER, json.dumps(answer)) == ada
        else:
            with pytest.raises(InvalidPasskey):
                await account_of_passkey(authority, BROWSER, json.dumps(answer))
        if part not in ("authenticatorData", "signature"):
            with pytest.raises(InvalidPasskey):
                await register_passkey(authority, ada, BROWSER, json.dumps(made), "x")


@pytest.mark.parametrize("sent", ["", "x", "[" * 30_000, "[]", "{}", "null", "7", " " * 40_000])
async def test_what_is_no_answer_is_refused(authority: Authority, ada: Account, sent: str) -> None:
    with pytest.raises(InvalidPasskey):
        await account_of_passkey(authority, BROWSER, sent)
    with pytest.raises(InvalidPasskey):
        await register_passkey(authority, ada, BROWSER, sent, "x")
