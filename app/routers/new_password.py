"""Links from mails: an account for who was invited, a new password for who forgot theirs."""

import logging
from dataclasses import replace

from fastapi import Response
from starlette.background import BackgroundTask

from app.auth import throttle
from app.auth.accounts import MIN_PASSWORD, InvalidAccount
from app.auth.handles import is_handle
from app.auth.invitations import LinkGone, offer_reset, redeem
from app.auth.links import find_link
from app.auth.notices import notify
from app.auth.sessions import is_secure
from app.auth.throttle import WINDOW
from app.fhir.errors import FHIRError
from app.routers.visits import PageError, Visit
from app.storage.database import DatabaseAway

log = logging.getLogger(__name__)

KEPT = 1_800
"""Seconds a browser keeps the link it followed."""


async def forgot_page(visit: Visit, problem: str = "", status: int = 200) -> Response:
    """The form that asks whose password is forgotten."""
    return visit.page("forgot", status=status, problem=problem)


async def forgot(visit: Visit) -> Response:
    """Say that a mail is on its way if there is anybody to send it to; then see whether there is.

    The answer is gone by then, so its time says nothing either.
    """
    visit.check_form()
    named, event = visit.form.get("username", "")[:320], visit.event
    if not await throttle.may_ask_for_mail(visit.authority.database, named, event.source):
        response = await forgot_page(visit, "login.many", 429)
        response.headers["Retry-After"] = str(WINDOW)
        return response
    response = visit.page("sent")
    response.background = BackgroundTask(_mail, visit, named)
    return response


async def _mail(visit: Visit, named: str) -> None:
    event = replace(visit.event, action="password", description="a link was mailed")
    if not named.isprintable():
        return
    try:
        await offer_reset(visit.authority, event, named, visit.language())
    except (DatabaseAway, FHIRError) as error:
        log.error("a mail for a new password was not made: %s", type(error).__name__)


async def follow(visit: Visit) -> Response:
    """Take the link out of the address, so that no page, form or referrer has it."""
    token = str(visit.http.path_params["token"])
    response = visit.redirect(f"{visit.root}/password")
    _keep(visit, response, token if is_handle(token) else "", KEPT)
    return response


async def password_page(visit: Visit, problem: str = "", status: int = 200) -> Response:
    """The form that asks for the new password."""
    link = await find_link(visit.authority.database, _kept(visit))
    if link is None:
        raise PageError("link.gone", 404)
    username = link.invitation.username if link.invitation else ""
    return visit.page(
        "password", status=status, username=username, problem=problem, least=MIN_PASSWORD
    )


async def choose_password(visit: Visit) -> Response:
    """Use the link up for this password; everybody signs in again afterwards."""
    visit.check_form()
    event = replace(visit.event, action="password")
    password = visit.form.get("password", "")
    if password != visit.form.get("again", ""):
        return await password_page(visit, "password.differ", 422)
    link = await find_link(visit.authority.database, _kept(visit))
    try:
        account = await redeem(visit.authority, _kept(visit), password)
    except InvalidAccount:
        return await password_page(visit, "password.poor", 422)
    except LinkGone as error:
        await visit.authority.audit(replace(event, error="invalid_grant"))
        raise PageError("link.gone", 404) from error
    who = replace(event, user=account.subject, fhir_user=account.fhir_user, role=account.role)
    await visit.authority.audit(replace(who, about=account.subject, description="chosen by a link"))
    response = visit.page("welcome", username=account.username)
    _keep(visit, response, "", 0)
    if link and link.subject:
        told = (visit.authority, account, "password", visit.language())
        response.background = BackgroundTask(notify, *told)
    return response


def _kept(visit: Visit) -> str:
    return visit.http.cookies.get(_name(visit), "")


def _name(visit: Visit) -> str:
    return "__Host-isp-link" if is_secure(visit.authority) else "isp-link"


def _keep(visit: Visit, response: Response, value: str, age: int) -> None:
    secure = is_secure(visit.authority)
    response.set_cookie(
        _name(visit),
        value,
        max_age=age,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
