"""Profiles: what a resource is judged by is looked up, with everything that it builds on.

https://hl7.org/fhir/R4/profiling.html, docs/decisions/0013-definitions.md
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.fhir.canonicals import find_all, plain, terminology
from app.fhir.change import Change
from app.fhir.context import Context, Resource
from app.fhir.errors import Issue, Unprocessable
from app.fhir.targets import is_needed, targets
from app.fhir.validation.constraint import Definitions, compiled, is_core, said
from app.fhir.validation.extensions import misplaced, used
from app.fhir.validation.profile import Judge, unsupported
from app.fhir.validation.walk import whole

MOST = 200
"""Definitions that one resource may be judged by, with all they build on."""

MEMBER_OF = re.compile(r"memberOf\(\s*'([^']+)'\s*\)")
STRUCTURE = "StructureDefinition"
STRENGTHS = ("required", "extensible")


async def definitions(ctx: Context, urls: Iterable[str], resource: Resource) -> Definitions:
    """The profiles at the urls and the extensions of the resource, with what they are made of."""
    found = await _built(ctx, {plain(url) for url in (*urls, *used(resource))}, {})
    targets_ = {plain(url) for one in found.values() for url in _pointed(one)}
    if is_needed(found.values()):
        found = await _built(ctx, targets_, found)
    bound = {each for one in found.values() for each in _bound(one)}
    held = await terminology(ctx, (), bound)
    pointed = await targets(ctx, resource) if is_needed(found.values()) else {}
    # Of any other target no more is asked than its type.
    others = [url for url in targets_ - found.keys() if not is_core(url)]
    types = await find_all(ctx, STRUCTURE, others)
    stamp = tuple(sorted(map(_stamp, found.values())))
    return Definitions({**types, **found}, held, stamp, pointed)


async def _built(
    ctx: Context, urls: set[str], known: Mapping[str, Resource]
) -> dict[str, Resource]:
    """The profiles at the urls and what they build on, beside those that are known."""
    found, left, seen = dict(known), urls, set(known)
    while wanted := sorted(url for url in left - seen if not is_core(url)):
        seen.update(wanted)
        more = await find_all(ctx, STRUCTURE, wanted[: max(0, MOST - len(found))])
        found |= more
        left = {plain(each) for one in more.values() for each in _needed(one)}
    return found


def _needed(profile: Resource) -> Iterator[str]:
    yield str(profile.get("baseDefinition", ""))
    for element in said(profile):
        for one in element.get("type", ()):
            yield from one.get("profile", ())


def _pointed(profile: Resource) -> Iterator[str]:
    for element in said(profile):
        for one in element.get("type", ()):
            yield from one.get("targetProfile", ())


def _bound(profile: Resource) -> Iterator[str]:
    for element in said(profile):
        binding = element.get("binding", {})
        if binding.get("strength") in STRENGTHS and "valueSet" in binding:
            yield plain(binding["valueSet"])
        for one in element.get("constraint", ()):
            yield from map(plain, MEMBER_OF.findall(one.get("expression", "")))


def _stamp(one: Resource) -> str:
    return f"{one['url']}|{one.get('meta', {}).get('lastUpdated', '')}"


async def judge(ctx: Context, resource: Resource, urls: Sequence[str]) -> list[Issue]:
    """What the profiles at the urls, and the extensions in use, find wrong with a valid resource.

    A profile that is not held, or builds on one that is not, is a warning: it was not judged by.
    """
    known = await definitions(ctx, urls, resource)
    found: list[Issue] = []
    for url in dict.fromkeys(map(plain, urls)):
        found += by_profile(known, resource, url)
    for url in dict.fromkeys(urls):
        found += _of_version(known, resource["resourceType"], url)
    return [*found, *misplaced(Judge(known, resource))]


def by_profile(known: Definitions, resource: Resource, url: str) -> list[Issue]:
    """What one profile finds, an information about what it wants supported at the end."""
    type_ = resource["resourceType"]
    profile = known.profiles.get(url)
    if profile is None:
        return [] if is_core(url) and url.endswith(f"/{type_}") else [_unknown(type_, url)]
    if profile["type"] != type_:
        said_ = f"The profile {url} is for a {profile['type']}, not for a {type_}."
        return [Issue("structure", said_, (type_,))]
    try:
        found = list(Judge(known, resource).resource(url))
    except LookupError as error:
        return [_unknown(type_, str(error.args[0]))]
    absent = list(unsupported(compiled(url, known), whole(resource)))
    told = [f"{one.diagnostics.removesuffix('.')} ({url})." for one in found]
    issues = [
        Issue(one.code, text, one.expression, one.severity)
        for one, text in zip(found, told, strict=True)
    ]
    return [*issues, *([_absent(url, absent)] if absent else [])]


def _of_version(known: Definitions, type_: str, canonical: str) -> list[Issue]:
    """A warning where another version was judged by than the one that was named."""
    url, _, version = canonical.partition("#")[0].partition("|")
    held = str(known.profiles.get(url, {}).get("version", ""))
    if not version or not held or version == held:
        return []
    said_ = f"Version {version} of {url} is not held here: judged was by {held}."
    return [Issue("not-found", said_, (type_,), "warning")]


def _unknown(type_: str, url: str) -> Issue:
    said_ = f"The definition {url} is not held here: nothing was judged by it."
    return Issue("not-found", said_, (type_,), "warning")


def _absent(url: str, paths: Sequence[str]) -> Issue:
    said_ = f"Must be supported by systems that use {url}, and is not there: {', '.join(paths)}."
    return Issue("informational", said_, tuple(paths[:1]), "information")


def claimed(resource: Mapping[str, object]) -> list[str]:
    """The profiles that a resource says it follows."""
    meta = resource.get("meta")
    found = meta.get("profile", []) if isinstance(meta, dict) else []
    return [one for one in found if isinstance(one, str)]


async def refuse(ctx: Context, changes: Iterable[Change]) -> None:
    """Under the policy strict: Unprocessable for a resource that is not what it says it is."""
    if ctx.engine.policy.profiles != "strict":
        return
    for change in changes:
        if change.resource is not None and (urls := claimed(change.resource)):
            issues = await judge(ctx, change.resource, urls)
            if any(one.severity == "error" for one in issues):
                kept = [one for one in issues if one.severity != "information"]
                raise Unprocessable("The resource breaks its profile.", issues=kept)


async def warn(ctx: Context, resource: Resource | None) -> list[Issue]:
    """Under the policy warn: what is wrong by the profiles it claims, as warnings."""
    if ctx.engine.policy.profiles != "warn" or resource is None or not (urls := claimed(resource)):
        return []
    found = [one for one in await judge(ctx, resource, urls) if one.severity != "information"]
    return [Issue(one.code, one.diagnostics, one.expression, "warning") for one in found]
