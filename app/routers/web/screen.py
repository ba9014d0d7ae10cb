"""One page of the web view being made: who looks, in which words, and what the engine answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Response
from fastapi.responses import HTMLResponse

from app.auth.pages import catalogue, environment
from app.fhir import json
from app.fhir.context import Call, Conditions, Context, Resource, Result
from app.fhir.errors import NotFound
from app.fhir.references import ID
from app.fhir.routing import perform
from app.isp import words as plan_words
from app.isp.resources import of_bodies
from app.isp.words import Words
from app.routers.visits import POLICY, Visit
from app.routers.web.entrance import root

HERE = Path(__file__).parent
STYLE_SHEET = (HERE / "templates" / "style.css").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Screen:
    """A visit of somebody whose token stands: everything shown is asked for in `context`.

    `patients` grows by those whose record the engine answers from.
    """

    visit: Visit
    context: Context
    patients: set[str] = field(default_factory=set)

    @property
    def words(self) -> Words:
        """The words of the page."""
        return words(self.visit.language())

    @property
    def root(self) -> str:
        """The URL that the pages are under."""
        return root(self.visit.authority)

    def id(self, kind: str = "id") -> str:
        """A logical id in the path. Raises NotFound for what could not be one."""
        found = str(self.visit.http.path_params[kind])
        if not ID.match(found):
            raise NotFound("This is no logical id.")
        return found

    async def ask(self, call: Call) -> Result:
        """What the engine answers; recorded, whether it answers or refuses."""
        routes = self.context.engine.routes
        row = next(row for row in routes if row.interaction == call.interaction)
        result = await perform(self.context, row, call)
        self.patients.update(result.patients)
        return result

    async def read(self, call: Call) -> Resource:
        """The resource that the engine answers, with references to this server made relative."""
        result = await self.ask(call)
        text = (result.content or b"{}").decode()
        [found] = of_bodies([text], self.context.base_url, lambda body: json.parse(body.encode()))
        return found

    async def change(self, path: tuple[str, str, str], body: Any, is_patch: bool = False) -> None:
        """Change what the page showed, unless somebody else did; `path`: type, id, operation."""
        type_, id_, operation = path
        version = self.visit.form.get("version", "")
        # An empty one matches nothing: no form of ours leaves it out.
        conditions = Conditions(if_match=f'W/"{version}"')
        if is_patch:
            kind = "application/json-patch+json"
            call = Call("patch", type_, id_, body=body, media_type=kind, conditions=conditions)
        else:
            call = Call(
                "operation", type_, id_, operation=operation, body=body, conditions=conditions
            )
        await self.ask(call)

    def page(self, template: str, **values: Any) -> Response:
        """A page as response."""
        return shown(self.visit, template, is_signed_in=True, **values)

    def done(self, path: str, key: str) -> Response:
        """Go on to a page that says what was done; `key` without web.done."""
        return self.visit.redirect(f"{self.root}{path}?done={key}")

    def did(self) -> str:
        """What was done before this page, in words; empty where nothing was."""
        key = f"web.done.{self.visit.form.get('done', '')}"
        return self.words(key) if key in self.words.messages else ""


@cache
def words(language: str) -> Words:
    """What the pages say, a plan says, and the pages of the sign-in say."""
    own = json.parse((HERE / "messages" / f"{language}.json").read_bytes())
    return Words(language, {**catalogue(language), **plan_words.words(language).messages, **own})


def shown(visit: Visit, template: str, status: int = 200, **values: Any) -> Response:
    """A page of the web view, with the headers that every page has."""
    spoken = words(visit.language())
    html = (
        environment(HERE / "templates")
        .get_template(f"{template}.html")
        .render(
            words=spoken,
            root=root(visit.authority),
            pages=visit.root,
            csrf=visit.csrf,
            **values,
        )
    )
    response = visit.sealed(HTMLResponse(html, status))
    response.headers["Content-Security-Policy"] = f"{POLICY} 'self'; img-src 'self'"
    return response


def passed_on(visit: Visit, result: Result) -> Response:
    """What an operation made, as it made it, under its own policy."""
    response = visit.sealed(Response(result.content, result.status, media_type=result.media_type))
    for name, value in result.headers.items():
        response.headers[name] = value
    return response


def parameters(given: Mapping[str, tuple[str, Any]]) -> Resource:
    """Parameters by name: the element and its value; what is empty is left out."""
    parts = [
        {"name": n, element: value}
        for n, (element, value) in given.items()
        if value not in (None, "")
    ]
    return {"resourceType": "Parameters", **({"parameter": parts} if parts else {})}
