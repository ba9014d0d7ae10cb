"""What people do with their own account."""

import re

import pyotp
import pytest

from app.auth.accounts import proven_account
from app.auth.approvals import find_approval
from app.auth.links import Link, find_link, issue_link
from app.auth.second_factor import factors_of
from app.auth.sessions import find_session
from tests.accounts.conftest import PASSWORD, House
from tests.smart.browser import FORM, Page

CHOSEN = "a sentence of some length"


async def test_somebody_sees_where_they_are_signed_in_and_ends_it(house: House) -> None:
    here, there = await house.signed_in("ada"), await house.signed_in("ada")
    page = await house.page(here, "account")
    assert "Test 1.0" in " ".join(page.text)
    form = page.form("/account/sessions")
    assert len(form.choices["session"]) == 2
    answer = await here.send(form, session=form.choices["session"][0])
    assert "You are signed out there." in answer.text
    assert (await there.get(house.url("account"))).url.path == "/auth/login"
    assert (await here.get(house.url("account"))).url.path == "/auth/account"


async def test_nobody_ends_the_sessions_of_others(house: House) -> None:
    here, there = await house.signed_in("ada"), await house.signed_in("gus")
    other = await house.database.fetchval("SELECT id FROM sign_in_session WHERE username = 'gus'")
    form = (await house.page(here, "account")).form("/account/sessions")
    for asked, status in ((other, 404), ("others", 200), ("\0", 404), ("", 404)):
        assert (await here.send(form, session=asked)).status_code == status
    assert (await there.get(house.url("account"))).url.path == "/auth/account"


async def test_a_new_password_needs_the_one_before_and_ends_other_sessions(house: House) -> None:
    here, there = await house.signed_in("ada"), await house.signed_in("ada")
    form = (await house.page(here, "account")).form("/account/password")
    chosen = {"password": CHOSEN, "again": CHOSEN}
    assert (await here.send(form, current="wrong", **chosen)).status_code == 422
    assert (await here.send(form, current=PASSWORD, password="x", again="x")).status_code == 422
    different = {"password": CHOSEN, "again": "not that"}
    assert (await here.send(form, current=PASSWORD, **different)).status_code == 422
    assert (await there.get(house.url("account"))).url.path == "/auth/account"
    assert (await here.send(form, current=PASSWORD, **chosen)).status_code == 200
    assert house.people["ada"].subject in await house.audited()
    assert (await there.get(house.url("account"))).url.path == "/auth/login"
    assert await proven_account(house.database, "ada", PASSWORD) is None
    assert await proven_account(house.database, "ada", CHOSEN)
    assert "the password was changed." in house.mails()[0].get_content()


async def test_a_new_password_ends_apps_that_work_without_the_person_too(house: House) -> None:
    here = await house.signed_in("ada")
    ago = "UPDATE sign_in_session SET created = now() - interval '16 min'"
    await house.database.execute(ago)
    before = here.http.cookies["isp-session"]
    await house.database.execute(
        "INSERT INTO approval (id, client_id, username, session, scope, context, authenticated,"
        " expires) VALUES ('offline', 'app', 'ada', 's', 'offline_access', '{}', now(),"
        " now() + interval '1 h')"
    )
    link = await issue_link(house.authority, Link(subject=house.people["ada"].subject))
    form = (await house.page(here, "account")).form("/account/password")
    answer = await here.send(form, current=PASSWORD, password=CHOSEN, again=CHOSEN)
    assert await find_approval(house.database, "offline") is None
    assert await house.authority.revocations.is_revoked("offline")
    assert await find_link(house.database, link.rpartition("/")[2]) is None
    assert await find_session(house.database, before) is None
    ended = await here.send(Page(answer.text).form("/account/sessions"), session="others")
    assert ended.status_code == 200
    # The password alone is not all it takes to take second factors away.
    assert (await here.get(house.url("account/codes"))).status_code == 403


async def test_guessing_the_password_from_within_is_stopped(house: House) -> None:
    here = await house.signed_in("ada")
    form = (await house.page(here, "account")).form("/account/password")
    chosen = {"password": CHOSEN, "again": CHOSEN}
    for _ in range(10):
        await here.send(form, current="wrong", **chosen)
    answer = await here.send(form, current=PASSWORD, **chosen)
    assert "too many attempts" in answer.text
    assert await proven_account(house.database, "ada", PASSWORD)


async def test_somebody_sets_codes_up_renews_and_removes_them(house: House) -> None:
    here, subject = await house.signed_in("ada"), house.people["ada"].subject
    answer = await here.get(house.url("account/codes"))
    [secret] = re.findall(r"<code>([A-Z2-7]{32})</code>", answer.text)
    form = Page(answer.text).form("/account/codes")
    assert (await here.send(form, code="000000x")).status_code == 422
    assert not (await factors_of(house.database, subject)).has_totp
    answer = await here.send(form, code=pyotp.TOTP(secret).now())
    first = re.findall(r"<code>([a-z2-7-]{19})</code>", answer.text)
    assert len(first) == 10
    page = await house.page(here, "account")
    answer = await here.send(page.form("/account/recovery"))
    second = re.findall(r"<code>([a-z2-7-]{19})</code>", answer.text)
    assert len(second) == 10
    assert not {*first} & {*second}
    await here.send(page.form("/account/codes/remove"))
    found = await factors_of(house.database, subject)
    assert (found.has_totp, found.recovery_codes) == (False, 0)
    told = [mail.get_content() for mail in house.mails()]
    said = ("was set up", "new recovery codes were made", "was removed")
    assert all(any(what in text for text in told) for what in said)
    assert len(told) == 3


async def test_without_an_address_nobody_is_told_and_nothing_fails(house: House) -> None:
    here = await house.signed_in("gus")
    await house.database.execute("UPDATE account_state SET email = NULL WHERE email ^@ 'gus'")
    form = (await house.page(here, "account")).form("/account/password")
    answer = await here.send(form, current=PASSWORD, password=CHOSEN, again=CHOSEN)
    assert answer.status_code == 200
    assert house.mails() == []


async def test_who_signed_in_long_ago_signs_in_again_first(house: House) -> None:
    here = await house.signed_in("ada")
    form = (await house.page(here, "account")).form("/logout")
    form.action = house.url("account/codes/remove")
    ago = "UPDATE sign_in_session SET created = now() - interval '16 min'"
    await house.database.execute(ago)
    assert (await here.send(form)).status_code == 403
    assert (await here.get(house.url("account/codes"))).status_code == 403
    assert (await here.get(house.url("account"))).status_code == 200


POSTS = (
    *("account/sessions", "account/password", "account/codes", "account/codes/remove"),
    *("account/recovery", "account/passkey", "account/passkey/remove"),
    *("users", "users/invite", "registrations", "second-factor", "second-factor/passkey"),
    *("passkey", "forgot", "password"),
)


@pytest.mark.parametrize("name", POSTS)
@pytest.mark.parametrize("way", ["no token", "another's token", "origin"])
async def test_a_form_that_no_page_of_ours_sent_does_nothing(
    house: House, name: str, way: str
) -> None:
    here = await house.signed_in("olga")
    form = (await house.page(here, "account")).form("/logout")
    origin = "https://evil.example" if way == "origin" else house.issuer
    if way == "no token":
        del form.values["csrf"]
    elif way == "another's token":
        other = await house.page(await house.signed_in("gus"), "account")
        form.values["csrf"] = other.form("/logout").values["csrf"]
    data = form.values | {"session": "others", "username": "ada", "act": "lock"}
    headers = FORM | {"Origin": origin}
    answer = await here.http.post(house.url(name), data=data, headers=headers)
    assert answer.status_code == 403
    assert await proven_account(house.database, "ada", PASSWORD)


@pytest.mark.parametrize("name", [name for name in POSTS if name != "forgot"])
async def test_who_is_not_signed_in_changes_nothing(house: House, name: str) -> None:
    browser = house.browser()
    form = (await house.page(browser, "login")).form("/login")
    form.action = house.url(name)
    answer = await browser.send(form, username="ada", act="lock", session="others")
    assert answer.status_code in (403, 404) or answer.url.path == "/auth/login"
    assert await proven_account(house.database, "ada", PASSWORD)
