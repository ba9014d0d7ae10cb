"""The operator's pages: who has an account, and which software asks to be registered."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from fastapi import Response

from app.auth.account_state import Listed, listed, set_locked
from app.auth.accounts import Account, InvalidAccount, find_account
from app.auth.approvals import end_with_account
from app.auth.authority import Authority
from app.auth.clients import InvalidRegistration
from app.auth.invitations import invite
from app.auth.links import Invitation
from app.auth.mail import MailFailed
from app.auth.notices import notify
from app.auth.pages import LANGUAGES
from app.auth.plain_words import for_operator
from app.auth.registrations import Pending, approve_client, pending, refuse_client
from app.auth.roles import ROLES
from app.auth.second_factor import remove_all
from app.routers.visits import PageError, Visit

OPERATOR = "operator"


def _operates(visit: Visit) -> None:
    """Let nobody but an operator know that there is such a page. Raises PageError."""
    if visit.session is None or visit.session.account.role != OPERATOR:
        raise PageError("error.none", 404)


async def users_page(visit: Visit, said: str = "", problem: str = "", detail: str = "") -> Response:
    """The accounts, and the form that invites somebody."""
    if visit.session is None:
        return visit.redirect(f"{visit.root}/login")
    _operates(visit)
    found = await listed(visit.authority.database)
    return visit.page(
        "users",
        status=422 if problem else 200,
        said=said,
        problem=problem,
        detail=detail,
        users=[_user(one) for one in found],
        roles=list(ROLES),
        languages=LANGUAGES,
        typed=visit.form if problem else {},
    )


def _user(one: Listed) -> dict[str, Any]:
    return {
        "username": one.username,
        "role": one.role,
        "fhir_user": one.fhir_user,
        "email": one.email or "",
        "locked": f"{one.locked:%Y-%m-%d}" if one.locked else "",
        "sessions": one.sessions,
        "has_second_factor": one.has_second_factor,
    }


async def invite_user(visit: Visit) -> Response:
    """Mail somebody a link to an account."""
    visit.check_form()
    _operates(visit)
    form = visit.form
    email = form.get("email", "")
    asked = Invitation(
        username=form.get("username") or email,
        email=email,
        fhir_user=form.get("fhir_user", ""),
        role=form.get("role", ""),
        organization=form.get("organization"),
    )
    language = form.get("language", "")
    try:
        await invite(visit.authority, asked, language if language in LANGUAGES else LANGUAGES[0])
    except InvalidAccount as error:
        await visit.record(action="invite", error="invalid_request")
        return await users_page(visit, problem="users.invalid", detail=str(error))
    except MailFailed:
        await visit.record(action="invite", error="server_error")
        return await users_page(visit, problem="users.unsent")
    await visit.record(action="invite", about=asked.fhir_user, description=asked.role)
    return await users_page(visit, "users.invited")


Act = Callable[[Authority, Account], Awaitable[None]]


async def _lock(authority: Authority, account: Account) -> None:
    await set_locked(authority.database, account.subject, is_locked=True)
    await end_with_account(authority, account.username, is_removed=False)


async def _unlock(authority: Authority, account: Account) -> None:
    await set_locked(authority.database, account.subject, is_locked=False)


async def _end(authority: Authority, account: Account) -> None:
    await end_with_account(authority, account.username, is_removed=False)


async def _forget(authority: Authority, account: Account) -> None:
    await remove_all(authority.database, account.subject)
    await end_with_account(authority, account.username, is_removed=False)
    await notify(authority, account, "forgotten", LANGUAGES[0])


ACTS: Mapping[str, Act] = MappingProxyType(
    {"lock": _lock, "unlock": _unlock, "end": _end, "forget": _forget}
)
"""What an operator may do with an account, by the button."""


async def change_user(visit: Visit) -> Response:
    """Lock an account, open it, sign it out everywhere, or take its second factors away."""
    visit.check_form()
    _operates(visit)
    username, act = visit.form.get("username", ""), visit.form.get("act", "")
    authority = visit.authority
    account = await find_account(authority.database, username) if username.isprintable() else None
    if account is None or act not in ACTS:
        raise PageError("error.form", 404)
    # Before it is done: an operator who locks their own account ends the session that says who.
    await visit.record(action="account", about=account.subject, description=act)
    await ACTS[act](authority, account)
    if visit.session and account.username == visit.session.account.username:
        return visit.redirect(f"{visit.root}/users")
    return await users_page(visit, f"users.{act}.done")


async def registrations_page(
    visit: Visit, said: str = "", problem: str = "", detail: str = ""
) -> Response:
    """What asked to be registered, in plain words."""
    if visit.session is None:
        return visit.redirect(f"{visit.root}/login")
    _operates(visit)
    waiting = await pending(visit.authority.database)
    return visit.page(
        "registrations",
        status=422 if problem else 200,
        said=said,
        problem=problem,
        detail=detail,
        waiting=[_asked(visit, one) for one in waiting],
        roles=list(ROLES),
    )


def _asked(visit: Visit, one: Pending) -> dict[str, Any]:
    language, metadata = visit.language(), one.metadata
    scopes = metadata.get("scope", "").split()
    return {
        "id": one.client_id,
        "digest": one.digest,
        "name": metadata.get("client_name", one.client_id),
        "requested": f"{one.requested:%Y-%m-%d}",
        "method": metadata["token_endpoint_auth_method"],
        "uris": metadata["redirect_uris"],
        "jwks_uri": metadata.get("jwks_uri", ""),
        "scope": " ".join(scopes),
        "words": [for_operator(text, language) for text in scopes],
    }


async def decide_registration(visit: Visit) -> Response:
    """Make a client of what was shown, or refuse it."""
    visit.check_form()
    _operates(visit)
    form, database = visit.form, visit.authority.database
    client_id, shown = form.get("client_id", ""), form.get("digest", "")
    is_approved = form.get("decision") == "approve"
    wished = {name: form.get(name) for name in ("scope", "role", "organization", "purpose")}
    try:
        if not all(value.isprintable() for value in form.values()):
            raise InvalidRegistration("a text has characters that cannot be printed")
        if is_approved:
            await approve_client(database, client_id, shown, **wished)
        else:
            await refuse_client(database, client_id, shown)
    except (InvalidRegistration, LookupError) as error:
        await visit.record(action="register", error="invalid_request")
        detail = str(error.args[0])
        return await registrations_page(visit, problem="registrations.invalid", detail=detail)
    said = "approved" if is_approved else "refused"
    await visit.record(action="register", about=client_id, description=said)
    return await registrations_page(visit, f"registrations.{said}")
