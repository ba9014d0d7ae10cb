"""Search parameters that operators register: from a SearchParameter to what the registry knows.

An active one counts from its commit on: whoever writes, writes its index; it can be searched by
when the resources before it were looked at too (app/fhir/indexing.py).
https://hl7.org/fhir/R4/searchparameter.html, docs/decisions/0020-registered-parameters.md
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from app.fhir.change import Written
from app.fhir.compartments import is_patient_parameter
from app.fhir.context import Context, Resource
from app.fhir.engine import Projection, Rows
from app.fhir.errors import Issue, Unprocessable
from app.fhir.registry import (
    STORED,
    Registered,
    SearchParameter,
    adopt,
    is_type,
    official,
    registered,
)
from app.fhir.search.parameters.expression import Unevaluated, compiled
from app.storage import registry as statements
from app.storage.database import Database

KINDS = ("date", "number", "quantity", "reference", "string", "token", "uri")
BASES = STORED - {"AuditEvent"}
EVERY = frozenset(("Resource", "DomainResource"))
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
HL7 = "http://hl7.org/fhir/SearchParameter/"


def bases(resource: Resource) -> list[str]:
    """The types of this server that a SearchParameter is for."""
    named = resource.get("base", [])
    return sorted(BASES if EVERY.intersection(named) else BASES.intersection(named))


def rule(resource: Resource) -> Iterator[Issue]:
    """A rule: an active SearchParameter is one this server can search by, or says what R4 says."""
    if resource["resourceType"] != "SearchParameter" or resource.get("status") != "active":
        return
    url = resource["url"]
    if url.startswith(HL7):
        if url not in _urls_of_r4():
            said = f"R4 has no parameter at {url} that is served here: use a url of your own."
            yield Issue("business-rule", said, ("SearchParameter.url",))
        return
    if not bases(resource):
        said = f"Nothing of {', '.join(resource['base'])} can be searched here."
        yield Issue("business-rule", said, ("SearchParameter.base",))
    for base in bases(resource):
        if not _is_r4(resource, base):
            yield from _wrong(resource, base)


@cache
def _urls_of_r4() -> frozenset[str]:
    return frozenset(one.url for type_ in STORED for one in official(type_).values())


def _is_r4(resource: Resource, base: str) -> bool:
    """Whether it is, or is derived from, what R4 defines for the type: the server has that."""
    own = official(base).get(resource["code"])
    if own is None or own.type != resource["type"]:
        return False
    known: tuple[str, ...] = (resource["url"], resource.get("derivedFrom", ""))
    is_same = own.url in known or _words(own.expression) == _words(resource.get("expression", ""))
    return is_same or any(each.startswith(HL7) for each in known)


def _words(expression: str) -> str:
    return re.sub(r"[\s()]", "", expression)


def _wrong(resource: Resource, base: str) -> Iterator[Issue]:
    code, kind = resource["code"], resource["type"]
    if not CODE.match(code):
        said = "A code has letters, digits, - and _, 64 at most, and begins with none of - and _."
        yield Issue("business-rule", said, ("SearchParameter.code",))
    elif code in official(base) or code == "patient" or is_patient_parameter(base, code):
        said = f"{base} has a search parameter '{code}' already, which means something else."
        yield Issue("business-rule", said, ("SearchParameter.code",))
    if kind not in KINDS:
        said = f"The type of a parameter that is registered is one of {', '.join(KINDS)}."
        yield Issue("not-supported", said, ("SearchParameter.type",))
    elif "expression" not in resource:
        said = "Without an expression nothing can be found by it."
        yield Issue("business-rule", said, ("SearchParameter.expression",))
    else:
        yield from _unread(_parameter(resource, base))


def _unread(parameter: SearchParameter) -> Iterator[Issue]:
    """Whether the expression can be run at all, on a resource with nothing in it."""
    try:
        compiled(parameter)({"resourceType": parameter.base})
    except Unevaluated as error:
        said = f"The expression cannot be used: {error}."
        yield Issue("business-rule", said, ("SearchParameter.expression",))


def _parameter(resource: Resource, base: str, state: str = "indexing") -> SearchParameter:
    return SearchParameter(
        base=base,
        code=resource["code"],
        type=resource["type"],
        expression=resource.get("expression", ""),
        url=resource["url"],
        documentation=resource.get("description", ""),
        target=_targets(resource),
        state=state,
    )


def _targets(resource: Resource) -> tuple[str, ...]:
    if resource["type"] != "reference":
        return ()
    named = set(resource.get("target", ())) - EVERY
    return tuple(sorted(each for each in named or BASES if is_type(each)))


def _project(resource: Resource, _base_url: str) -> Rows:
    """Rows of search_parameter: what an active SearchParameter adds to R4."""
    if resource["resourceType"] != "SearchParameter" or resource.get("status") != "active":
        return {}
    if resource["url"].startswith(HL7):
        return {}
    return {
        "search_parameter": [
            (base, resource["code"], _definition(_parameter(resource, base)))
            for base in bases(resource)
            if not _is_r4(resource, base)
        ]
    }


PROJECTION = Projection(_project)


def _definition(one: SearchParameter) -> str:
    kept = {
        name: getattr(one, name)
        for name in ("type", "expression", "url", "documentation", "target")
    }
    return json.dumps(kept, sort_keys=True)


async def unique(ctx: Context, written: Sequence[Written]) -> None:
    """A guard: no two SearchParameters have one code for one type. Raises Unprocessable."""
    if ctx.connection is None or not any(one.type == "SearchParameter" for one in written):
        return
    row = await statements.registered_twice(ctx.connection)
    if row is not None:
        raise Unprocessable(
            f"{row['base']} has a search parameter '{row['code']}' already, from another"
            " SearchParameter: retire that one first.",
            code="business-rule",
            expression=["SearchParameter.code"],
        )


async def refresh(database: Database) -> bool:
    """Take over what is registered by now; whether that is something else. Raises DatabaseAway."""
    if await statements.stamp(database) == registered().stamp:
        return False
    rows = await statements.registered(database)
    found: dict[str, tuple[SearchParameter, ...]] = {}
    for row in rows:
        if row["base"] is not None:
            found[row["base"]] = (*found.get(row["base"], ()), _read(row))
    adopt(Registered(rows[0]["stamp"], found))
    return True


def _read(row: Any) -> SearchParameter:
    said = json.loads(row["definition"])
    state = "ready" if row["is_ready"] else "indexing"
    said["target"] = tuple(said["target"])
    return SearchParameter(base=row["base"], code=row["code"], state=state, **said)
