"""HL7's test cases of FHIRPath for R4, each of them, by both evaluators of this server.

That of invariants answers every case but those of fhirpath_suite.json, which says why; that of
search parameters answers each that it takes, or refuses it.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from app.fhir import fhirpath
from app.fhir import json as fhir_json
from app.fhir.validation.expressions import Around, Unevaluated, evaluated
from app.fhir.validation.walk import whole
from app.fhir.xml.read import read
from tests.pypi import fetched

Json = dict[str, Any]
EXCEPTIONS: Json = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
AS_JSON = {
    "questionnaire-example.xml": "questionnaire-example.json",
    "valueset-example-expansion.xml": "valueset-example-expansion.json",
}
"""Of these the package has no more than a stub in XML."""

ERROR = "error"


@dataclass(frozen=True)
class Case:
    """`expected` are the texts of the values, or None for an error."""

    name: str
    file: str
    expression: str
    types: tuple[str, ...]
    expected: tuple[str, ...] | None
    is_predicate: bool

    def answer(self, values: list[Any]) -> tuple[str, ...]:
        if self.is_predicate:
            return ("true" if values and values != [False] else "false",)
        if len(values) != len(self.types):
            return tuple(map(text, values))
        return tuple(map(normal, self.types, map(text, values)))


def cases() -> Iterator[Case]:
    root = etree.fromstring(fetched("tests-fhir-r4.xml").read_bytes())
    for one in root.iter("test"):
        expression = one.find("expression")
        outputs = [(out.get("type", ""), out.text or "") for out in one.findall("output")]
        types = tuple(type_ for type_, _ in outputs)
        is_invalid = bool(expression.get("invalid") or one.get("invalid"))
        yield Case(
            one.get("name"),
            one.get("inputfile") or "patient-example.xml",
            expression.text or "",
            types,
            None if is_invalid else tuple(sorted(normal(*each) for each in outputs)),
            one.get("predicate") == "true",
        )


def text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def normal(type_: str, value: str) -> str:
    """The value as text: dates without @, decimals without trailing zeros."""
    if type_ == "decimal":
        return str(Decimal(value).normalize())
    return value.lstrip("@") if type_ in ("date", "dateTime", "time") else value


@cache
def resource(file: str) -> Json:
    data = fetched(f"examples/{AS_JSON.get(file, file)}").read_bytes()
    return fhir_json.parse(data) if data.lstrip().startswith(b"{") else read(data)


def of_invariants(case: Case) -> tuple[str, ...] | None:
    about = resource(case.file)
    try:
        return tuple(sorted(case.answer(evaluated(case.expression, whole(about), Around(about)))))
    except Unevaluated:
        return None


def test_every_case_of_hl7_is_answered_but_those_with_a_reason() -> None:
    wrong = {one.name for one in cases() if of_invariants(one) != one.expected}
    argued = [name for names in EXCEPTIONS["invariants"].values() for name in names]
    assert wrong == set(argued)
    assert [name for name, number in Counter(argued).items() if number > 1] == []
    assert sum(1 for _ in cases()) > 930


def test_what_search_parameters_take_of_it_they_answer() -> None:
    taken, wrong = 0, set()
    for case in cases():
        try:
            evaluate = fhirpath.compile(case.expression)
        except ValueError:
            continue
        taken += 1
        found = [value for _, value in evaluate(resource(case.file))]
        if tuple(sorted(case.answer(found))) != case.expected:
            wrong.add(case.name)
    assert wrong == {name for names in EXCEPTIONS["search"].values() for name in names}
    assert taken > 60
