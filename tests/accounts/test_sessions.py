"""Guessing is as slow for names nobody has, and is stopped whichever worker is asked."""

import pytest
from argon2 import PasswordHasher

from app.auth import throttle
from app.auth.sessions import SignIn, begin, open_sessions
from app.routers.pages import PAGES
from tests.accounts.conftest import PASSWORD, House
from tests.http.conftest import serving
from tests.smart.browser import Page


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that argon2 compared a password with."""
    compared: list[str] = []
    verify = PasswordHasher.verify

    def counting(self: PasswordHasher, hash_: str, password: str) -> bool:
        compared.append(hash_)
        return verify(self, hash_, password)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    return compared


@pytest.mark.parametrize("username", ["ada", "gus", "nobody", "a b", "x" * 300])
async def test_every_name_costs_one_comparison_of_the_same_kind(
    house: House, hashed: list[str], username: str
) -> None:
    await house.database.execute(
        "UPDATE account_state SET locked = now() WHERE subject = $1", house.people["gus"].subject
    )
    await house.login(username, "wrong password")
    [hash_] = hashed
    assert hash_.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_a_lock_out_holds_in_other_workers_and_after_a_restart(
    house: House, dsn: str
) -> None:
    for _ in range(throttle.PER_ACCOUNT):
        await house.login("ada", "wrong password")
    async with serving(dsn) as started:
        other = House(started, house.database, house.outbox, house.people)
        _, answer = await other.login("ada")
        assert answer.status_code == 429
        _, answer = await other.login("gus")
        assert answer.url.path == "/auth/apps"
        for client in other.opened:
            await client.aclose()
    _, answer = await house.login("ada")
    assert answer.status_code == 429


async def test_no_page_of_an_account_can_be_framed_or_kept(house: House) -> None:
    operator, nobody = await house.signed_in("olga"), house.browser()
    answers = [
        await browser.get(house.url(name))
        for browser, names in (
            (operator, ("account", "account/codes", "users", "registrations")),
            (nobody, ("login", "forgot", "second-factor", "password", "link/x")),
        )
        for name in names
    ]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"


async def test_a_session_says_where_it_is(house: House) -> None:
    browser = house.browser()
    browser.http.headers["User-Agent"] = "Walker/1.0 " + "x" * 500
    await house.login("ada", browser=browser)
    [found] = await open_sessions(house.database, "ada")
    assert (found.agent or "").startswith("Walker/1.0 xxx")
    assert len(found.agent or "") == 200
    assert found.address == "127.0.0.1"


async def test_signing_in_ends_what_the_browser_held_before(house: House) -> None:
    browser, _ = await house.login("ada")
    page = Page((await browser.get(house.url("login"))).text)
    await browser.send(page.form("/login"), username="gus", password=PASSWORD)
    assert await open_sessions(house.database, "ada") == []
    assert len(await open_sessions(house.database, "gus")) == 1


FIELDS = (
    *("request", "username", "password", "again", "current", "code", "answer", "name", "session"),
    *("passkey", "act", "email", "fhir_user", "role", "language", "client_id", "digest"),
    *("decision", "scope", "organization", "purpose", "approval", "patient"),
)


@pytest.mark.parametrize("junk", ["a\0b", "[" * 2500])
async def test_no_form_makes_the_server_fail(house: House, junk: str) -> None:
    for method, name, _ in PAGES:
        if method != "POST":
            continue
        begun, how = house.browser(), SignIn(is_complete=False)
        cookie = await begin(house.database, "olga", how)
        begun.http.cookies.set("isp-session", cookie, domain="127.0.0.1")
        for browser in (await house.signed_in("olga"), begun, house.browser()):
            form = Page((await browser.get(house.url("login"))).text).form("/login")
            form.action = house.url(name)
            answer = await browser.send(form, **dict.fromkeys(FIELDS, junk))
            assert answer.status_code < 500, (name, answer.text)
        await house.database.execute("DELETE FROM sign_in_throttle")


@pytest.mark.parametrize("name", [name for method, name, _ in PAGES if method == "GET"])
async def test_no_address_makes_the_server_fail(house: House, name: str) -> None:
    operator = await house.signed_in("olga")
    for junk in ("%00", "%ff", "x" * 4000, "a&request=b"):
        answer = await operator.http.get(f"{house.url(name)}?request={junk}&token={junk}")
        assert answer.status_code < 500
    assert house.mails() == []
