"""$validate-code of ValueSet and CodeSystem: whether a code is one of them.

https://hl7.org/fhir/R4/valueset-operation-validate-code.html,
https://hl7.org/fhir/R4/codesystem-operation-validate-code.html
"""

from typing import Any

from app.fhir.context import Call, Context, Resource, Result
from app.fhir.disclose import statement
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest
from app.fhir.operations.parameters import parameters_of, text_of
from app.fhir.operations.terminology_input import Coding, code_system, codes, held, value_set
from app.fhir.terminology.held import Held
from app.fhir.terminology.membership import has

URI = ("valueUri", "valueUrl", "valueCanonical")
KINDS = {
    "url": URI,
    "valueSet": ("resource",),
    "valueSetVersion": ("valueString",),
    "code": ("valueCode", "valueString"),
    "system": URI,
    "version": ("valueString",),
    "display": ("valueString",),
    "coding": ("valueCoding",),
    "codeableConcept": ("valueCodeableConcept",),
}


async def run(ctx: Context, call: Call) -> Result:
    """Parameters with result, message and display: 200, whatever the result.

    Raises NotFound for a value set or code system that is not held.
    """
    given = parameters_of(call, KINDS)
    if call.type == "CodeSystem":
        answer = await _in_code_system(ctx, call, given)
    else:
        named = await value_set(ctx, call, given)
        known = await held(ctx, named)
        answers = [_in_value_set(named, known, one) for one in codes(given)]
        answer = next((one for one in answers if one[0]), answers[0])
    return Result(200, statement(_parameters(*answer)))


Answer = tuple[bool, str | None, str | None]
"""Whether it is, why not, and the display."""


async def _in_code_system(ctx: Context, call: Call, given: dict[str, Any]) -> Answer:
    if "valueSet" in given or "system" in given:
        raise BadRequest("A CodeSystem is named by url, not by system or valueSet.")
    answers: list[Answer] = []
    for one in codes(given):
        url = text_of("url", given.get("url")) or one.system
        system = await code_system(ctx, call, url)
        found = system.find(one.code)
        if found is None or one.system not in (None, system.url):
            answers.append((False, f"{system.url} has no such code.", None))
        else:
            answers.append(_named(one, found.display))
    return next((one for one in answers if one[0]), answers[0])


def _in_value_set(named: Resource, known: Held, one: Coding) -> Answer:
    name = named.get("url", "the value set")
    found = has(named, one.system, one.code, known)
    if found is None:
        return False, f"What {name} is made of is not all held here, so nobody can tell.", None
    if not found:
        return False, f"The code is not in {name}.", None
    system = known.code_system(one.system) if one.system else None
    concept = system.find(one.code) if system else None
    return _named(one, concept.display if concept else None)


def _named(one: Coding, display: str | None) -> Answer:
    """The display must be the one that the code system gives, in any case."""
    if one.display and display and one.display.casefold() != display.casefold():
        return False, f"The display of {one.code} is: {display}.", display
    return True, None, display


def _parameters(result: bool, message: str | None, display: str | None) -> Resource:
    parts: list[dict[str, Any]] = [{"name": "result", "valueBoolean": result}]
    parts += [{"name": "message", "valueString": message}] if message else []
    parts += [{"name": "display", "valueString": display}] if display else []
    return {"resourceType": "Parameters", "parameter": parts}


OPERATION = Operation(
    name="validate-code",
    definition="http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code",
    levels=frozenset({"type", "instance"}),
    types=frozenset({"ValueSet", "CodeSystem"}),
    letter="",
    run=run,
    also=(("CodeSystem", "http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code"),),
)
