"""The step after the password: a code, or setting the codes up where a role demands them."""

from dataclasses import replace

import segno
from fastapi import Response
from markupsafe import Markup
from starlette.background import BackgroundTask

from app.auth import passkeys, second_factor, throttle, totp
from app.auth.handles import is_handle
from app.auth.notices import notify
from app.auth.passkeys import InvalidPasskey, is_possible
from app.auth.second_factor import Factors, factors_of, new_recovery_codes
from app.auth.sessions import Session, find_begun
from app.auth.throttle import WINDOW
from app.routers.passkey import made_passkey, making_passkey
from app.routers.sign_in import asked_for, onwards, signed_in
from app.routers.visits import Visit

METHODS = ("pwd", "otp", "mfa")
"""https://www.rfc-editor.org/rfc/rfc8176#section-2"""


async def code_page(visit: Visit, problem: str = "", status: int = 200) -> Response:
    """The form that asks for a code; for who has no second factor yet, with how to set it up.

    A form that was sent and refused shows the secret it had.
    """
    begun = await find_begun(visit.authority.database, visit.cookie)
    if begun is None:
        return visit.redirect(f"{visit.root}/login")
    factors = await factors_of(visit.authority.database, begun.account.subject)
    secret = None if factors.is_any else shown_again(visit)
    page = visit if is_handle(visit.form.get("request", "")) else replace(visit, form={})
    return await _page(page, begun, factors, secret, (problem, status))


async def _page(
    visit: Visit, begun: Session, factors: Factors, secret: str | None, problem: tuple[str, int]
) -> Response:
    return visit.page(
        "code",
        await asked_for(visit),
        problem[1],
        problem=problem[0],
        request=visit.form.get("request", ""),
        has_totp=factors.has_totp,
        has_passkey=factors.passkeys > 0 and is_possible(visit.authority),
        can_make_passkey=not factors.is_any and is_possible(visit.authority),
        secret=secret,
        picture=picture(visit, secret, begun.account.username) if secret else "",
    )


def shown_again(visit: Visit) -> str:
    """The secret of the form that was sent; for who comes by a link, a new one."""
    sent = visit.form.get("secret", "") if visit.http.method == "POST" else ""
    return sent if totp.is_secret(sent) else totp.new_secret()


def picture(visit: Visit, secret: str, username: str) -> Markup:
    """The secret as a QR code that an authenticator app reads, in SVG."""
    code = segno.make(totp.address(secret, username, visit.say("title")), error="m")
    drawn = code.svg_inline(scale=4, border=4, light="#fff", svgclass=None, lineclass=None)
    return Markup(drawn)


async def code(visit: Visit) -> Response:
    """Take the code: then the session is complete."""
    visit.check_form()
    database = visit.authority.database
    begun = await find_begun(database, visit.cookie)
    if begun is None:
        return visit.redirect(f"{visit.root}/login")
    subject, given = begun.account.subject, visit.form.get("code", "")
    event = replace(visit.event, action="login", user=subject, role=begun.account.role)
    if not await throttle.may_try_code(database, subject):
        await visit.authority.audit(replace(event, error="too_many_attempts"))
        response = await code_page(visit, "login.many", 429)
        response.headers["Retry-After"] = str(WINDOW)
        return response
    factors = await factors_of(database, subject)
    secret = visit.form.get("secret", "")
    is_new = not factors.is_any and await totp.set_up(database, subject, secret, given)
    if not is_new and not await second_factor.is_proven(database, subject, given):
        await visit.authority.audit(replace(event, error="wrong_code"))
        return await code_page(visit, "code.wrong", 403)
    await throttle.proved_code(database, subject)
    response = await signed_in(visit, begun.account, METHODS)
    return await _with_recovery_codes(visit, begun, response) if is_new else response


async def new_passkey_page(visit: Visit, problem: str = "") -> Response:
    """The page that makes a passkey, for who has no second factor yet and needs one."""
    begun = await _without_factor(visit)
    if begun is None:
        return visit.redirect(f"{visit.root}/login")
    return await making_passkey(visit, begun.account, "second-factor/passkey", problem)


async def add_passkey(visit: Visit) -> Response:
    """Keep the passkey: then the session is complete."""
    visit.check_form()
    begun = await _without_factor(visit)
    if begun is None:
        return visit.redirect(f"{visit.root}/login")
    account = begun.account
    event = replace(visit.event, action="factor", user=account.subject, role=account.role)
    try:
        await made_passkey(visit, account)
    except InvalidPasskey:
        await visit.authority.audit(replace(event, error="wrong_passkey"))
        return await new_passkey_page(visit, "passkey.wrong")
    await visit.authority.audit(replace(event, about=account.subject, description="passkey"))
    response = await signed_in(visit, account, ("pwd", *passkeys.METHODS))
    language = visit.language()
    response.background = BackgroundTask(notify, visit.authority, account, "passkey", language)
    return response


async def _without_factor(visit: Visit) -> Session | None:
    """The session that was begun, of somebody who has nothing a stranger could be asked for."""
    begun = await find_begun(visit.authority.database, visit.cookie)
    if begun is None:
        return None
    found = await factors_of(visit.authority.database, begun.account.subject)
    return None if found.is_any else begun


async def _with_recovery_codes(visit: Visit, begun: Session, onward: Response) -> Response:
    """The codes for who loses their app, in place of the redirect, with the cookie it carried."""
    account = begun.account
    event = replace(visit.event, action="factor", user=account.subject, role=account.role)
    await visit.authority.audit(replace(event, about=account.subject, description="codes"))
    codes = await new_recovery_codes(visit.authority.database, account.subject)
    response = replace(visit, is_new=False).page(
        "recovery", codes=codes, onwards=onwards(visit, visit.form.get("request", ""))
    )
    response.raw_headers.extend(
        (name, value) for name, value in onward.raw_headers if name == b"set-cookie"
    )
    language = visit.language()
    response.background = BackgroundTask(notify, visit.authority, account, "codes", language)
    return response
