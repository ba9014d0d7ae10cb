"""Scopes in plain words: what an app may do when a person says yes."""

from dataclasses import dataclass

from app.auth import scopes
from app.auth.pages import catalogue, say
from app.fhir.compartments import DIRECTORY

ORDER = (("rs", "r"), ("c", "c"), ("u", "u"), ("d", "d"))
"""Letters that are one verb to a person, and the name of the verb."""

FIXED = ("launch", "launch/patient", "launch/encounter", "launch/careplan")
"""What an app is opened with; no permission that could be taken away."""


@dataclass(frozen=True, slots=True)
class Worded:
    """A scope and what it says; `is_fixed` when it cannot be taken away by itself."""

    text: str
    words: str
    is_fixed: bool = False


def in_words(text: str, language: str, name: str | None) -> Worded:
    """What a scope lets an app do; `name` is of the patient, None for the person's own records."""
    scope = scopes.parse_one(text)
    if scope is None:
        words = say(language, f"scope.{text}")
        return Worded(text, words[0].upper() + words[1:], text in FIXED)
    words = say(
        language,
        f"scope.{_whose(scope, name)}",
        verbs=_verbs(scope.letters, language),
        things=_things(scope.type, language),
        name=name,
    )
    if scope.query:
        words = say(language, "scope.where", text=words, conditions=_conditions(scope, language))
    return Worded(text, words[0].upper() + words[1:])


def for_operator(text: str, language: str) -> str:
    """What a scope would let an app do with the records of others, for who approves the app."""
    scope = scopes.parse_one(text)
    if scope is None:
        words = say(language, f"scope.{text}") if f"scope.{text}" in catalogue(language) else text
        return words[0].upper() + words[1:]
    key = "scope.directory" if scope.type in DIRECTORY else "scope.person"
    whose = say(language, f"operator.{scope.context}")
    verbs, things = _verbs(scope.letters, language), _things(scope.type, language)
    words = say(language, key, verbs=verbs, things=things, name=whose)
    if scope.query:
        words = say(language, "scope.where", text=words, conditions=_conditions(scope, language))
    return words[0].upper() + words[1:]


def _whose(scope: scopes.Scope, name: str | None) -> str:
    if scope.type in DIRECTORY:
        return "directory"
    if scope.context == "user":
        return "everybody"
    return "own" if name is None else "person"


def _verbs(letters: str, language: str) -> str:
    found = [
        say(language, f"verb.{verb}") for group, verb in ORDER if set(group).intersection(letters)
    ]
    return _listed(found, language)


def _things(type_: str, language: str) -> str:
    key = f"things.{type_}"
    return say(language, key if key in catalogue(language) else "things.other", type=type_)


def _conditions(scope: scopes.Scope, language: str) -> str:
    return _listed(
        [
            say(language, "scope.condition", name=name, value=value.rpartition("|")[2] or value)
            for name, value in scope.query
        ],
        language,
    )


def _listed(parts: list[str], language: str) -> str:
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])} {say(language, 'and')} {parts[-1]}"
