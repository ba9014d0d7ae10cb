"""The authorization endpoint: from an app's redirect to the page where a person decides, and back.

https://hl7.org/fhir/smart-app-launch/app-launch.html#obtain-authorization-code
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from fastapi import Response

from app.auth.approvals import Decision, approve
from app.auth.authorization_requests import choose, keep, kept, use_up
from app.auth.authorize import Authorization, check_authorization, location, told
from app.auth.errors import (
    AccessDenied,
    ConsentRequired,
    InvalidRequest,
    LoginRequired,
    OAuthError,
)
from app.auth.launches import Launch, find_launch
from app.auth.plain_words import FIXED, Worded, in_words
from app.auth.pushed_requests import take
from app.auth.sessions import Session
from app.routers.people import Person, Reader
from app.routers.visits import PageError, Visit


@dataclass(frozen=True, slots=True)
class Matter:
    """What is to be decided: by whom, for which app, with which launch and chosen patient."""

    handle: str
    asked: Authorization
    session: Session
    launch: Launch | None
    patient: str | None

    def reader(self, visit: Visit) -> Reader:
        """Reads as the person who decides."""
        event = visit.event
        account, client = self.session.account, self.asked.client
        return Reader(visit.engine, account, client, event.request_id, event.source)


async def authorize(visit: Visit) -> Response:
    """Take an app's request, and lead the person to the page that asks."""
    authority = visit.authority
    pushed = await take(authority.database, visit.form)
    parameters = visit.form if pushed is None else pushed
    asked = await check_authorization(authority, parameters)
    if pushed is None and asked.client.require_pushed_authorization_requests:
        raise _refusal(visit, asked, InvalidRequest("this app has to push its requests"))
    if asked.launch and not await find_launch(authority.database, asked.launch, asked.client.id):
        raise _refusal(visit, asked, InvalidRequest("the launch is unknown, expired, or was used"))
    if "none" in asked.prompt:
        is_fresh = visit.session and _is_fresh(visit.session, asked, datetime.now(UTC))
        error = ConsentRequired if is_fresh else LoginRequired
        raise _refusal(visit, asked, error("prompt=none: the person has to be asked"))
    handle = await keep(authority.database, parameters)
    return visit.redirect(f"{visit.root}/approve?request={handle}")


def _refusal(visit: Visit, asked: Authorization, error: OAuthError) -> Exception:
    return told(visit.authority, asked.client, asked.redirect_uri, asked.state, error)


def _is_fresh(session: Session, asked: Authorization, asked_at: datetime) -> bool:
    """Whether somebody signed in recently enough for what the app wants."""
    if asked.prompt & {"login", "select_account"} and session.created < asked_at:
        return False
    age = (asked_at - session.created).total_seconds()
    return asked.max_age is None or age <= asked.max_age


async def approve_page(visit: Visit) -> Response:
    """The page that asks, after those that have to come before it."""
    matter = await _matter(visit)
    if matter is None:
        return visit.redirect(f"{visit.root}/login?request={visit.form.get('request', '')}")
    person, page = await _person(visit, matter)
    if page is not None:
        return page
    return visit.page(
        "approve",
        matter.asked,
        app=matter.asked.client.name,
        request=matter.handle,
        username=matter.session.account.username,
        person=_name(matter, person) or "",
        scopes=_in_words(visit, matter, person),
        host=urlsplit(matter.asked.redirect_uri).netloc or matter.asked.client.name,
    )


async def _matter(visit: Visit) -> Matter | None:
    """What is to be decided; None when somebody has to sign in first.

    Raises PageError when nothing is: decided already, or too late.
    """
    database, handle = visit.authority.database, visit.form.get("request", "")
    found = await kept(database, handle)
    if found is None:
        raise PageError("error.form")
    patient = found.patient
    asked = await check_authorization(visit.authority, found.parameters)
    if visit.session is None or not _is_fresh(visit.session, asked, found.asked_at):
        return None
    launch = None
    if asked.launch:
        launch = await find_launch(database, asked.launch, asked.client.id)
        if launch is None:
            raise _refusal(visit, asked, InvalidRequest("the launch expired, or was used"))
        if launch.username not in (None, visit.session.account.username):
            raise PageError("error.launch_user", 403)
        patient = launch.patient or patient
    return Matter(handle, asked, visit.session, launch, patient)


async def _person(visit: Visit, matter: Matter) -> tuple[Person | None, Response | None]:
    """The patient in context, if there has to be one; or the page that asks which."""
    if not matter.asked.needs_patient and matter.patient is None:
        return None, None
    reader = matter.reader(visit)
    if matter.patient is not None:
        person = await reader.person(matter.patient)
        if person is not None:
            return person, None
        if matter.launch and matter.launch.patient:
            error = AccessDenied("the person who signed in may not open these records")
            raise _refusal(visit, matter.asked, error)
    people, has_more = await reader.people()
    if len(people) == 1:
        return people[0], None
    return None, _picker(visit, matter, people, is_long=has_more)


def _picker(visit: Visit, matter: Matter, people: list[Person], *, is_long: bool) -> Response:
    return visit.page(
        "patient",
        matter.asked,
        app=matter.asked.client.name,
        request=matter.handle,
        people=people,
        is_long=is_long,
        name=visit.form.get("name", ""),
    )


async def search_page(visit: Visit) -> Response:
    """The people of a name, to choose from."""
    visit.check_form()
    matter = await _decidable(visit)
    name = visit.form.get("name", "")[:100]
    people, has_more = await matter.reader(visit).people(name if name.isprintable() else "")
    return _picker(visit, matter, people, is_long=has_more)


async def choose_patient(visit: Visit) -> Response:
    """Note who was chosen; whether they may be is judged each time it is used."""
    visit.check_form()
    matter = await _decidable(visit)
    patient = visit.form.get("patient", "")
    if await matter.reader(visit).person(patient) is None:
        raise PageError("error.form", 404)
    await choose(visit.authority.database, matter.handle, patient)
    return visit.redirect(f"{visit.root}/approve?request={matter.handle}")


async def _decidable(visit: Visit) -> Matter:
    matter = await _matter(visit)
    if matter is None:
        raise PageError("error.form", 403)
    return matter


async def decide(visit: Visit) -> Response:
    """Do what the person decided: a code for the app, or that it was refused."""
    visit.check_form()
    matter = await _decidable(visit)
    asked = matter.asked
    if visit.form.get("decision") != "allow":
        await _forget(visit, matter)
        raise _refusal(visit, asked, AccessDenied("the person refused"))
    person, page = await _person(visit, matter)
    if page is not None:
        return page
    decision = await _decision(visit, matter, person)
    try:
        code = await approve(visit.authority, matter.handle, asked, matter.session, decision)
    except InvalidRequest:
        raise PageError("error.form") from None
    await visit.record(
        client_id=asked.client.id, scope=" ".join(decision.scope), patient=decision.patient
    )
    said = {"code": code, "state": asked.state}
    return visit.sealed(visit.redirect(location(visit.authority, asked.redirect_uri, said)), asked)


async def _forget(visit: Visit, matter: Matter) -> None:
    async with visit.authority.database.transaction() as connection:
        await use_up(connection, matter.handle)


async def _decision(visit: Visit, matter: Matter, person: Person | None) -> Decision:
    """What was left checked, with the context of the launch. Raises Redirected for nothing."""
    checked = {value for name, value in visit.form.items() if name.startswith("scope-")}
    granted = tuple(text for text in matter.asked.scope if text in checked or text in FIXED)
    if not checked.intersection(granted):
        await _forget(visit, matter)
        raise _refusal(visit, matter.asked, AccessDenied("the person left nothing checked"))
    context: dict[str, Any] = dict(matter.launch.context) if matter.launch else {}
    if "launch/careplan" in granted and person and "fhirContext" not in context:
        plans = await matter.reader(visit).active_plans(person.id)
        context |= {"fhirContext": plans} if plans else {}
    return Decision(granted, person.id if person else None, context)


def _name(matter: Matter, person: Person | None) -> str | None:
    """The patient's name, None where people decide about their own records."""
    if person is None or matter.session.account.fhir_user == f"Patient/{person.id}":
        return None
    return person.name


def _in_words(visit: Visit, matter: Matter, person: Person | None) -> list[Worded]:
    language, name = visit.language(matter.asked), _name(matter, person)
    return [in_words(text, language, name) for text in matter.asked.scope]
