"""Every search parameter of every type finds what has the value, by every modifier, and no more."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.admission import admit
from app.fhir.context import Context
from app.fhir.engine import Engine
from app.fhir.ids import new_id
from app.fhir.search.find import find
from app.fhir.search.parameters.criterion import targets
from app.fhir.search.parameters.modifiers import modifiers
from app.fhir.search.query import parse_query
from app.fhir.search.resolve import resolved
from app.loading import OPERATOR
from app.storage.database import Database
from tests.conftest import CLEAN
from tests.fhir.search.conftest import Shelf
from tests.fhir.search.made import CODES, SYSTEM, TYPES, UCUM, URLS, Case, cases, target

Asked = Iterator[tuple[str, str, str]]
"""Prefix or modifier, value, and the letters that are found; n is the resource without a value."""

META = {"versionId": "1", "lastUpdated": "2025-01-01T00:00:00Z"}
VALUES = {
    "meta": META,
    "resourceType": "ValueSet",
    "id": "values",
    "url": "urn:values",
    "status": "active",
    "compose": {"include": [{"system": SYSTEM, "concept": [{"code": "alpha"}]}]},
}
TREE = {
    "meta": META,
    "resourceType": "CodeSystem",
    "id": "tree",
    "url": SYSTEM,
    "status": "active",
    "content": "complete",
    "hierarchyMeaning": "is-a",
    "concept": [
        {"code": "top", "concept": [{"code": "alpha", "concept": [{"code": "leaf"}]}]},
        {"code": "beta"},
    ],
}


def asked(case: Case) -> Asked:
    """What is asked of a case, modifier by modifier."""
    kinds = {"token": _tokens, "string": _strings, "reference": _references, "date": _dates}
    kinds |= {"number": _numbers, "quantity": _quantities, "uri": _uris}
    yield from kinds[case.parameter.type](case)
    yield ":missing", "true", "" if _always(case) else "n"
    yield ":missing", "false", "abn" if _always(case) else "ab"


def _tokens(case: Case) -> Asked:
    if case.kind == "boolean":
        yield "", "true", "a"
        yield ":not", "true", "bn"
        return
    code = CODES["a"][0]
    yield "", code, "a"
    yield "", "beta,alpha", "ab"
    yield "", code.upper(), ""
    yield ":not", code, "bn"
    yield ":not", "alpha,beta", "n"
    if case.kind in ("CodeableConcept", "Coding", "Identifier"):
        yield "", f"{SYSTEM}|{code}", "a"
        yield "", f"{SYSTEM}|", "ab"
        yield "", f"urn:other|{code}", ""
        yield "", f"|{code}", ""
        yield ":text", "app", "a"
    elif case.kind != "ContactPoint":
        yield "", f"|{code}", "a"
    if case.kind in ("CodeableConcept", "Coding"):
        yield ":in", "urn:values", "a"
        yield ":not-in", "urn:values", "bn"
        yield ":below", f"{SYSTEM}|top", "a"
        yield ":above", f"{SYSTEM}|leaf", "a"
    if case.kind == "Identifier":
        yield ":of-type", f"urn:t|T|{code}", "a"
        yield ":of-type", f"urn:t|U|{code}", ""


def _always(case: Case) -> bool:
    """Whether the parameter finds a value in everything: an expression that is true or false."""
    return " and " in case.parameter.expression


def _strings(_: Case) -> Asked:
    yield "", "app", "a"
    yield "", "APPLE", "a"
    yield "", "pple", ""
    yield ":contains", "pple", "a"
    yield ":exact", "Apple", "a"
    yield ":exact", "apple", ""


def _references(case: Case) -> Asked:
    if case.kind != "Reference":
        yield "", URLS["a"], "a"
        yield "", "http://x.org/a", ""
        return
    type_ = target(case.parameter)
    yield "", f"{type_}/a", "a"
    yield "", f"{type_}/a,{type_}/b", "ab"
    yield "", f"{type_}/other", ""
    if type_ in targets(case.parameter):
        yield f":{type_}", "a", "a"
    yield ":identifier", f"{SYSTEM}|alpha", "a"
    yield ":identifier", "urn:other|alpha", ""
    for way in ("above", "below"):
        if way in modifiers(case.parameter):
            yield f":{way}", f"{type_}/a", "a"


def _dates(_: Case) -> Asked:
    yield "", "2020-01-05", "a"
    yield "", "2020-01", "a"
    yield "", "2020", "ab"
    yield "", "ne2020-01-05", "b"
    for prefix in ("gt", "sa"):
        yield "", f"{prefix}2020-02", "b"
    for prefix in ("lt", "eb"):
        yield "", f"{prefix}2020-02", "a"
    yield "", "ge2020-03-05", "b"
    yield "", "le2020-01-05", "a"
    yield "", "2019", ""


def _numbers(_: Case) -> Asked:
    yield "", "5", "a"
    yield "", "ne5", "b"
    yield "", "gt7", "b"
    yield "", "sa7", "b"
    yield "", "lt7", "a"
    yield "", "eb7", "a"
    yield "", "ge9", "b"
    yield "", "le5", "a"
    yield "", "ap5", "a"
    yield "", "7", ""


def _quantities(case: Case) -> Asked:
    yield from _numbers(case)
    yield "", f"5|{UCUM}|kg", "a"
    yield "", "gt7||kg", "b"
    yield "", "5||g", ""


def _uris(_: Case) -> Asked:
    yield "", URLS["a"], "a"
    yield "", "http://x.org/a", ""
    yield ":below", "http://x.org/a", "a"
    yield ":above", f"{URLS['a']}/c", "a"


@pytest.fixture
async def ctx(engine: Engine, database: Database) -> Context:
    return admit(engine, OPERATOR, new_id())


async def found(ctx: Context, type_: str, pairs: list[tuple[str, str]]) -> str:
    """The first letters of the ids that a search finds."""
    query = await resolved(ctx, parse_query(type_, pairs))
    rows = await find(ctx, query)
    return "".join(sorted(row["id"][0] for row in rows if row["mode"] == "match"))


@pytest.mark.parametrize("type_", TYPES)
async def test_what_has_the_value_is_found_and_nothing_else(
    ctx: Context, database: Database, type_: str
) -> None:
    every = list(cases(type_))
    shelf = Shelf(database)
    await shelf.put(VALUES, TREE, *_resources(type_, every))
    wrong: list[Any] = []
    for at, case in enumerate(every):
        code, here = case.parameter.code, ("_id", f"a{at},b{at},n")
        for way, value, letters in asked(case):
            got = await found(ctx, type_, [(f"{code}{way}", value), here])
            if got != letters:
                wrong.append((f"{code}{way}={value}", case.kind, letters, got))
    assert wrong == []
    assert {each.parameter.code for each in every} >= {"_tag", "_profile", "_source"}
    await database.execute(CLEAN)


def _resources(type_: str, every: list[Case]) -> Iterator[dict[str, Any]]:
    yield {"resourceType": type_, "id": "n"}
    for at, case in enumerate(every):
        for letter, elements in case.elements.items():
            yield {"resourceType": type_, "id": f"{letter}{at}", **elements}
