"""Signing in, signing out, and the apps that somebody connected."""

from dataclasses import replace
from typing import Any

from fastapi import Response

from app.auth import sessions, throttle
from app.auth.accounts import Account, proven_account
from app.auth.approvals import (
    ConnectedApp,
    connected_apps,
    end_approval,
    end_with_session,
    owned_by,
)
from app.auth.authorization_requests import kept
from app.auth.authorize import Authorization, check_authorization
from app.auth.handles import digest, is_handle
from app.auth.pages import say
from app.auth.passkeys import is_possible
from app.auth.plain_words import in_words
from app.auth.second_factor import factors_of, is_asked
from app.auth.throttle import WINDOW
from app.routers.visits import PageError, Visit, set_cookie


async def login_page(visit: Visit, problem: str = "", status: int = 200) -> Response:
    """The form that asks for name and password, told for which app."""
    asked = await asked_for(visit)
    handle = visit.form.get("request", "")
    return visit.page(
        "login",
        asked,
        status,
        app=asked.client.name if asked else "",
        request=handle if is_handle(handle) else "",
        problem=problem,
        providers=[each for each in visit.authority.providers.issuers.issuers if each.sign_in],
        has_passkeys=is_possible(visit.authority),
    )


async def asked_for(visit: Visit) -> Authorization | None:
    """What the app asked for whose request this is about; None when there is none any more."""
    found = await kept(visit.authority.database, visit.form.get("request", ""))
    return await check_authorization(visit.authority, found.parameters) if found else None


async def login(visit: Visit) -> Response:
    """Sign in: a new session whatever the browser held before, so that none can be planted."""
    visit.check_form()
    database, event = visit.authority.database, replace(visit.event, action="login")
    username, password = visit.form.get("username", ""), visit.form.get("password", "")
    if not await throttle.may_try(database, username, event.source):
        await visit.authority.audit(replace(event, error="too_many_attempts"))
        response = await login_page(visit, "login.many", 429)
        response.headers["Retry-After"] = str(WINDOW)
        return response
    account = await proven_account(database, username, password)
    if account is None:
        await visit.authority.audit(replace(event, error="wrong_password"))
        return await login_page(visit, "login.wrong", 403)
    await throttle.succeeded(database, username, event.source)
    factors = await factors_of(database, account.subject)
    if is_asked(visit.authority, account, factors):
        handle = visit.form.get("request", "")
        asked = f"?request={handle}" if is_handle(handle) else ""
        how = sessions.SignIn(is_complete=False)
        return await begun(visit, account, how, f"{visit.root}/second-factor{asked}")
    return await signed_in(visit, account, ("pwd",))


async def signed_in(visit: Visit, account: Account, methods: tuple[str, ...]) -> Response:
    """Begin the session of somebody who proved who they are in these ways, and lead onwards."""
    event = replace(visit.event, action="login", description=" ".join(methods))
    who = replace(event, user=account.subject, fhir_user=account.fhir_user, role=account.role)
    await visit.authority.audit(who)
    agent = visit.http.headers.get("user-agent")
    how = sessions.SignIn(methods, agent=agent, address=visit.event.source)
    return await begun(visit, account, how, onwards(visit, visit.form.get("request", "")))


async def begun(visit: Visit, account: Account, how: sessions.SignIn, url: str) -> Response:
    """A new cookie for the browser; what its cookie stood for before ends."""
    database = visit.authority.database
    await sessions.end(database, digest(visit.cookie))
    cookie = await sessions.begin(database, account.username, how)
    response = replace(visit, is_new=False).redirect(url)
    set_cookie(visit.authority, response, cookie)
    return response


def onwards(visit: Visit, handle: str) -> str:
    """Where to go after signing in: only ever to a page of ours."""
    if is_handle(handle):
        return f"{visit.root}/approve?request={handle}"
    return f"{visit.root}/apps"


async def logout(visit: Visit) -> Response:
    """Sign out: ends the session, and what was approved only for as long."""
    visit.check_form()
    if visit.session:
        await end_with_session(visit.authority, visit.session.id)
        await sessions.end(visit.authority.database, visit.session.id)
        await visit.record(action="logout")
    if visit.form.get("request"):
        return await login_page(visit)
    response = visit.page("goodbye")
    response.delete_cookie(
        sessions.cookie_name(visit.authority), secure=sessions.is_secure(visit.authority)
    )
    return response


async def apps(visit: Visit, *, was_revoked: bool = False) -> Response:
    """The apps somebody connected: what each may do, since when, when it last did."""
    if visit.session is None:
        return visit.redirect(f"{visit.root}/login")
    account = visit.session.account
    found = await connected_apps(visit.authority.database, account.username)
    shown = [_shown(visit, app, account) for app in found]
    return visit.page("apps", username=account.username, apps=shown, was_revoked=was_revoked)


def _shown(visit: Visit, app: ConnectedApp, account: Account) -> dict[str, Any]:
    is_own = app.patient is None or account.fhir_user == f"Patient/{app.patient}"
    name = None if is_own else say(visit.language(), "apps.chosen")
    return {
        "id": app.id,
        "name": app.name,
        "created": f"{app.created:%Y-%m-%d}",
        "last_used": f"{app.last_used or app.created:%Y-%m-%d}",
        "scopes": [in_words(text, visit.language(), name).words for text in app.scope.split()],
    }


async def disconnect(visit: Visit) -> Response:
    """End what somebody approved, at once and everywhere."""
    visit.check_form()
    if visit.session is None:
        return visit.redirect(f"{visit.root}/login")
    approval = visit.form.get("approval", "")
    username = visit.session.account.username
    client_id = await owned_by(visit.authority.database, approval, username)
    if client_id is None:
        raise PageError("error.form", 404)
    await end_approval(visit.authority, approval)
    await visit.record(action="revoke", client_id=client_id)
    return await apps(visit, was_revoked=True)
