"""The guard of signatures: whoever writes one, by whatever way, signs as themself.

A signature or a refusal to sign counts for whom it names; so it names the person of the token, or
a role of theirs, and is given on behalf of nobody but whom they act for; and nobody else takes it
back. Operators load what was signed elsewhere. https://hl7.org/fhir/R4/datatypes.html#Signature
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import orjson

from app.fhir.access import Everything, Related
from app.fhir.change import Written
from app.fhir.context import Context, Resource
from app.fhir.errors import Issue, Unprocessable
from app.fhir.visible import visible
from app.isp.codes import REFUSED, SIGN
from app.isp.element import codes, members, names
from app.isp.searching import pages
from app.storage.sql import Arguments

SAYING = ("target", "signature", "agent", "reason", "activity")
"""What of a Provenance says who signed or refused what."""

REJECTING = ("status", "code", "focus", "owner")
"""What of a Task says who was asked to sign what, and would not."""

REQUEST = attrgetter("request_id")
DECIDING = ("own", "guardian")
ROLE = "PractitionerRole/"
OTHER = "Signs for somebody else: a signature names the person of the token, as $isp-sign does."
BEHALF = "The person of the token does not act for this one: leave onBehalfOf out."
TAKEN = "Takes back what somebody else has signed, or would not sign."
REJECTION = "Refuses to sign for somebody else: whose Task it is rejects it, as $isp-sign does."


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody a signature names at a FHIRPath: as who signs, or on whose behalf (`is_behalf`).

    `name` is Type/id, empty for somebody whom this server does not know; `said` is told to who may
    not name them.
    """

    name: str
    at: str
    is_behalf: bool
    said: str


async def own_hand(ctx: Context, written: Sequence[Written]) -> None:
    """Refuse what is signed or refused in the name of others. Raises Unprocessable for each."""
    if isinstance(ctx.reach, Everything):
        return
    # Whoever another request names is no help to this one.
    for _, its in groupby(sorted(written, key=REQUEST), key=REQUEST):
        await _own_hand(ctx, list(its))


async def _own_hand(ctx: Context, written: Sequence[Written]) -> None:
    named = [each for one in written if _is_new(one) for each in _named(one)]
    if not named:
        return
    roles = await _roles(ctx, {each.name for each in named})
    own = _selves(ctx, roles)
    acting = own | _employers(ctx, roles, own) | await _wards(ctx, {each.name for each in named})
    issues = [
        Issue("business-rule", each.said, (each.at,))
        for each in named
        if each.name not in (acting if each.is_behalf else own)
    ]
    if issues:
        raise Unprocessable("Nobody signs for somebody else.", issues=issues)


def _is_new(one: Written) -> bool:
    """Whether it says something else than before about who signed what."""
    saying = {"Provenance": SAYING, "Task": REJECTING}.get(one.type)
    if saying is None:
        return False
    before, after = orjson.loads(one.before or "{}"), orjson.loads(one.after or "{}")
    return any(before.get(element) != after.get(element) for element in saying)


def _rejecting(one: Written, task: Resource) -> Iterator[Named]:
    """Whose refusal to sign a Task is; an organization's is of who acts for it."""
    if task.get("status") == "rejected" and SIGN in codes(task.get("code")):
        name = "".join(names(task.get("owner")))
        yield Named(name, f"{one.at}.owner", is_behalf=True, said=REJECTION)


def _named(one: Written) -> Iterator[Named]:
    """Whom it names, and whom it named and does not any more."""
    after = list(_saying(one, one.after))
    yield from after
    kept = {each.name for each in after}
    before = ((each.name, each.is_behalf) for each in _saying(one, one.before))
    for name, is_behalf in dict.fromkeys(before):
        if name not in kept:
            yield Named(name, one.at, is_behalf, TAKEN)


def _saying(one: Written, body: str | None) -> Iterator[Named]:
    proof = orjson.loads(body or "{}")
    if one.type == "Task":
        yield from _rejecting(one, proof)
        return
    signatures = members(proof.get("signature"))
    for index, signature in enumerate(signatures):
        yield from _in(signature, f"{one.at}.signature[{index}]")
    said = codes(proof.get("reason")) | codes(proof.get("activity"))
    for index, agent in enumerate(members(proof.get("agent"))):
        if REFUSED in said:
            yield from _in(agent, f"{one.at}.agent[{index}]")
        elif signatures and "onBehalfOf" in agent:
            yield from _behalf(agent, f"{one.at}.agent[{index}]")


def _in(element: Resource, at: str) -> Iterator[Named]:
    yield Named("".join(names(element.get("who"))), f"{at}.who", is_behalf=False, said=OTHER)
    if "onBehalfOf" in element:
        yield from _behalf(element, at)


def _behalf(element: Resource, at: str) -> Iterator[Named]:
    name = "".join(names(element["onBehalfOf"]))
    yield Named(name, f"{at}.onBehalfOf", is_behalf=True, said=BEHALF)


async def _roles(ctx: Context, named: Collection[str]) -> list[Resource]:
    """The PractitionerRoles among those who are named, and that of the token."""
    wanted = {*named, str(ctx.agent.fhir_user)}
    ids = sorted(each.removeprefix(ROLE) for each in wanted if each.startswith(ROLE))
    if not ids:
        return []
    found = pages(ctx, "PractitionerRole", [("_id", ",".join(ids))])
    return [orjson.loads(row["body"]) async for rows in found for row in rows]


def _selves(ctx: Context, roles: Sequence[Resource]) -> set[str]:
    """The person of the token in whatever role; an organization that acts without a person."""
    user = ctx.agent.fhir_user
    if user is None:
        return {ctx.agent.organization} if ctx.agent.organization else set()
    own = {user}
    for role in roles:
        if user in (f"{ROLE}{role['id']}", *names(role.get("practitioner"))):
            own.update((f"{ROLE}{role['id']}", *names(role.get("practitioner"))))
    return own


def _employers(ctx: Context, roles: Sequence[Resource], own: Collection[str]) -> set[str]:
    """The organizations the person acts for: that of the token, and of their roles."""
    found = {ctx.agent.organization} if ctx.agent.organization else set()
    for role in roles:
        if f"{ROLE}{role['id']}" in own:
            found.update(names(role.get("organization")))
    return found


async def _wards(ctx: Context, named: Collection[str]) -> set[str]:
    """The patients among those who are named whose record is the caller's, or their ward's."""
    ids = [each.removeprefix("Patient/") for each in named if each.startswith("Patient/")]
    if not ids or ctx.agent.fhir_user is None:
        return set()
    args = Arguments()
    source = visible(Related((ctx.agent.fhir_user,), DECIDING), "Patient", args)
    sql = f"SELECT r.id FROM {source} AS r WHERE r.id = ANY({args.add(ids, 'text[]')})"
    return {f"Patient/{row['id']}" for row in await ctx.store.fetch(*args.statement(sql))}
