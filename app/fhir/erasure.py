"""What a change may not take away: what of the current version its author is not shown.

Who reads a redacted copy and writes it back would erase the rest for everyone.
https://hl7.org/fhir/R4/resource.html#tag: a SUBSETTED resource is not a basis for an update
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from app.fhir import json
from app.fhir.context import Context
from app.fhir.draft import Current, Draft
from app.fhir.errors import Issue, Unprocessable
from app.fhir.hidden import known_to, unknown
from app.fhir.redact import is_redacted
from app.fhir.references import mentioned

PARTIAL = "This is a redacted or subsetted copy: it would erase what it leaves out. Use PATCH."
HOLDING = (
    "The current version holds something that is not known to you, and this would take it away."
    " Change the other elements with PATCH."
)
TAKING = (
    "The current version holds something that is not known to you, and this would take it away."
    " Leave the deletion to somebody who sees all of it."
)


async def refuse_erasure(
    ctx: Context, drafts: Sequence[Draft], current: Mapping[tuple[str, str], Current]
) -> None:
    """Raise Unprocessable for a redacted copy, and where something hidden would be lost.

    What replaces or deletes a whole resource is refused as soon as anything of it is hidden:
    otherwise who guesses right what is hidden would learn it.
    """
    issues: list[Issue] = []
    at_stake: dict[str, list[Draft]] = {}
    for each in drafts:
        met = current.get(each.key)
        if met is None or met.body is None:
            continue
        made = each.change.resource
        if made and is_redacted(made) and not is_redacted(json.parse(met.body.encode())):
            issues.append(_issue(each, PARTIAL))
        for name in _at_stake(ctx, each, met):
            at_stake.setdefault(name, []).append(each)
    lost = await unknown(ctx, at_stake)
    found = {id(each): each for name in sorted(lost) for each in at_stake[name]}
    issues += [_issue(each, HOLDING if each.change.resource else TAKING) for each in found.values()]
    if issues:
        raise Unprocessable("The change would erase what it does not show.", issues=issues)


def _at_stake(ctx: Context, draft: Draft, current: Current) -> set[str]:
    """What the current version refers to and the draft might take away, if it may be hidden."""
    is_same = draft.change.keeps and draft.is_like(current)
    if is_same or current.body is None or not known_to(ctx):
        return set()
    base = ctx.engine.base_url
    held = Counter(mentioned(current.body, base))
    if draft.change.keeps and draft.change.resource:
        held -= Counter(mentioned(json.dump(draft.change.resource).decode(), base))
    own = {f"Patient/{id_}" for id_ in current.about}
    return set(held) - own


def _issue(draft: Draft, said: str) -> Issue:
    return Issue("business-rule", said, (draft.change.at or draft.change.type,))
