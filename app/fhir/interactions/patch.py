"""FHIR patch: the current version, changed in part — https://hl7.org/fhir/R4/http.html#patch"""

from dataclasses import replace

from asyncpg import Record

from app.fhir import json
from app.fhir.access import Access, Everything, Nothing, every
from app.fhir.change import Change
from app.fhir.context import Call, Context, Resource
from app.fhir.disclose import shown_of
from app.fhir.errors import BadRequest, Gone, Issue, Unprocessable, UnsupportedMediaType
from app.fhir.hidden import hidden
from app.fhir.interactions.read import unknown
from app.fhir.interactions.write import refuse_server_only, stamped, tags
from app.fhir.patch.formats import FORMATS
from app.fhir.routing import authorize
from app.fhir.shape import check_none
from app.fhir.step import check_versions
from app.fhir.visible import SHOWN, visible
from app.storage.sql import Arguments


async def plan_patch(ctx: Context, call: Call) -> Change:
    """The Change that a patch makes of the current version.

    The answer shows the whole resource, and an operation may ask for its content: who patches must
    be allowed to read it, too. Raises NotFound and Gone as a read does, and Forbidden.
    """
    check_none(call.query)
    refuse_server_only(call)
    authorize(ctx, "r", call.type)
    assert call.type
    assert call.id
    row = await _current(ctx, call)
    change = Change(
        "patch",
        "PATCH",
        call.type,
        call.id,
        if_match=tags("If-Match", call.conditions.if_match),
        if_none_match=tags("If-None-Match", call.conditions.if_none_match) or frozenset(),
        seen=row["version"],
        keeps=True,
    )
    check_versions(change, row["version"])
    whole = json.parse(row["body"].encode())
    shown = shown_of(ctx, row, await hidden(ctx, [row]))
    resource = _merged(call, whole, shown, _patched(call, shown))
    return replace(change, resource=stamped(ctx, resource))


def _merged(call: Call, whole: Resource, shown: Resource, after: Resource) -> Resource:
    """The whole resource with the elements changed that the patch changes of what is shown.

    A patch is applied to what its author is shown: it could ask for the rest otherwise.
    """
    changed = {name for name in {*shown, *after} if shown.get(name) != after.get(name)}
    refused = [
        Issue(
            "business-rule",
            f"{call.type}.{name} holds something that is not known to you: leave it as it is.",
            (f"{call.type}.{name}",),
        )
        for name in sorted(changed)
        if whole.get(name) != shown.get(name)
    ]
    if refused:
        raise Unprocessable("The patch changes what it does not show.", issues=refused)
    kept = {name: value for name, value in whole.items() if name not in changed or name in after}
    return {**kept, **{name: after[name] for name in changed if name in after}}


async def _current(ctx: Context, call: Call) -> Record:
    assert call.type
    args = Arguments()
    both = _both(*(ctx.access.get(letter, Nothing()) for letter in "ru"))
    source = visible(both, call.type, args)
    row = await ctx.store.fetchrow(
        *args.statement(
            f"SELECT r.version, r.deleted, {SHOWN} FROM {source} AS r"
            f" WHERE r.id = {args.add(call.id)}"
        )
    )
    if row is None:
        raise unknown(call)
    if row["deleted"]:
        raise Gone(f"{call.type}/{call.id} was deleted: there is nothing to patch.")
    return row


def _both(first: Access, second: Access) -> Access:
    """What both let through; `every` asks for a part that restricts."""
    if isinstance(first, Everything):
        return second
    return every([first, second])


def _patched(call: Call, before: Resource) -> Resource:
    if call.media_type not in FORMATS:
        raise UnsupportedMediaType(f"A patch is one of {', '.join(FORMATS)}.")
    if call.body is None:
        raise BadRequest("The body must be a patch.", code="structure")
    after = FORMATS[call.media_type](before, call.body)
    if not isinstance(after, dict):
        raise Unprocessable("The patch leaves no resource.", code="structure")
    refused = [
        Issue("business-rule", f"{path} is the server's: a patch cannot change it.", (path,))
        for path in _kept(call, before, after)
    ]
    if refused:
        raise Unprocessable("The patch changes what is the server's.", issues=refused)
    return after


def _kept(call: Call, before: Resource, after: Resource) -> list[str]:
    """The elements that a patch must leave alone, and this one does not."""
    changed = [name for name in ("resourceType", "id") if after.get(name) != before[name]]
    meta = after.get("meta", {})
    if isinstance(meta, dict):
        own = before["meta"]
        names = ("versionId", "lastUpdated")
        changed += [f"meta.{name}" for name in names if meta.get(name, own[name]) != own[name]]
    return [f"{call.type}.{name}" for name in changed]
