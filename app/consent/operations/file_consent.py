"""$fileConsent: a signed Consent with the paper it was signed on. docs/operations/file-consent.md

http://hl7.org/fhir/us/fast-consent/, whose operation of this name it follows.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.fhir.commit import commit
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest, Issue, Unprocessable
from app.fhir.ids import new_id
from app.fhir.operations.parameters import posted_parameters_of, required
from app.fhir.operations.written import answer, created

KINDS = {"consent": ("resource",), "document": ("resource",)}
SIGNED = {
    "dateTime": "when it was signed",
    "performer": "who signed it",
    "provision": "what is permitted or denied",
}
SOURCES = ("sourceReference", "sourceAttachment")
PAPERS = ("DocumentReference", "QuestionnaireResponse")


async def run(ctx: Context, call: Call) -> Result:
    """Create the Consent, in force from now on, and the document it was signed on: 201.

    Raises BadRequest for parameters, Unprocessable for a Consent that is not complete.
    """
    given = posted_parameters_of(call, KINDS)
    consent, document = _consent(given), _document(given)
    if document is not None:
        name = f"{document['resourceType']}/{document['id']}"
        consent = {**consent, "sourceReference": {"reference": name}}
    _check(consent)
    made = [consent] if document is None else [consent, document]
    done = await commit(ctx, [created(ctx, each) for each in made])
    result = await answer(ctx, call, done, 201)
    return replace(result, location=f"{ctx.base_url}/Consent/{done[0].id}/_history/1")


def _consent(given: Mapping[str, Any]) -> Resource:
    consent = required(given, "consent")
    if consent.get("resourceType") != "Consent":
        raise BadRequest("consent: send a Consent.", code="value")
    return {**consent, "id": new_id()}


def _document(given: Mapping[str, Any]) -> Resource | None:
    document = given.get("document")
    if document is None:
        return None
    if document.get("resourceType") not in PAPERS:
        raise BadRequest(f"document: send one of {', '.join(PAPERS)}.", code="value")
    return {**document, "id": new_id()}


def _check(consent: Resource) -> None:
    issues = [
        Issue("required", f"Consent.{name}: say {what}.", (f"Consent.{name}",))
        for name, what in SIGNED.items()
        if not consent.get(name)
    ]
    if consent.get("status") != "active":
        said = "Consent.status: file it as active; a draft is created like any resource."
        issues.append(Issue("value", said, ("Consent.status",)))
    if not any(name in consent for name in SOURCES):
        said = "Consent.source[x]: send the document it was signed on, or refer to it."
        issues.append(Issue("required", said, ("Consent.source[x]",)))
    if issues:
        raise Unprocessable("The Consent is not complete.", issues=issues)


OPERATION = Operation(
    name="fileConsent",
    definition="https://isp-fhir.example/OperationDefinition/Consent-fileConsent",
    levels=frozenset({"type"}),
    types=frozenset({"Consent"}),
    letter="c",
    run=run,
)
