"""Which value set or code system a terminology operation is asked of, and about which code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.fhir import json
from app.fhir.canonicals import code_system as find_code_system
from app.fhir.canonicals import find, terminology
from app.fhir.context import Call, Context, Resource
from app.fhir.errors import BadRequest, NotFound, Unprocessable
from app.fhir.interactions.read import read
from app.fhir.operations.parameters import text_of
from app.fhir.routing import authorize
from app.fhir.terminology.code_system import CodeSystem
from app.fhir.terminology.code_system import read as read_code_system
from app.fhir.terminology.held import Held
from app.fhir.validation.structure import validate

Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Coding:
    """A code, as a coding has it."""

    system: str | None
    code: str
    display: str | None = None


async def value_set(ctx: Context, call: Call, given: Given) -> Resource:
    """The value set of the URL, at the url, or in the request. Raises NotFound, BadRequest."""
    if call.id is not None:
        return await _stored(ctx, call)
    if "valueSet" in given:
        return _sent("ValueSet", given["valueSet"])
    url = text_of("url", given.get("url"))
    if not url:
        raise BadRequest("Name a value set: by url, or send it as valueSet.", code="required")
    version = text_of("valueSetVersion", given.get("valueSetVersion"))
    found = await find(ctx, "ValueSet", f"{url}|{version}" if version else url)
    if found is None:
        raise NotFound(f"The value set {url} is not held here.")
    return found


def _sent(type_: str, resource: Any) -> Resource:
    if not isinstance(resource, dict) or (issues := validate(resource, type_)):
        raise BadRequest(f"The {type_} is not valid.", issues=issues if resource else ())
    return resource


async def _stored(ctx: Context, call: Call) -> Resource:
    authorize(ctx, "r", call.type)
    found = await read(ctx, Call("read", call.type, call.id))
    resource: Resource = json.parse(found.content)
    return resource


async def held(ctx: Context, asked: Resource) -> Held:
    """What is held of all that the value set is made from."""
    return await terminology(ctx, [asked], ())


async def code_system(ctx: Context, call: Call, url: str | None) -> CodeSystem:
    """The code system of the URL or at this url. Raises NotFound where it is not held."""
    if call.id is not None:
        resource = await _stored(ctx, call)
        if "url" not in resource:
            raise Unprocessable("The CodeSystem has no url.", expression=["CodeSystem.url"])
        return read_code_system(resource)
    if not url:
        raise BadRequest("Name the code system: by system, or in a coding.", code="required")
    found = await find_code_system(ctx, url)
    if found is None:
        raise NotFound(f"The code system {url} is not held here.")
    return found


def codes(given: Given, system: str = "system", suffix: str = "") -> list[Coding]:
    """The code that is asked about: code and system, a coding, or all codings of a concept."""
    concept = given.get("codeableConcept") if not suffix else None
    found = [_asked(one) for one in _codings(concept)]
    if (coding := given.get(f"coding{suffix}")) is not None:
        found.append(_asked(coding))
    if (code := text_of("code", given.get(f"code{suffix}"))) is not None:
        named = text_of(system, given.get(system))
        found.append(Coding(named, code, text_of("display", given.get("display"))))
    if not found:
        raise BadRequest(f"Say code{suffix}, or coding{suffix}.", code="required")
    return found


def _codings(concept: Any) -> list[Any]:
    if concept is None:
        return []
    found = concept.get("coding", []) if isinstance(concept, dict) else None
    if not isinstance(found, list):
        raise BadRequest("codeableConcept: must be a CodeableConcept.", code="structure")
    return found


def _asked(coding: Any) -> Coding:
    if not isinstance(coding, dict) or not isinstance(coding.get("code"), str):
        raise BadRequest("coding: needs a code.", code="structure")
    system, display = coding.get("system"), coding.get("display")
    return Coding(text_of("system", system), coding["code"], text_of("display", display))
