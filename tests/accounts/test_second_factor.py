"""Codes of an authenticator app, recovery codes, and who must have a second factor."""

import asyncio
import re
import time

import httpx
import pyotp
import pytest

from app.auth import second_factor, throttle, totp
from app.auth.approvals import end_with_account
from app.auth.sessions import find_session
from tests.accounts.conftest import PASSWORD, House
from tests.smart.browser import Browser, Page


async def with_codes(house: House, username: str = "ada") -> pyotp.TOTP:
    """The app of somebody who has set it up a while ago."""
    subject = house.people[username].subject
    secret = totp.new_secret()
    app = pyotp.TOTP(secret)
    assert await totp.set_up(house.database, subject, secret, app.now())
    await house.database.execute("UPDATE totp SET last_step = 0")
    return app


async def give(browser: Browser, answer: httpx.Response, code: str) -> httpx.Response:
    return await browser.send(Page(answer.text).form("/second-factor"), code=code)


async def is_signed_in(house: House, browser: Browser) -> bool:
    return (await browser.get(house.url("account"))).url.path == "/auth/account"


async def test_without_a_second_factor_a_password_is_enough(house: House) -> None:
    browser, answer = await house.login("ada")
    assert answer.url.path == "/auth/apps"
    assert await is_signed_in(house, browser)


async def test_who_has_codes_needs_one(house: House) -> None:
    app = await with_codes(house)
    browser, answer = await house.login("ada")
    assert answer.url.path == "/auth/second-factor"
    assert not await is_signed_in(house, browser)
    answer = await give(browser, answer, app.now())
    assert answer.url.path == "/auth/apps"
    assert await is_signed_in(house, browser)


async def test_what_a_password_alone_begins_is_no_session(house: House) -> None:
    await with_codes(house)
    browser, _ = await house.login("ada")
    cookie = browser.http.cookies["isp-session"]
    assert await find_session(house.database, cookie) is None
    for name in ("apps", "account", "users", "registrations"):
        assert (await browser.get(house.url(name))).url.path == "/auth/login"
    await house.database.execute("UPDATE sign_in_session SET expires = now()")
    assert (await browser.get(house.url("second-factor"))).url.path == "/auth/login"


async def test_the_session_of_the_code_is_a_new_one(house: House) -> None:
    app = await with_codes(house)
    browser, answer = await house.login("ada")
    before = browser.http.cookies["isp-session"]
    await give(browser, answer, app.now())
    assert browser.http.cookies["isp-session"] != before
    assert await house.database.fetchval("SELECT count(*) FROM sign_in_session") == 1


async def test_a_code_works_once(house: House) -> None:
    app = await with_codes(house)
    code = app.now()
    one, answer = await house.login("ada")
    assert (await give(one, answer, code)).url.path == "/auth/apps"
    two, answer = await house.login("ada")
    assert (await give(two, answer, code)).status_code == 403
    assert not await is_signed_in(house, two)


async def test_of_32_who_give_the_same_code_one_is_believed(house: House) -> None:
    app = await with_codes(house)
    subject, code = house.people["ada"].subject, app.now()
    tried = (second_factor.is_proven(house.database, subject, code) for _ in range(32))
    assert sum(await asyncio.gather(*tried)) == 1


async def test_no_code_before_one_that_was_used_counts(house: House) -> None:
    app = await with_codes(house)
    subject, now = house.people["ada"].subject, int(time.time())
    assert await totp.is_code(house.database, subject, app.at(now))
    assert not await totp.is_code(house.database, subject, app.at(now - 30))


@pytest.mark.parametrize("code", ["", "000000x", "12345", "١٢٣٤٥٦", "\0", "0" * 40])
async def test_what_is_no_code_is_refused(house: House, code: str) -> None:
    await with_codes(house)
    browser, answer = await house.login("ada")
    assert (await give(browser, answer, code)).status_code == 403


async def test_guessing_codes_is_stopped_for_all_workers(house: House) -> None:
    app = await with_codes(house)
    statuses = []
    for _ in range(throttle.CODES + 1):
        browser, answer = await house.login("ada")
        statuses.append((await give(browser, answer, "no code")).status_code)
    assert statuses == [403] * throttle.CODES + [429]
    browser, answer = await house.login("ada")
    assert (await give(browser, answer, app.now())).status_code == 429
    await house.database.execute("UPDATE sign_in_throttle SET expires = now() - interval '1 s'")
    browser, answer = await house.login("ada")
    assert (await give(browser, answer, app.now())).url.path == "/auth/apps"


async def test_an_operator_sets_codes_up_before_anything_else(house: House) -> None:
    browser, answer = await house.login("olga")
    page = Page(answer.text)
    assert "Set up an authenticator app" in page.text
    assert "svg" in dict(page.tags)
    assert "style=" not in answer.text
    [secret] = re.findall(r"<code>([A-Z2-7]{32})</code>", answer.text)
    answer = await give(browser, answer, "000000")
    assert (answer.status_code, offered(answer)) == (403, secret)
    assert (await give(browser, answer, "no code")).status_code == 403
    answer = await give(browser, answer, pyotp.TOTP(secret).now())
    codes = re.findall(r"<code>([a-z2-7-]{19})</code>", answer.text)
    assert len(set(codes)) == 10
    assert await is_signed_in(house, browser)
    rows = str(await house.database.fetch("SELECT * FROM recovery_code"))
    assert not any(code in rows or code.replace("-", "") in rows for code in codes)
    other, answer = await house.login("olga")
    assert secret not in answer.text
    assert (await give(other, answer, codes[0].upper())).url.path == "/auth/apps"
    third, answer = await house.login("olga")
    assert (await give(third, answer, codes[0])).status_code == 403


def offered(answer: httpx.Response) -> str:
    [secret] = re.findall(r"<code>([A-Z2-7]{32})</code>", answer.text)
    return str(secret)


async def test_who_saw_a_secret_and_left_has_none_of_the_codes(house: House) -> None:
    _, seen = await house.login("olga")
    browser, shown = await house.login("olga")
    secrets = [offered(answer) for answer in (seen, shown)]
    assert secrets[0] != secrets[1]
    refused = await give(browser, shown, pyotp.TOTP(secrets[0]).now())
    assert refused.status_code == 403
    assert offered(refused) == secrets[1]
    await give(browser, refused, pyotp.TOTP(secrets[1]).now())
    assert await is_signed_in(house, browser)


async def test_two_who_are_signed_in_at_once_are_shown_two_secrets(house: House) -> None:
    one, seen = await house.login("olga")
    other, shown = await house.login("olga")
    assert (await give(other, shown, pyotp.TOTP(offered(shown)).now())).status_code == 200
    refused = await give(one, seen, pyotp.TOTP(offered(seen)).now())
    assert refused.status_code == 403
    assert "<code>" not in refused.text


@pytest.mark.parametrize("secret", ["", "A", "a" * 32, "1" * 32, "A" * 33])
async def test_what_is_no_secret_is_not_set_up(house: House, secret: str) -> None:
    subject = house.people["ada"].subject
    assert not await totp.set_up(house.database, subject, secret, "000000")
    assert not await totp.is_code(house.database, subject, "000000")


async def test_no_link_chooses_the_secret(house: House) -> None:
    browser, shown = await house.login("olga")
    page = await browser.get(house.url("second-factor"), secret="A" * 32)
    assert offered(page) not in ("A" * 32, offered(shown))


async def test_codes_that_were_set_up_outlive_what_was_open(house: House) -> None:
    app, subject = await with_codes(house), house.people["ada"].subject
    await end_with_account(house.authority, "ada", is_removed=False)
    assert await totp.is_code(house.database, subject, app.now())


async def test_of_32_who_give_the_same_recovery_code_one_is_believed(house: House) -> None:
    await with_codes(house)
    subject = house.people["ada"].subject
    [code, *_] = await second_factor.new_recovery_codes(house.database, subject)
    tried = (second_factor.is_proven(house.database, subject, code) for _ in range(32))
    assert sum(await asyncio.gather(*tried)) == 1


async def test_the_recovery_code_of_one_is_nothing_to_another(house: House) -> None:
    await with_codes(house)
    [code, *_] = await second_factor.new_recovery_codes(house.database, house.people["gus"].subject)
    assert not await second_factor.is_proven(house.database, house.people["ada"].subject, code)


async def test_an_app_that_was_asked_for_is_gone_on_with(house: House) -> None:
    app = await with_codes(house)
    browser, handle = house.browser(), "h" * 43
    await browser.get(house.url("login"))
    login = Page((await browser.get(house.url("login"), request=handle)).text)
    form = login.form("/login")
    assert form.values["request"] == handle
    answer = await browser.send(form, username="ada", password=PASSWORD)
    assert (answer.url.path, answer.url.params["request"]) == ("/auth/second-factor", handle)
    answer = await give(browser, answer, app.now())
    assert (answer.url.path, answer.url.params["request"]) == ("/auth/approve", handle)


async def test_failures_and_changes_are_audited_without_codes(house: House) -> None:
    await with_codes(house)
    browser, answer = await house.login("ada")
    await give(browser, answer, "918273")
    event = await house.audited()
    assert "wrong_code" in event
    assert house.people["ada"].subject in event
    assert "918273" not in event
