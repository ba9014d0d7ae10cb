"""Signing in with a passkey: the device knows the person, and says who they are."""

from dataclasses import replace

from fastapi import Response

from app.auth import throttle
from app.auth.accounts import Account
from app.auth.handles import is_handle
from app.auth.passkeys import METHODS, InvalidPasskey, is_possible
from app.routers.sign_in import asked_for, signed_in
from app.routers.visits import PageError, Visit


async def passkey_page(visit: Visit, problem: str = "", status: int = 200) -> Response:
    """The page that asks the browser for a passkey."""
    from app.auth import ceremonies

    if not is_possible(visit.authority):
        raise PageError("passkey.impossible", 404)
    options = await ceremonies.sign_in_options(visit.authority, visit.cookie)
    request = visit.form.get("request", "")
    handle = request if is_handle(request) else ""
    asked = await asked_for(visit)
    page = visit.page("passkey", asked, status, options=options, request=handle, problem=problem)
    return visit.scripted(page)


async def making_passkey(
    visit: Visit, account: Account, action: str, problem: str = ""
) -> Response:
    """The page that makes a passkey, and sends it to `action`."""
    from app.auth import ceremonies

    if not is_possible(visit.authority):
        raise PageError("passkey.impossible", 404)
    request = visit.form.get("request", "")
    page = visit.page(
        "new-passkey",
        await asked_for(visit),
        422 if problem else 200,
        options=await ceremonies.registration_options(visit.authority, account, visit.cookie),
        action=action,
        request=request if is_handle(request) else "",
        is_begun=visit.session is None,
        problem=problem,
    )
    return visit.scripted(page)


async def made_passkey(visit: Visit, account: Account) -> None:
    """Keep the passkey that the browser made. Raises InvalidPasskey."""
    from app.auth import ceremonies

    answer, name = visit.form.get("answer", ""), visit.form.get("name", "")
    name = name if name.isprintable() else ""
    await ceremonies.register_passkey(visit.authority, account, visit.cookie, answer, name)


async def passkey(visit: Visit) -> Response:
    """Sign in whose passkey it is: two factors at once, as the device asked for one of them."""
    from app.auth import ceremonies

    visit.check_form()
    event = replace(visit.event, action="login")
    if not await throttle.may_try(visit.authority.database, visit.cookie, event.source):
        await visit.authority.audit(replace(event, error="too_many_attempts"))
        return await passkey_page(visit, "login.many", 429)
    answer = visit.form.get("answer", "")
    try:
        account = await ceremonies.account_of_passkey(visit.authority, visit.cookie, answer)
    except InvalidPasskey:
        await visit.authority.audit(replace(event, error="wrong_passkey"))
        return await passkey_page(visit, "passkey.wrong", 403)
    await throttle.succeeded(visit.authority.database, visit.cookie, event.source)
    return await signed_in(visit, account, METHODS)
