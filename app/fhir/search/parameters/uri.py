"""URI search: the whole value, to the letter. https://hl7.org/fhir/R4/search.html#uri"""

from collections.abc import Iterable, Iterator
from typing import Any

from app.fhir.search.parameters.criterion import Criterion, Over, unescape
from app.fhir.search.parameters.keys import key


def extract(name: str, elements: Iterable[tuple[str, Any]]) -> Iterator[int]:
    """The keys of these URIs under the parameter `name`; a canonical also without its version."""
    for type_, value in elements:
        if isinstance(value, str):
            yield key(name, "uri", value)
            if type_ == "canonical" and "|" in value:
                yield key(name, "uri", value.partition("|")[0])


def predicate(criterion: Criterion, over: Over) -> str:
    """SQL: the row has one of the URIs."""
    name = f"{criterion.type}.{criterion.parameter.code}"
    wanted = [asked(name, value) for value in criterion.values]
    return f"{over.alias}.keys && {over.args.add(wanted, 'bigint[]')}"


def asked(name: str, value: str) -> int:
    """The key that a value in search syntax asks for."""
    return key(name, "uri", unescape(value))
