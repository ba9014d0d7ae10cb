"""The operator invites and locks people, and approves or refuses what asks to be registered."""

import pyotp
import pytest

from app.auth.access_token import Grant, authenticate, issue
from app.auth.account_state import set_locked
from app.auth.accounts import find_account, proven_account
from app.auth.approvals import find_approval
from app.auth.clients import Registration, create_client, find_client
from app.auth.invitations import LinkGone, redeem
from app.auth.links import Link, find_link, issue_link
from app.auth.operator_tokens import issue_for
from app.auth.registrations import register, update
from app.auth.saved_caller import stands
from app.auth.second_factor import factors_of
from app.auth.totp import is_code, new_secret, set_up
from tests.accounts.conftest import PASSWORD, House
from tests.smart.browser import Browser, Form, Page

ASKED = {
    "client_name": "Walk <b>Along</b>",
    "redirect_uris": ["https://app.example/callback"],
    "token_endpoint_auth_method": "none",
    "scope": "launch/patient patient/Goal.rs user/CarePlan.rs system/Task.s",
}


async def act(house: House, operator: Browser, username: str, name: str) -> str:
    page = await house.page(operator, "users")
    [form] = [f for f in page.forms if f.values.get("username") == username]
    return (await operator.send(form, act=name)).text


def row(page: Page, client_id: str) -> Form:
    [form] = [f for f in page.forms if f.values.get("client_id") == client_id]
    return form


@pytest.mark.parametrize("name", ["users", "registrations"])
async def test_nobody_else_learns_that_there_is_such_a_page(house: House, name: str) -> None:
    answer = await (await house.signed_in("gus")).get(house.url(name))
    assert answer.status_code == 404
    assert "There is no such page." in answer.text
    browser = await house.signed_in("gus")
    form = (await house.page(browser, "account")).form("/logout")
    form.action = house.url(name)
    assert (await browser.send(form, username="ada", act="lock")).status_code == 404
    assert await proven_account(house.database, "ada", PASSWORD)


async def test_an_operator_invites_somebody(house: House) -> None:
    operator = await house.signed_in("olga")
    form = (await house.page(operator, "users")).form("/users/invite")
    asked = {"email": "zoe@mail.example", "username": "zoe", "fhir_user": "Patient/zoe"}
    answer = await operator.send(form, role="individual", language="es", **asked)
    assert "The invitation is on its way." in answer.text
    assert "contraseña" in house.mails()[0].get_content()
    event = await house.audited()
    assert "zoe@mail.example" not in event
    assert house.people["olga"].subject in event
    asked["fhir_user"] = "Group/zoe"
    answer = await operator.send(form, role="individual", language="en", **asked)
    assert answer.status_code == 422
    assert "the FHIR user is a reference to a person" in answer.text
    assert Page(answer.text).form("/users/invite").values["email"] == "zoe@mail.example"
    assert house.mails() == []


async def test_a_locked_account_is_out_at_once_and_stays_out(house: House) -> None:
    operator, ada = await house.signed_in("olga"), await house.signed_in("ada")
    await act(house, operator, "ada", "lock")
    assert (await ada.get(house.url("account"))).url.path == "/auth/login"
    _, answer = await house.login("ada")
    assert answer.status_code == 403
    await act(house, operator, "ada", "unlock")
    _, answer = await house.login("ada")
    assert answer.url.path == "/auth/apps"


async def test_a_token_an_operator_printed_for_somebody_ends_with_their_account(
    house: House,
) -> None:
    client, _ = await create_client(
        house.database, Registration("App", "user/*.rs", "partner-system", "none")
    )
    issued = await issue_for(house.authority, client.id, user="ada")
    caller = await authenticate(house.authority, f"Bearer {issued.token}")
    http = house.service.client({"Authorization": f"Bearer {issued.token}"})
    assert (await http.get("/Goal")).status_code == 200
    assert await stands(house.database, caller)
    operator = await house.signed_in("olga")
    await act(house, operator, "ada", "lock")
    assert (await http.get("/Goal")).status_code == 401
    assert not await stands(house.database, caller)
    with pytest.raises(ValueError, match="locked"):
        await issue_for(house.authority, client.id, user="ada")
    await act(house, operator, "ada", "unlock")
    assert (await http.get("/Goal")).status_code == 401
    again = await issue_for(house.authority, client.id, user="ada")
    assert await authenticate(house.authority, f"Bearer {again.token}")


async def test_what_a_locked_account_asked_for_later_is_not_done(house: House) -> None:
    subject = house.people["ada"].subject
    grant = Grant("app", "user/*.rs", "individual", user=subject, fhir_user="Patient/ada")
    issued = await issue(house.authority, grant)
    caller = await authenticate(house.authority, f"Bearer {issued.token}")
    assert await stands(house.database, caller)
    await set_locked(house.database, subject, is_locked=True)
    assert not await stands(house.database, caller)


async def test_a_link_mailed_before_the_account_was_locked_works_no_more(house: House) -> None:
    subject, operator = house.people["ada"].subject, await house.signed_in("olga")
    url = await issue_link(house.authority, Link(subject=subject))
    token = url.rpartition("/")[2]
    await set_locked(house.database, subject, is_locked=True)
    assert await find_link(house.database, token) is None
    with pytest.raises(LinkGone):
        await redeem(house.authority, token, "a sentence of some length")
    await act(house, operator, "ada", "lock")
    await act(house, operator, "ada", "unlock")
    assert await find_link(house.database, token) is None


async def test_what_a_locked_account_approved_gives_no_token(house: House) -> None:
    await house.database.execute(
        "INSERT INTO approval (id, client_id, username, session, scope, context, authenticated,"
        " expires) VALUES ('a', 'app', 'ada', 's', 'openid', '{}', now(), now() + '1 h'::interval)"
    )
    assert await find_approval(house.database, "a")
    operator = await house.signed_in("olga")
    await act(house, operator, "ada", "lock")
    await house.database.execute("UPDATE approval SET ended = NULL")
    assert await find_approval(house.database, "a") is None


async def test_an_operator_ends_sessions_and_removes_lost_factors(house: House) -> None:
    operator, ada = await house.signed_in("olga"), await house.signed_in("ada")
    assert "signed out everywhere" in await act(house, operator, "ada", "end")
    assert (await ada.get(house.url("account"))).url.path == "/auth/login"
    subject = house.people["ada"].subject
    secret = new_secret()
    assert await set_up(house.database, subject, secret, pyotp.TOTP(secret).now())
    await act(house, operator, "ada", "forget")
    assert not (await factors_of(house.database, subject)).is_any
    assert subject in await house.audited()
    assert not await is_code(house.database, subject, pyotp.TOTP(secret).now())


async def test_an_operator_who_locks_themselves_is_out(house: House) -> None:
    operator = await house.signed_in("olga")
    await act(house, operator, "olga", "lock")
    assert (await operator.get(house.url("users"))).url.path == "/auth/login"
    assert await find_account(house.database, "olga")


async def test_an_operator_reads_what_an_app_wants_and_approves_less(house: House) -> None:
    made = await register(house.authority, ASKED)
    operator = await house.signed_in("olga")
    answer = await operator.get(house.url("registrations"))
    assert "<b>Along" not in answer.text
    page = Page(answer.text)
    text = " ".join(page.text)
    assert "Walk <b>Along</b>" in text
    assert "built-in" not in text
    assert "Read the goals of the person who chose it, now and in the future" in text
    assert "Read the plans of everybody whose records its user may see" in text
    assert "Read the tasks of everybody its organization may see" in text
    form = row(page, made["client_id"])
    assert form.values["digest"] in text
    less = "launch/patient patient/Goal.rs"
    answer = await operator.send(
        form, decision="approve", scope=less, role="partner-system", organization="Organization/a"
    )
    assert "The app is approved." in answer.text
    client = await find_client(house.database, made["client_id"])
    assert client
    assert (client.scope, client.organization) == (less, "Organization/a")
    assert made["client_id"] in await house.audited()


async def test_what_was_changed_since_it_was_shown_is_not_approved(house: House) -> None:
    made = await register(house.authority, ASKED)
    operator = await house.signed_in("olga")
    form = row(await house.page(operator, "registrations"), made["client_id"])
    token = made["registration_access_token"]
    await update(house.authority, made["client_id"], token, ASKED | {"scope": "system/*.cruds"})
    for decision in ("approve", "refuse"):
        answer = await operator.send(form, decision=decision, role="partner-system")
        assert answer.status_code == 422
        assert "it was changed since" in answer.text
    assert await find_client(house.database, made["client_id"]) is None


async def test_what_is_refused_waits_no_more(house: House) -> None:
    made = await register(house.authority, ASKED)
    operator = await house.signed_in("olga")
    page = await house.page(operator, "registrations")
    answer = await operator.send(row(page, made["client_id"]), decision="refuse")
    assert "The app is refused." in answer.text
    assert "Nothing waits for approval." in answer.text
    assert await find_client(house.database, made["client_id"]) is None


@pytest.mark.parametrize("field", ["client_id", "digest", "scope", "organization", "purpose"])
async def test_what_cannot_be_written_down_is_told(house: House, field: str) -> None:
    made = await register(house.authority, ASKED)
    operator = await house.signed_in("olga")
    form = row(await house.page(operator, "registrations"), made["client_id"])
    answer = await operator.send(form, decision="approve", role="payer", **{field: "a\0b"})
    assert answer.status_code == 422
    form = (await house.page(operator, "users")).form("/users/invite")
    asked = {"email": "zoe@mail.example", "fhir_user": "Patient/zoe", "role": "individual"}
    for name in ("email", "username", "fhir_user", "role", "organization"):
        answer = await operator.send(form, **asked | {name: "a\0b"})
        assert answer.status_code == 422


async def test_what_cannot_be_registered_is_told(house: House) -> None:
    made = await register(house.authority, ASKED)
    operator = await house.signed_in("olga")
    form = row(await house.page(operator, "registrations"), made["client_id"])
    answer = await operator.send(form, decision="approve", role="king")
    assert answer.status_code == 422
    assert "unknown role" in answer.text
