"""Invitations and forgotten passwords, by links that work once."""

import asyncio
import logging
import re
import stat

import httpx
import pytest

from app.auth.accounts import InvalidAccount, find_account, proven_account
from app.auth.invitations import LinkGone, invite, redeem
from app.auth.links import Invitation
from tests.accounts.conftest import PASSWORD, House
from tests.smart.browser import FORM, Browser, Page

CHOSEN = "a sentence of some length"


def invited(number: int) -> Invitation:
    email = f"new-{number}@mail.example"
    return Invitation(email, email, "Practitioner/new", "clinician", "Organization/agency")


async def ask(house: House, named: str, browser: Browser | None = None) -> httpx.Response:
    browser = browser or house.browser()
    form = (await house.page(browser, "forgot")).form("/forgot")
    return await browser.send(form, username=named)


async def choose(house: House, url: str, password: str = CHOSEN, **more: str) -> httpx.Response:
    browser = house.browser()
    form = Page((await browser.get(url)).text).form("/password")
    return await browser.send(form, **{"password": password, "again": password} | more)


async def test_who_is_invited_chooses_a_password_and_signs_in(house: House) -> None:
    await invite(house.authority, invited(1), "en")
    assert await find_account(house.database, "new-1@mail.example") is None
    answer = await choose(house, house.link())
    assert "You can sign in now as new-1@mail.example." in answer.text
    made = await find_account(house.database, "new-1@mail.example")
    assert made
    assert (made.fhir_user, made.role) == ("Practitioner/new", "clinician")
    assert made.organization == "Organization/agency"
    assert house.mails() == []
    _, answer = await house.login("new-1@mail.example", CHOSEN)
    assert answer.url.path == "/auth/apps"


async def test_the_mail_is_in_the_language_it_was_asked_for(house: House) -> None:
    await invite(house.authority, invited(2), "es")
    [mail] = house.mails()
    assert mail["Subject"] == "Su cuenta para el plan compartido"
    assert (mail["To"], mail["Auto-Submitted"]) == ("new-2@mail.example", "auto-generated")


async def test_only_the_owner_reads_the_outbox(house: House) -> None:
    await invite(house.authority, invited(3), "en")
    [file] = house.outbox.glob("*.eml")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(house.outbox.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "wrong",
    [
        Invitation("x", "no address", "Patient/x", "individual"),
        Invitation("x", "a@b.example\nBcc: c@d.example", "Patient/x", "individual"),
        Invitation("x", "x@mail.example", "Group/x", "individual"),
        Invitation("x", "x@mail.example", "Patient/x", "king"),
        Invitation("a b", "x@mail.example", "Patient/x", "individual"),
        Invitation("x", "x@mail.example", "Patient/x", "individual", "Group/x"),
        Invitation("ada", "x@mail.example", "Patient/x", "individual"),
    ],
)
async def test_an_invitation_that_could_not_work_is_not_mailed(
    house: House, wrong: Invitation
) -> None:
    with pytest.raises(InvalidAccount):
        await invite(house.authority, wrong, "en")
    assert house.mails() == []


async def test_a_new_password_ends_all_sessions_and_is_audited(house: House) -> None:
    before = await house.signed_in("ada")
    assert (await ask(house, "ada")).status_code == 200
    assert (await choose(house, house.link())).status_code == 200
    event = await house.audited()
    assert house.people["ada"].subject in event
    assert "110137" in event
    assert (await before.get(house.url("apps"))).url.path == "/auth/login"
    assert await proven_account(house.database, "ada", PASSWORD) is None
    assert await proven_account(house.database, "ada", CHOSEN)
    [notice] = house.mails()
    assert notice["To"] == "ada@mail.example"
    assert "for the account ada: the password was changed." in notice.get_content()


async def test_a_link_is_in_no_log_and_no_metric(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await ask(house, "ada")
        url = house.link()
        await choose(house, url)
        await house.browser().get(url)
        metrics = await house.browser().get(f"{house.issuer}/metrics")
    token = url.rpartition("/")[2]
    assert "/auth/password" in metrics.text
    # httpx is the browser here: what it logs, it logs at the person's side.
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("isp")]
    assert any("/auth/password" in line for line in ours)
    for text in (*ours, metrics.text, await house.audited()):
        assert token not in text
        assert "ada@" not in text


async def test_an_account_is_found_by_its_address_too(house: House) -> None:
    await ask(house, "ADA@mail.example")
    assert "for ada." in house.mails()[0].get_content()


async def test_known_and_unknown_people_see_the_same_page(house: House) -> None:
    known, unknown = await ask(house, "ada"), await ask(house, "nobody")
    assert (known.status_code, len(house.mails())) == (200, 1)
    without = [re.sub(r'value="[^"]*"', "", one.text) for one in (known, unknown)]
    assert without[0] == without[1]
    names = [sorted(set(one.headers) - {"set-cookie"}) for one in (known, unknown)]
    assert names[0] == names[1]


async def test_the_answer_is_sent_before_anybody_is_looked_for(house: House) -> None:
    """Then its time cannot tell whether there is such a person."""
    browser = house.browser()
    form = (await house.page(browser, "forgot")).form("/forgot")
    sent: list[int] = []
    app = house.service.app

    async def watched(scope, receive, send):  # type: ignore[no-untyped-def]
        async def noting(message):  # type: ignore[no-untyped-def]
            if message["type"] == "http.response.body" and not message.get("more_body"):
                sent.append(await house.database.fetchval("SELECT count(*) FROM one_time_link"))
            await send(message)

        await app(scope, receive, noting)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(watched)) as http:
        http.cookies = browser.http.cookies
        data = form.values | {"username": "ada"}
        await http.post(form.action, data=data, headers=FORM | {"Origin": house.issuer})
    assert sent == [0]
    assert len(house.mails()) == 1


async def test_nobody_is_flooded_with_mails(house: House) -> None:
    statuses = [(await ask(house, "ada")).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert (await ask(house, "nobody")).status_code == 200
    statuses = [(await ask(house, "nobody")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert len(house.mails()) == 3


@pytest.mark.parametrize("named", ["\0", "a\0b", "x" * 5000, "'; --", "%", "é"])
async def test_whatever_is_typed_is_answered_alike(house: House, named: str) -> None:
    assert (await ask(house, named)).status_code == 200
    assert house.mails() == []


async def test_a_locked_account_gets_no_link(house: House) -> None:
    await house.database.execute("UPDATE account_state SET locked = now()")
    await ask(house, "ada")
    assert house.mails() == []


async def test_of_32_who_follow_a_link_at_once_one_succeeds(house: House) -> None:
    await ask(house, "ada")
    token = house.link().rpartition("/")[2]
    tried = (redeem(house.authority, token, f"{CHOSEN} {n}") for n in range(32))
    results = await asyncio.gather(*tried, return_exceptions=True)
    won = [n for n, result in enumerate(results) if not isinstance(result, BaseException)]
    assert len(won) == 1
    assert all(isinstance(r, LinkGone) for n, r in enumerate(results) if n != won[0])
    assert await proven_account(house.database, "ada", f"{CHOSEN} {won[0]}")


async def test_of_32_who_accept_an_invitation_at_once_one_gets_the_account(house: House) -> None:
    await invite(house.authority, invited(4), "en")
    token = house.link().rpartition("/")[2]
    tried = (redeem(house.authority, token, f"{CHOSEN} {n}") for n in range(32))
    results = await asyncio.gather(*tried, return_exceptions=True)
    assert sum(not isinstance(result, BaseException) for result in results) == 1


async def test_the_links_before_end_with_the_first_that_is_used(house: House) -> None:
    await ask(house, "ada")
    first = house.link()
    await ask(house, "ada")
    assert (await choose(house, house.link())).status_code == 200
    assert (await house.browser().get(first)).status_code == 404


async def test_a_link_that_was_used_expired_or_made_up_is_told_alike(house: House) -> None:
    await ask(house, "ada")
    expired = house.link()
    await house.database.execute("UPDATE one_time_link SET expires = now()")
    await ask(house, "ada")
    used = house.link()
    await choose(house, used)
    texts = set()
    for url in (expired, used, house.url(f"link/{'x' * 43}"), house.url("link/short")):
        answer = await house.browser().get(url)
        assert answer.status_code == 404
        texts.add(re.sub(r'value="[^"]*"', "", answer.text))
    assert len(texts) == 1


async def test_looking_at_a_link_does_not_use_it_up(house: House) -> None:
    """Programs that look through mails follow every link in them."""
    await ask(house, "ada")
    url = house.link()
    for _ in range(3):
        assert (await house.browser().get(url)).status_code == 200
    assert (await choose(house, url)).status_code == 200


async def test_the_link_leaves_the_address_before_there_is_a_page(house: House) -> None:
    await ask(house, "ada")
    url = house.link()
    token, browser = url.rpartition("/")[2], house.browser()
    first = await browser.http.get(url)
    assert (first.status_code, first.headers["location"]) == (303, house.url("password"))
    assert first.headers["referrer-policy"] == "same-origin"
    [cookie] = [c for c in first.headers.get_list("set-cookie") if token in c]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    page = await browser.get(house.url("password"))
    assert token not in page.text
    assert token not in str(await house.database.fetch("SELECT * FROM one_time_link"))


@pytest.mark.parametrize(
    ("password", "again"), [("short", "short"), (CHOSEN, "another"), ("x" * 2000, "x" * 2000)]
)
async def test_a_poor_password_does_not_cost_the_link(
    house: House, password: str, again: str
) -> None:
    await ask(house, "ada")
    url = house.link()
    assert (await choose(house, url, password, again=again)).status_code == 422
    assert (await choose(house, url)).status_code == 200


async def test_the_name_is_no_password(house: House) -> None:
    await invite(house.authority, invited(5), "en")
    url = house.link()
    assert (await choose(house, url, "NEW-5@mail.example")).status_code == 422


async def test_a_name_taken_meanwhile_cannot_be_taken_over(house: House) -> None:
    await invite(house.authority, invited(6), "en")
    first = house.link()
    await invite(house.authority, invited(6), "en")
    assert (await choose(house, house.link())).status_code == 200
    assert (await choose(house, first, "another long password")).status_code == 404
    assert await proven_account(house.database, "new-6@mail.example", CHOSEN)


async def test_a_forged_form_does_not_use_a_link(house: House) -> None:
    await ask(house, "ada")
    browser = house.browser()
    form = Page((await browser.get(house.link())).text).form("/password")
    data = form.values | {"password": CHOSEN, "again": CHOSEN}
    headers = FORM | {"Origin": "https://evil.example"}
    answer = await browser.http.post(form.action, data=data, headers=headers)
    assert answer.status_code == 403
    assert await proven_account(house.database, "ada", PASSWORD)
