"""SMART scopes: the v1 and v2 grammar, what covers what, and the Access they amount to.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import parse_qsl

from app.fhir.access import (
    Access,
    InCompartment,
    Matching,
    Nothing,
    OfType,
    every,
    some,
)
from app.fhir.errors import BadRequest
from app.fhir.registry import is_type, official
from app.fhir.search.at_risk import is_guess
from app.fhir.search.parameters import criterion
from app.storage.sql import Arguments

LETTERS = "cruds"
VERSION_1 = {"read": "rs", "write": "cud", "*": "cruds"}
"""What a v1 permission means: `.read` never deletes, `.write` never reads."""

OTHER = frozenset({"__introspection", "__launch"})
"""Scopes that are not about resources: `__introspection` lets a client ask about any token,
`__launch` lets a record system say with which patient an app is to be opened."""

SESSION = frozenset(
    {"openid", "fhirUser", "profile", "offline_access", "online_access"}
    | {"launch", "launch/patient", "launch/encounter", "launch/careplan"}
)
"""Scopes of a person who signed in, and of what the app is opened with."""

OWN = "fhirUser"
"""The text of the scope that opens who signed in, and nothing else."""

_GRAMMAR = re.compile(
    r"(?P<context>patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]*)"
    r"\.(?P<permission>read|write|\*|(?=[cruds])c?r?u?d?s?)(?:\?(?P<query>.+))?"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """One resource scope: in which context, for which type, which letters, narrowed by which query.

    `text` is the scope as it was asked for, so that v1 is answered with v1.
    """

    context: str
    type: str
    letters: str
    query: tuple[tuple[str, str], ...] = ()
    text: str = ""


def parse(text: str) -> tuple[Scope, ...]:
    """The resource scopes in a space-separated list; what is not one is passed over."""
    found = (parse_one(token) for token in dict.fromkeys(text.split(" ")))
    return tuple(scope for scope in found if scope)


@lru_cache(maxsize=1_024)
def parse_one(token: str) -> Scope | None:
    """The scope a token spells; None when it is out of order, unknown, or cannot be enforced."""
    match = _GRAMMAR.fullmatch(token)
    if match is None or not (match["type"] == "*" or is_type(match["type"])):
        return None
    query = _query(match["type"], match["query"])
    if query is None:
        return None
    letters = VERSION_1.get(match["permission"], match["permission"])
    return Scope(match["context"], match["type"], letters, query, token)


def unknown(text: str) -> tuple[str, ...]:
    """The tokens of a scope list that mean nothing here; registration refuses them."""
    known = OTHER | SESSION
    return tuple(t for t in text.split() if t not in known and parse_one(t) is None)


def covers(registered: Iterable[Scope], requested: Scope) -> bool:
    """Whether every letter of a requested scope lies within some registered scope.

    A wildcard covers its types, not the other way round, and a query covers only what it narrows
    at least as much.
    """
    fitting = [scope for scope in registered if _reaches(scope, requested)]
    return all(any(letter in scope.letters for scope in fitting) for letter in requested.letters)


@lru_cache(maxsize=4_096)
def by_letter(scopes: tuple[Scope, ...], patient: str | None) -> Mapping[str, Access]:
    """For each letter of `cruds` what these scopes together open; `patient` is a logical id.

    Scopes only ever limit: what the caller may see at all is composed with this in admission.
    """
    return MappingProxyType(
        {
            letter: some(_access(scope, patient) for scope in scopes if letter in scope.letters)
            for letter in LETTERS
        }
    )


def _access(scope: Scope, patient: str | None) -> Access:
    of_type = Matching(scope.type, scope.query) if scope.query else OfType(scope.type)
    if scope.context != "patient":
        return of_type
    return every([of_type, InCompartment(patient)]) if patient else Nothing()


def _reaches(scope: Scope, requested: Scope) -> bool:
    return (
        scope.context == requested.context
        and scope.type in ("*", requested.type)
        and set(scope.query) <= set(requested.query)
    )


def _query(type_: str, query: str | None) -> tuple[tuple[str, str], ...] | None:
    """The conditions of a granular scope; None unless each can be searched by as it stands.

    Modifiers and chains are experimental in SMART and refused, so that nothing is granted half. So
    is what a search would match by what is shown only: a scope matches whatever is stored.
    """
    if query is None:
        return ()
    if type_ == "*":
        return None
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict")
        for name, value in pairs:
            if name not in official(type_) or not value.isprintable() or is_guess(type_, name):
                return None
            criterion(type_, name, value, Arguments())
    except (ValueError, BadRequest):
        return None
    return tuple(pairs)
