"""A person's own account: where they are signed in, their password, their second factors."""

import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fastapi import Response
from starlette.background import BackgroundTask

from app.auth import passkeys, second_factor, sessions, throttle, totp
from app.auth.account_state import set_password
from app.auth.accounts import MIN_PASSWORD, InvalidAccount, hashed, proven_account
from app.auth.approvals import end_with_account, end_with_session
from app.auth.notices import notify
from app.auth.passkeys import InvalidPasskey, Passkey, is_possible
from app.auth.sessions import Open, Session
from app.routers.passkey import made_passkey, making_passkey
from app.routers.second_factor import picture, shown_again
from app.routers.visits import PageError, Visit, set_cookie

RECENT = timedelta(minutes=15)
"""How long ago somebody may have signed in who changes how they sign in."""


async def account_page(visit: Visit, said: str = "", problem: str = "") -> Response:
    """Where somebody is signed in, and how they sign in."""
    if visit.session is None:
        return visit.redirect(f"{visit.root}/login")
    database, account = visit.authority.database, visit.session.account
    found = await sessions.open_sessions(database, account.username)
    return visit.page(
        "account",
        status=422 if problem else 200,
        said=said,
        problem=problem,
        username=account.username,
        sessions=[_browser(one, visit.session) for one in found],
        factors=await second_factor.factors_of(database, account.subject),
        passkeys=[_passkey(one) for one in await passkeys.passkeys_of(database, account.subject)],
        has_passkeys=is_possible(visit.authority),
        least=MIN_PASSWORD,
    )


def _browser(one: Open, own: Session) -> dict[str, object]:
    return {
        "id": one.id,
        "agent": one.agent or "?",
        "address": one.address or "?",
        "since": f"{one.created:%Y-%m-%d %H:%M} UTC",
        "is_own": one.id == own.id,
    }


def _passkey(one: Passkey) -> dict[str, str]:
    used = f"{one.last_used:%Y-%m-%d}" if one.last_used else ""
    return {"id": one.id, "name": one.name, "created": f"{one.created:%Y-%m-%d}", "used": used}


def _changing(visit: Visit) -> Session:
    """The session of who may change how they sign in. Raises PageError."""
    visit.check_form()
    return _recent(visit)


def _recent(visit: Visit) -> Session:
    if visit.session is None or datetime.now(UTC) - visit.session.created > RECENT:
        raise PageError("error.again", 403)
    return visit.session


async def _changed(visit: Visit, session: Session, what: str) -> BackgroundTask:
    """Record how a sign-in changed; answers the task that tells its owner, after the response."""
    action = "password" if what == "password" else "factor"
    await visit.record(action=action, about=session.account.subject, description=what)
    return BackgroundTask(notify, visit.authority, session.account, what, visit.language())


def _then(response: Response, task: BackgroundTask) -> Response:
    response.background = task
    return response


async def end_session(visit: Visit) -> Response:
    """Sign out in one other browser, or in all of them."""
    visit.check_form()
    if visit.session is None:
        return visit.redirect(f"{visit.root}/login")
    asked = visit.form.get("session", "")
    if not await _end(visit, visit.session, asked) and asked != "others":
        raise PageError("error.form", 404)
    return await account_page(visit, "account.ended")


async def _end(visit: Visit, own: Session, asked: str) -> bool:
    """End another session of the same person, or with "others" all of them; whether any was."""
    database = visit.authority.database
    found = await sessions.open_sessions(database, own.account.username)
    ended = [one.id for one in found if one.id != own.id and asked in (one.id, "others")]
    for id_ in ended:
        await end_with_session(visit.authority, id_)
        await sessions.end(database, id_)
    if ended:
        await visit.record(action="logout", about=own.account.subject)
    return bool(ended)


async def change_password(visit: Visit) -> Response:
    """Another password, for who knows the one before; ends all that was open, as a link does."""
    visit.check_form()
    if visit.session is None:
        return visit.redirect(f"{visit.root}/login")
    database, session = visit.authority.database, visit.session
    username, given = session.account.username, visit.form.get("password", "")
    if not await throttle.may_try(database, username, visit.event.source):
        await visit.record(action="password", error="too_many_attempts")
        return await account_page(visit, problem="login.many")
    if await proven_account(database, username, visit.form.get("current", "")) is None:
        await visit.record(action="password", error="wrong_password")
        return await account_page(visit, problem="account.wrong")
    await throttle.succeeded(database, username, visit.event.source)
    if not hmac.compare_digest(given.encode(), visit.form.get("again", "").encode()):
        return await account_page(visit, problem="password.differ")
    try:
        hash_ = await hashed(given, username)
    except InvalidAccount:
        return await account_page(visit, problem="password.poor")
    await set_password(database, session.account.subject, hash_)
    notice = await _changed(visit, session, "password")
    await end_with_account(visit.authority, username, is_removed=False)
    renewed = await _renewed(visit, session)
    page = await account_page(renewed, "account.password_changed")
    set_cookie(visit.authority, page, renewed.cookie)
    return _then(page, notice)


async def _renewed(visit: Visit, before: Session) -> Visit:
    """The same browser with another session, in which nobody has signed in any later."""
    database, agent = visit.authority.database, visit.http.headers.get("user-agent")
    how = sessions.SignIn(
        before.methods, agent=agent, address=visit.event.source, since=before.created
    )
    cookie = await sessions.begin(database, before.account.username, how)
    return replace(visit, cookie=cookie, session=await sessions.find_session(database, cookie))


async def codes_page(visit: Visit, problem: str = "") -> Response:
    """How to set up an authenticator app."""
    account = _recent(visit).account
    if (await second_factor.factors_of(visit.authority.database, account.subject)).has_totp:
        return visit.redirect(f"{visit.root}/account")
    secret = shown_again(visit)
    drawn = picture(visit, secret, account.username)
    status = 422 if problem else 200
    return visit.page("codes", status=status, secret=secret, picture=drawn, problem=problem)


async def set_up_codes(visit: Visit) -> Response:
    """Turn the codes of an app on with the first one; shows the recovery codes."""
    session = _changing(visit)
    database, subject = visit.authority.database, session.account.subject
    if not await throttle.may_try_code(database, subject):
        return await codes_page(visit, "login.many")
    secret, code = visit.form.get("secret", ""), visit.form.get("code", "")
    if not await totp.set_up(database, subject, secret, code):
        return await codes_page(visit, "code.wrong")
    await throttle.proved_code(database, subject)
    notice = await _changed(visit, session, "codes")
    return _then(await _recovery(visit, subject), notice)


async def recovery(visit: Visit) -> Response:
    """New recovery codes in place of those before."""
    session = _changing(visit)
    subject = session.account.subject
    if not (await second_factor.factors_of(visit.authority.database, subject)).has_totp:
        raise PageError("error.form", 409)
    notice = await _changed(visit, session, "recovery")
    return _then(await _recovery(visit, subject), notice)


async def _recovery(visit: Visit, subject: str) -> Response:
    codes = await second_factor.new_recovery_codes(visit.authority.database, subject)
    return visit.page("recovery", codes=codes, onwards=f"{visit.root}/account")


async def remove_codes(visit: Visit) -> Response:
    """Do without the authenticator app again."""
    session = _changing(visit)
    await second_factor.remove_totp(visit.authority.database, session.account.subject)
    notice = await _changed(visit, session, "no_codes")
    return _then(await account_page(visit, "account.removed"), notice)


async def new_passkey_page(visit: Visit, problem: str = "") -> Response:
    """The page that makes a passkey."""
    return await making_passkey(visit, _recent(visit).account, "account/passkey", problem)


async def add_passkey(visit: Visit) -> Response:
    """Keep the passkey that the browser made."""
    session = _changing(visit)
    try:
        await made_passkey(visit, session.account)
    except InvalidPasskey:
        await visit.record(action="factor", error="wrong_passkey")
        return await new_passkey_page(visit, "passkey.wrong")
    notice = await _changed(visit, session, "passkey")
    return _then(await account_page(visit, "passkey.added"), notice)


async def remove_passkey(visit: Visit) -> Response:
    """Forget a passkey."""
    session, id_ = _changing(visit), visit.form.get("passkey", "")
    database, subject = visit.authority.database, session.account.subject
    if not id_.isprintable() or not await passkeys.remove_passkey(database, subject, id_):
        raise PageError("error.form", 404)
    notice = await _changed(visit, session, "no_passkey")
    return _then(await account_page(visit, "account.removed"), notice)
