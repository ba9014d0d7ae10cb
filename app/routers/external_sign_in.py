"""To another provider and back, in the person's browser. docs/external-issuers.md"""

from dataclasses import replace

from fastapi import Response

from app.auth import sessions
from app.auth.external_sign_in import NotSignedIn, arrival, departure
from app.auth.handles import is_handle
from app.routers.sign_in import asked_for, begun, onwards
from app.routers.visits import PageError, Visit

ANEW = frozenset({"login", "select_account"})


async def depart(visit: Visit) -> Response:
    """Send the person to sign in with the provider they chose."""
    issuer = visit.authority.providers.issuers.find(visit.form.get("issuer"))
    if issuer is None or issuer.sign_in is None:
        raise PageError("error.form", 404)
    handle = visit.form.get("request", "")
    asked = await asked_for(visit)
    is_anew = asked is not None and bool(asked.prompt & ANEW or asked.max_age is not None)
    request = handle if is_handle(handle) else ""
    try:
        url = await departure(visit.authority, issuer, visit.cookie, request, is_anew=is_anew)
    except NotSignedIn as error:
        raise await _failed(visit, error) from error
    return visit.redirect(url)


async def come_back(visit: Visit) -> Response:
    """Sign in who was vouched for: a new session, whatever the browser held before."""
    try:
        arrived = await arrival(visit.authority, visit.cookie, visit.form)
    except NotSignedIn as error:
        raise await _failed(visit, error) from error
    account = arrived.account
    who = replace(visit.event, action="login", user=account.subject)
    await visit.authority.audit(replace(who, fhir_user=account.fhir_user, role=account.role))
    # How they proved it is the provider's matter, of which we vouch for nothing.
    agent = visit.http.headers.get("user-agent")
    how = sessions.SignIn((), agent=agent, address=visit.event.source)
    return await begun(visit, account, how, onwards(visit, arrived.request))


async def _failed(visit: Visit, error: NotSignedIn) -> PageError:
    """The trail has why; the person, who may be an attacker, is told that it did not work."""
    event = replace(visit.event, action="login", error="access_denied", description=str(error))
    await visit.authority.audit(event)
    return PageError("error.external", 403)
