"""The Change that a FHIR create, update or delete plans, and what it answers once committed.

https://hl7.org/fhir/R4/http.html#create, #update, #delete
"""

import re
from collections.abc import Sequence

from app.fhir.audit_commit import STATUS
from app.fhir.change import ANY, Change, Committed
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.disclose import disclose, statement
from app.fhir.errors import (
    BadRequest,
    Issue,
    MethodNotAllowed,
    Unprocessable,
    operation_outcome,
)
from app.fhir.hidden import Hidden
from app.fhir.ids import new_id
from app.fhir.references import TEMPORARY, is_mentioned, located
from app.fhir.shape import check_none
from app.fhir.validation.structure import validate
from app.storage.sql import Row

ETAG = re.compile(r'\s*(?:W/)?"([^"]*)"\s*\Z')
SERVER_ONLY = frozenset({"AuditEvent"})
"""Types only the server itself writes."""


def plan_create(ctx: Context, call: Call) -> Change:
    """The Change of a create; a transaction has given the id already.

    Raises BadRequest or Unprocessable for an invalid resource.
    """
    check_none(call.query)
    resource = _body(call)
    return _planned(ctx, call, "POST", {**resource, "id": call.id or new_id()})


def plan_update(ctx: Context, call: Call) -> Change:
    """The Change of an update. Raises BadRequest when the id in the body is not that of the URL."""
    check_none(call.query)
    resource = _body(call)
    if resource.get("id") != call.id:
        raise BadRequest(
            f"The body must carry the id of the URL, {call.id}; it has {_shown(resource)}.",
            expression=[f"{call.type}.id"],
        )
    return _planned(ctx, call, "PUT", resource)


def plan_delete(ctx: Context, call: Call) -> Change:
    """The Change of a delete."""
    check_none(call.query)
    refuse_server_only(call)
    assert call.type
    assert call.id
    return Change("delete", "DELETE", call.type, call.id, if_match=_if_match(call))


def _shown(resource: Resource) -> str:
    given = resource.get("id")
    return "none" if given is None else "another"


def _body(call: Call) -> Resource:
    refuse_server_only(call)
    resource = call.body
    if not isinstance(resource, dict) or "resourceType" not in resource:
        raise BadRequest("The body must be a JSON object with a resourceType.", code="structure")
    if resource["resourceType"] != call.type:
        raise BadRequest(
            f"The body must be a {call.type}, as the URL says.", expression=["resourceType"]
        )
    return resource


def refuse_server_only(call: Call) -> None:
    """MethodNotAllowed for the types that only the server writes."""
    if call.type in SERVER_ONLY:
        raise MethodNotAllowed(f"{call.type} is written by the server alone.")


def _planned(ctx: Context, call: Call, method: str, resource: Resource) -> Change:
    return Change(
        call.interaction,
        method,
        resource["resourceType"],
        resource["id"],
        stamped(ctx, resource),
        _if_match(call),
        may_create=method == "PUT" and ctx.may_choose_ids,
        if_none_match=tags("If-None-Match", call.conditions.if_none_match) or frozenset(),
    )


def stamped(ctx: Context, resource: Resource) -> Resource:
    """The resource as it may be stored: checked, and with what the house adds to it."""
    refuse_temporary(ctx, resource)
    check(ctx, resource)
    for stamp in ctx.engine.stamps:
        resource = stamp(resource)
    return resource


def refuse_temporary(ctx: Context, resource: Resource) -> None:
    """Refuse references that mean something within a transaction only.

    A Bundle that is stored keeps those among its own entries.
    https://hl7.org/fhir/R4/bundle.html#references
    """
    if resource["resourceType"] == "Bundle" or not ctx.engine.policy.check_references:
        return
    # Identifiers and their systems begin like that as well, and are everywhere.
    if not is_mentioned(resource, '"reference":"urn:'):
        return
    issues = [
        Issue("not-found", "Only within a transaction can an entry be referred to.", (path,))
        for path, element in located(resource, resource["resourceType"])
        if element["reference"].startswith(TEMPORARY)
    ]
    if issues:
        raise Unprocessable("A reference leads nowhere.", issues=issues)


def check(ctx: Context, resource: Resource) -> None:
    """Refuse a resource that breaks the structure of its type or a rule of the house.

    Structure is the 400 of a malformed request; a broken invariant or rule is a 422.
    https://hl7.org/fhir/R4/http.html#create
    """
    issues = validate(resource, resource["resourceType"])
    if any(issue.severity == "error" for issue in issues):
        kind = Unprocessable if all(i.code in RULES for i in issues) else BadRequest
        raise kind("The resource is not valid.", issues=issues)
    broken = [issue for rule in ctx.engine.rules for issue in rule(resource)]
    if any(issue.severity == "error" for issue in broken):
        raise Unprocessable("The resource breaks a rule.", issues=broken)


RULES = frozenset({"invariant", "business-rule", "code-invalid"})


def _if_match(call: Call) -> frozenset[str] | None:
    return tags("If-Match", call.conditions.if_match)


def tags(name: str, header: str | None) -> frozenset[str] | None:
    """The versions that If-Match or If-None-Match names.

    https://hl7.org/fhir/R4/http.html#concurrency
    """
    if header is None:
        return None
    if header.strip() == ANY:
        return frozenset({ANY})
    tags = [ETAG.match(part) for part in header.split(",")]
    if not all(tags):
        raise BadRequest(f'{name} must hold an ETag such as W/"3".', code="value")
    return frozenset(tag.group(1) for tag in tags if tag)


def row_of(done: Committed) -> Row:
    """A committed change as `disclose` takes it."""
    return {
        "body": done.body,
        "patient": done.patient,
        "patients": done.patients,
        "confidentiality": done.marks.confidentiality,
        "seals": done.marks.seals,
    }


def result(
    ctx: Context,
    call: Call,
    done: Committed,
    hidden: Hidden,
    warnings: Sequence[Issue] = (),
) -> Result:
    """What a committed change answers, as Prefer: return= asks.

    https://hl7.org/fhir/R4/http.html#ops
    """
    status = STATUS[done.outcome]
    body = None
    if done.body is not None and call.prefer.returns in (None, "representation"):
        body = disclose(ctx, row_of(done), hidden)
    elif call.prefer.returns == "OperationOutcome":
        said = Issue("informational", f"{done.type}/{done.id} {done.outcome}.", (), "information")
        body, status = (
            statement(operation_outcome([said, *warnings])),
            200 if status == 204 else status,
        )
    return Result(
        status=status,
        body=body,
        version=str(done.version) if done.version else None,
        last_modified=done.last_updated if done.version else None,
        location=location(ctx, done) if done.outcome == "created" else None,
        type=done.type,
        id=done.id,
        patients=done.about,
        is_recorded=True,
    )


def location(ctx: Context, done: Committed) -> str:
    """The URL of the version that was written."""
    return f"{ctx.base_url}/{done.type}/{done.id}/_history/{done.version}"
