"""Reference search: what a resource points to. https://hl7.org/fhir/R4/search.html#reference"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

from app.fhir.compartments import is_patient_parameter
from app.fhir.errors import BadRequest
from app.fhir.references import ID, local
from app.fhir.search.parameters import token
from app.fhir.search.parameters.criterion import Criterion, Over, targets, unescape
from app.fhir.search.parameters.keys import param

LONGEST = 1000
"""Bytes of a target that is indexed as it is: a B-tree entry must stay under 2,700 bytes."""


def target(reference: str, base_url: str) -> str:
    """How a reference stands in the index: "Type/id" if local, else the URL (a digest if long)."""
    here = local(reference, base_url)
    if here is not None:
        return f"{here.type}/{here.id}"
    encoded = reference.encode()
    if len(encoded) <= LONGEST:
        return reference
    return f"blake2b:{blake2b(encoded, digest_size=32).hexdigest()}"


def extract(elements: Iterable[tuple[str, Any]], base_url: str) -> Iterator[str]:
    """The targets of these references and canonicals, those to contained resources left out."""
    for type_, value in elements:
        text = value.get("reference") if isinstance(value, dict) else value
        if not isinstance(text, str) or text.startswith("#"):
            continue
        yield target(text, base_url)
        if type_ == "canonical" and "|" in text:
            yield target(text.partition("|")[0], base_url)


def extract_identifiers(name: str, elements: Iterable[tuple[str, Any]]) -> Iterator[int]:
    """The keys of the identifiers in these references, for `:identifier`."""
    for _, value in elements:
        # A resource within a Bundle has a list of them, which is not the reference's.
        if isinstance(value, dict) and isinstance(value.get("identifier"), dict):
            yield from token.extract(f"{name}:identifier", [("Identifier", value["identifier"])])


def predicate(criterion: Criterion, over: Over) -> str:
    """SQL: the row points to one of the values."""
    code = criterion.parameter.code
    if criterion.modifier == "identifier":
        name = f"{criterion.type}.{code}:identifier"
        keys = [token.asked(name, value) for value in criterion.values]
        return f"{over.alias}.keys && {over.args.add(keys, 'bigint[]')}"
    wanted = [each for value in criterion.values for each in asked(criterion, value, over.base_url)]
    if is_patient_parameter(criterion.type, code) and all(_is_patient(each) for each in wanted):
        # The column holds what this parameter reads, and its index knows the type as well.
        return is_about([each.removeprefix("Patient/") for each in wanted], over)
    return points_to(wanted, (param(criterion.type, code),), over)


def is_about(patients: list[str], over: Over) -> str:
    """SQL: the row is about one of these patients (logical ids)."""
    if len(patients) == 1:
        return f"{over.alias}.patient = {over.args.add(patients[0])}"
    return f"{over.alias}.patient = ANY({over.args.add(patients, 'text[]')})"


def points_to(wanted: list[str], params: tuple[int, ...], over: Over) -> str:
    """SQL: the row points to one of these targets under one of these parameters."""
    if len(wanted) == 1:
        equals = f"= {over.args.add(wanted[0])}"
    else:
        equals = f"= ANY({over.args.add(wanted, 'text[]')})"
    return (
        f"EXISTS (SELECT FROM index_reference AS x WHERE x.rid = {over.alias}.rid"
        f" AND x.param IN ({', '.join(map(str, params))}) AND x.target {equals})"
    )


def _is_patient(target_: str) -> bool:
    type_, _, id_ = target_.partition("/")
    return type_ == "Patient" and ID.match(id_) is not None


def asked(criterion: Criterion, value: str, base_url: str) -> list[str]:
    """The targets a value may mean: an id alone means every type the parameter points to."""
    text = unescape(value)
    types = (criterion.modifier,) if criterion.modifier else targets(criterion.parameter)
    if ID.match(text):
        return [f"{type_}/{text}" for type_ in types]
    found = target(text, base_url)
    if criterion.modifier and not found.startswith(f"{criterion.modifier}/"):
        raise BadRequest(
            f"'{criterion.parameter.code}:{criterion.modifier}' takes the id of one"
            f" {criterion.modifier}.",
            expression=(criterion.parameter.code,),
        )
    return [found]
