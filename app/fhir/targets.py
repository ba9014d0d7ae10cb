"""What a resource refers to, for profiles that look there: resolve() in FHIRPath.

Within a Bundle its entries come first; all else is what the caller may see, as they would see it.
https://hl7.org/fhir/R4/fhirpath.html#functions, https://hl7.org/fhir/R4/bundle.html#references
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from app.fhir.access import Nothing, for_type
from app.fhir.context import Context, Resource
from app.fhir.disclose import shown_of
from app.fhir.hidden import hidden
from app.fhir.references import local, walk
from app.fhir.registry import STORED
from app.fhir.validation.constraint import said
from app.fhir.visible import SHOWN, visible
from app.storage.sql import Arguments, Row

RESOLVE = "resolve()"
MOST = 500
"""References of one resource that are followed."""


def is_needed(profiles: Iterable[Resource]) -> bool:
    """Whether one of these profiles asks for more of a target than its type."""
    return any(RESOLVE in text for profile in profiles for text in _asked(profile))


def _asked(profile: Resource) -> Iterator[str]:
    for element in said(profile):
        for one in element.get("constraint", ()):
            yield str(one.get("expression", ""))
        for one in element.get("slicing", {}).get("discriminator", ()):
            # The type is told by the reference itself.
            if one.get("type") != "type":
                yield str(one.get("path", ""))


async def targets(ctx: Context, resource: Resource) -> Mapping[str, Resource]:
    """By reference as it is written, what is there and the caller may see."""
    inside = _of_bundle(resource)
    written = {str(each["reference"]) for each in walk(resource)} - inside.keys()
    wanted = {text: ref for text in sorted(written) if (ref := local(text, ctx.base_url))}
    names = sorted({(ref.type, ref.id) for ref in wanted.values()})[:MOST]
    found = await _seen(ctx, names)
    outside = {text: found[str(ref)] for text, ref in wanted.items() if str(ref) in found}
    return {**outside, **inside}


def _of_bundle(resource: Resource) -> dict[str, Resource]:
    made: dict[str, Resource] = {}
    entries: Any = resource.get("entry", ()) if resource["resourceType"] == "Bundle" else ()
    for entry in entries:
        held = entry.get("resource")
        if held is not None:
            made |= {f"{held['resourceType']}/{held['id']}": held} if "id" in held else {}
            made |= {entry["fullUrl"]: held} if "fullUrl" in entry else {}
    return made


async def _seen(ctx: Context, names: Iterable[tuple[str, str]]) -> dict[str, Resource]:
    rows: dict[str, Row] = {}
    for type_, members in groupby(names, lambda name: name[0]):
        access = ctx.access.get("r", Nothing())
        if type_ not in STORED or isinstance(for_type(access, type_), Nothing):
            continue
        args = Arguments()
        ids = args.add([id_ for _, id_ in members], "text[]")
        for row in await ctx.store.fetch(
            *args.statement(
                f"SELECT r.id, {SHOWN} FROM {visible(access, type_, args)} AS r"
                f" WHERE r.id = ANY({ids}) AND NOT r.deleted"
            )
        ):
            rows[f"{type_}/{row['id']}"] = row
    masked = await hidden(ctx, rows.values(), are_visible=True)
    return {name: shown_of(ctx, row, masked) for name, row in rows.items()}
