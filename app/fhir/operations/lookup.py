"""CodeSystem/$lookup — https://hl7.org/fhir/R4/codesystem-operation-lookup.html"""

from typing import Any

from app.fhir.context import Call, Context, Resource, Result
from app.fhir.disclose import statement
from app.fhir.engine import Operation
from app.fhir.errors import NotFound
from app.fhir.operations.parameters import parameters_of
from app.fhir.operations.terminology_input import code_system, codes
from app.fhir.terminology.code_system import CodeSystem, Concept

KINDS = {
    "code": ("valueCode", "valueString"),
    "system": ("valueUri", "valueUrl"),
    "version": ("valueString",),
    "coding": ("valueCoding",),
    "property": ("valueCode", "valueString"),
}
Parts = list[dict[str, Any]]


async def run(ctx: Context, call: Call) -> Result:
    """What is known of a code: 200 with Parameters. Raises NotFound where it is not held."""
    given = parameters_of(call, KINDS)
    [wanted, *_] = codes(given)
    url = wanted.system
    if url and given.get("version"):
        url = f"{url}|{given['version']}"
    system = await code_system(ctx, call, url)
    found = system.find(wanted.code)
    if found is None:
        raise NotFound(f"{system.url} has no such code.", code="not-found")
    return Result(200, statement(_told(system, found, given.get("property"))))


def _told(system: CodeSystem, found: Concept, wanted: Any) -> Resource:
    parts: Parts = [{"name": "name", "valueString": system.name}]
    parts += [{"name": "version", "valueString": system.version}] if system.version else []
    parts.append({"name": "display", "valueString": found.display})
    parts += [{"name": "definition", "valueString": found.definition}] if found.definition else []
    parts += [{"name": "designation", "part": _designation(one)} for one in found.designations]
    parts += [
        {"name": "property", "part": one}
        for one in _properties(system, found)
        if wanted in (None, one[0]["valueCode"])
    ]
    return {"resourceType": "Parameters", "parameter": parts}


def _designation(one: dict[str, Any]) -> Parts:
    kinds = {"language": "valueCode", "use": "valueCoding", "value": "valueString"}
    return [{"name": name, kind: one[name]} for name, kind in kinds.items() if name in one]


def _properties(system: CodeSystem, found: Concept) -> list[Parts]:
    """The properties of a concept; above, below, and whether it is in use are among them."""
    made = [_property("parent", "valueCode", one) for one in found.parents]
    below = (one.code for one in system.concepts.values() if found.code in one.parents)
    made += [_property("child", "valueCode", one) for one in below]
    made.append(_property("inactive", "valueBoolean", found.is_inactive))
    for one in found.properties:
        for key, value in one.items():
            if key.startswith("value"):
                made.append(_property(one["code"], key, value))
    return made


def _property(name: str, kind: str, value: Any) -> Parts:
    return [{"name": "code", "valueCode": name}, {"name": "value", kind: value}]


OPERATION = Operation(
    name="lookup",
    definition="http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup",
    levels=frozenset({"type"}),
    types=frozenset({"CodeSystem"}),
    letter="",
    run=run,
)
