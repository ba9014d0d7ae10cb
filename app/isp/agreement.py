"""Who signed a plan, and who would not: both are Provenance of a version of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.fhir.context import Resource
from app.isp import codes as code
from app.isp.element import codes, day, members, names, versioned


@dataclass(frozen=True, slots=True)
class Signature:
    """One person's signature: `version` of the plan they signed, None when it names none."""

    provenance: Resource
    index: int
    who: tuple[str, ...]
    on_behalf_of: tuple[str, ...]
    when: date | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """That somebody would not sign, by a Provenance or a Task; `reason` is whether it says why."""

    resource: Resource
    who: tuple[str, ...]
    reason: bool


def signatures(provenances: Iterable[Resource], target: str) -> Iterator[Signature]:
    """The signatures to any version of this resource."""
    for one in provenances:
        versions = [version for own, version in versioned(one.get("target")) if own == target]
        if not versions:
            continue
        agents = members(one.get("agent"))
        behalf = tuple(n for agent in agents for n in names(agent.get("onBehalfOf")))
        for index, signature in enumerate(members(one.get("signature"))):
            yield Signature(
                provenance=one,
                index=index,
                who=tuple(names(signature.get("who"))),
                on_behalf_of=(*names(signature.get("onBehalfOf")), *behalf),
                when=day(signature.get("when")),
                version=versions[0],
            )


def refusals(by_type: Mapping[str, Sequence[Resource]], target: str) -> Iterator[Refusal]:
    """Who refused to sign this resource: a Provenance without signature, or a rejected Task."""
    for one in by_type.get("Provenance", ()):
        said = codes(one.get("reason")) | codes(one.get("activity"))
        if target in names(one.get("target")) and code.REFUSED in said:
            who = tuple(n for agent in members(one.get("agent")) for n in names(agent.get("who")))
            yield Refusal(
                one, who, any(reason.get("text") for reason in members(one.get("reason")))
            )
    for one in by_type.get("Task", ()):
        is_about = target in names(one.get("focus")) and code.SIGN in codes(one.get("code"))
        if is_about and one.get("status") == "rejected":
            yield Refusal(one, tuple(names(one.get("owner"))), "statusReason" in one)


def _attesters(provenance: Resource) -> Iterator[str]:
    """Whom a Provenance is about, not who wrote it down."""
    for agent in members(provenance.get("agent")):
        if codes(agent.get("type")) & {"attester", "legal"}:
            yield from names(agent.get("who"))


def signed(signature: Signature) -> str:
    """The FHIRPath of a signature in its Provenance."""
    return f"signature[{signature.index}]"
