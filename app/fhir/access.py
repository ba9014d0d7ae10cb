"""Access: a small algebra of which resources someone may see. A value; no I/O, no SQL.

`visible` compiles it into the only FROM clause there is. Nothing here has a default: an Access that
nobody composed does not exist, and an empty union sees nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

EVERYONE = "*"
"""The actor of a denial that names none."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Sees no resource at all: what a missing claim, scope or relationship amounts to."""


@dataclass(frozen=True, slots=True)
class Everything:
    """Sees every resource; `reason` is for who reads the code or a debugger."""

    reason: str


@dataclass(frozen=True, slots=True)
class OfType:
    """Sees the resources of one type, `*` for all types."""

    type: str


@dataclass(frozen=True, slots=True)
class ExceptType:
    """Sees the resources of every type but one."""

    type: str


@dataclass(frozen=True, slots=True)
class InCompartment:
    """Sees what is about this one patient (logical id), and the directory types."""

    patient: str


@dataclass(frozen=True, slots=True)
class Matching:
    """Sees the resources of `type` that match search parameters: a granular SMART scope."""

    type: str
    query: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ByAgent:
    """Sees the AuditEvents of what one of these agents did (keys of `targets`), or, if it is
    `of_others`, of what none of them did; and everything that is no AuditEvent."""

    agents: tuple[int, ...]
    of_others: bool = False


@dataclass(frozen=True, slots=True)
class Related:
    """Sees the patients whom one of the actors supports, whatever they consent to.

    `actors` are references ("Organization/1", "Practitioner/2", "RelatedPerson/3", "Patient/4").
    `bases` are the ways that count, as they are named in table `relationship`; none is all.
    """

    actors: tuple[str, ...]
    bases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """What a relationship opens where no Consent says otherwise.

    `basis` is one of table `relationship`. It opens what is at most as confidential as
    `confidentiality` (0..5), bears no sensitivity label unless `is_labelled`, and no seal but those
    it `opens`. A free standing is beyond any Consent; a closable one opens nothing beside a Consent
    that lists what may flow.
    """

    basis: str
    confidentiality: int
    is_labelled: bool = False
    opens: tuple[str, ...] = ()
    is_free: bool = False
    is_closable: bool = False


@dataclass(frozen=True, slots=True)
class Permitted:
    """Sees what patients' consents and the relationships to them permit, and the directory types.

    `actors` are references ("Organization/1", "Practitioner/2", "RelatedPerson/3", "Patient/4"),
    `purposes` codes of v3-ActReason with all broader ones, `actions` codes of consentaction;
    `authorship` are the traits of what the actors wrote. A resource that is about several patients
    needs the permission of each.
    """

    actors: tuple[str, ...]
    purposes: tuple[str, ...]
    actions: tuple[str, ...]
    standings: tuple[Standing, ...]
    authorship: tuple[int, ...] = ()
    hashed: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Once: what follows from an Access is looked up by its value with every request.
        object.__setattr__(
            self,
            "hashed",
            hash((self.actors, self.purposes, self.actions, self.standings, self.authorship)),
        )

    def __hash__(self) -> int:
        return self.hashed


@dataclass(frozen=True, slots=True)
class All:
    """Sees what every part sees."""

    parts: tuple["Access", ...]
    hashed: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hashed", hash((All, self.parts)))

    def __hash__(self) -> int:
        return self.hashed


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Sees what at least one part sees."""

    parts: tuple["Access", ...]
    hashed: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hashed", hash((AnyOf, self.parts)))

    def __hash__(self) -> int:
        return self.hashed


Access = (
    Nothing
    | Everything
    | OfType
    | ExceptType
    | InCompartment
    | Matching
    | ByAgent
    | Related
    | Permitted
    | All
    | AnyOf
)


def every(parts: Iterable[Access]) -> Access:
    """The conjunction of the parts, simplified. No part at all is refused: it would fail open."""
    kept = [part for part in dict.fromkeys(parts) if not isinstance(part, Everything)]
    if any(isinstance(part, Nothing) for part in kept):
        return Nothing()
    if not kept:
        raise ValueError("a conjunction needs a part that restricts; name Everything directly")
    return kept[0] if len(kept) == 1 else All(tuple(kept))


def some(parts: Iterable[Access]) -> Access:
    """The union of the parts, simplified: Nothing when there is none."""
    kept = list(dict.fromkeys(part for part in parts if not isinstance(part, Nothing)))
    if not kept:
        return Nothing()
    return kept[0] if len(kept) == 1 else AnyOf(tuple(kept))


@lru_cache(maxsize=16384)
def for_type(access: Access, type_: str) -> Access:
    """The same access, specialised to one resource type: type conditions are decided here."""
    match access:
        case OfType(named) | Matching(type=named) if named not in ("*", type_):
            return Nothing()
        case ExceptType(named) if named == type_:
            return Nothing()
        case ByAgent() if type_ == "AuditEvent":
            pass
        case OfType() | ExceptType() | ByAgent():
            return Everything("type in scope")
        case All(parts):
            return _all(tuple(for_type(part, type_) for part in parts))
        case AnyOf(parts):
            return _any(tuple(for_type(part, type_) for part in parts))
    return access


def _all(parts: tuple[Access, ...]) -> Access:
    return parts[0] if all(isinstance(part, Everything) for part in parts) else every(parts)


def _any(parts: tuple[Access, ...]) -> Access:
    return next((part for part in parts if isinstance(part, Everything)), None) or some(parts)


def permissions(access: Access) -> Iterator[Permitted]:
    """What consents and relationships have a say in the access."""
    match access:
        case Permitted():
            yield access
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from permissions(part)
