"""Draft: one change on its way through `commit`, and what follows from it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b

from app.fhir import json
from app.fhir.change import Change
from app.fhir.compartments import inherited_from, is_single, subjects
from app.fhir.context import Context, Resource
from app.fhir.engine import Engine
from app.fhir.errors import BadRequest
from app.fhir.instant import to_text
from app.fhir.marks import UNMARKED, Marks
from app.fhir.references import Reference, local, located, walk
from app.fhir.registry import registered
from app.fhir.search.parameters import extract
from app.fhir.sharing import Key
from app.storage.versions import WORDS, Row

KEPT_AFTER_DELETION = frozenset({"Patient"})
"""Whoever kept the record of a deleted patient goes on seeing that it was deleted."""


@dataclass(frozen=True, slots=True)
class Current:
    """The locked current version that a change meets."""

    rid: int
    version: int
    last_updated: datetime
    deleted: bool
    patient: str | None
    patients: list[str] | None
    digest: int
    body: str | None
    marks: Marks = UNMARKED

    @property
    def about(self) -> tuple[str, ...]:
        """The logical ids of the patients it is about."""
        return (self.patient,) if self.patient else tuple(self.patients or ())


@dataclass(frozen=True, slots=True)
class Derived:
    """What follows from one resource: its search keys, rows by table (without rid), marks."""

    keys: Sequence[int] = ()
    rows: Mapping[str, list[Row]] = field(default_factory=dict)
    marks: Marks = UNMARKED


@dataclass(frozen=True, slots=True)
class Draft:
    """A change with everything that can be computed before the transaction begins.

    `sources` are the resources whose patients it is about too, `references` all that it refers to;
    `digest` tells whether the derived rows and the references are the same as those of another
    version.
    """

    change: Change
    derived: Derived = Derived()
    subjects: tuple[str, ...] = ()
    sources: tuple[Reference, ...] = ()
    references: tuple[Reference, ...] = ()
    digest: int = 0
    stamp: str = field(default_factory=lambda: registered().stamp)
    """The registered search parameters that it was derived under."""

    @property
    def key(self) -> tuple[str, str]:
        return (self.change.type, self.change.id)

    def is_like(self, current: Current | None) -> bool:
        """Whether the derived rows (but for WORDS) and the references are the current version's."""
        if current is None or current.deleted or self.change.resource is None:
            return False
        return self.digest == current.digest


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request asks to write; `rids` are the row numbers of what may be new."""

    ctx: Context
    drafts: Sequence[Draft]
    rids: Mapping[Key, int]

    @property
    def keys(self) -> list[Key]:
        return [each.key for each in self.drafts]


def draft(engine: Engine, change: Change) -> Draft:
    """Extract the index, projections, subjects and references of a change."""
    resource = change.resource
    if resource is None:
        return Draft(change)
    derived, base = derive(engine, resource), engine.base_url
    named = (local(element["reference"], base) for element in walk(resource))
    pointed = [reference.whole for reference in named if reference is not None]
    return Draft(
        change,
        derived,
        tuple(subjects(resource, base)),
        tuple(inherited_from(resource, base)),
        tuple(dict.fromkeys(pointed)),
        _digest(derived, pointed),
    )


def redrafted(asked: Asked) -> Asked:
    """The same, derived anew if other search parameters are registered by now."""
    stamp, engine = registered().stamp, asked.ctx.engine
    if all(each.stamp == stamp for each in asked.drafts):
        return asked
    return replace(asked, drafts=[draft(engine, each.change) for each in asked.drafts])


def refuse_twice(drafts: Sequence[Draft]) -> None:
    """A resource appears only once in a transaction. https://hl7.org/fhir/R4/http.html#trules"""
    seen = set()
    for each in drafts:
        if each.key in seen:
            raise BadRequest(
                f"{'/'.join(each.key)} is changed twice in one transaction.",
                expression=[each.change.at] if each.change.at else (),
            )
        seen.add(each.key)


def _digest(derived: Derived, pointed: Sequence[Reference]) -> int:
    rows = sorted((table, rows) for table, rows in derived.rows.items() if table != WORDS)
    text = json.dump((rows, sorted((each.type, each.id) for each in pointed)))
    return int.from_bytes(blake2b(text, digest_size=8).digest(), signed=True)


def derive(engine: Engine, resource: Resource) -> Derived:
    """The search keys, derived rows and marks of a resource."""
    index = extract(resource, engine.base_url)
    rows: dict[str, list[Row]] = {
        "index_reference": index.references,
        "index_date": index.dates,
        "index_string": index.strings,
        "index_number": index.numbers,
        "index_composite": index.composites,
        WORDS: index.texts,
    }
    for projection in engine.projections:
        rows.update(projection.project(resource, engine.base_url))
    made = {table: found for table, found in rows.items() if found}
    return Derived(index.keys, made, engine.mark(resource, engine.base_url))


def pointers(
    resource: Resource, base_url: str, at: str | None = None
) -> Iterator[tuple[Reference, str]]:
    """Each of its references to a resource of this server, with its FHIRPath."""
    for path, element in located(resource, at or resource["resourceType"]):
        reference = local(element["reference"], base_url)
        if reference is not None:
            yield reference.whole, path


def body(resource: Resource, version: int, last_updated: datetime) -> str:
    """The text that will be sent: the resource as received, with id and meta set by the server."""
    meta = {"versionId": str(version), "lastUpdated": to_text(last_updated)}
    kept = {k: v for k, v in resource.get("meta", {}).items() if k not in meta}
    head = {
        "resourceType": resource["resourceType"],
        "id": resource["id"],
        "meta": {**meta, **kept},
    }
    rest = {name: value for name, value in resource.items() if name not in head}
    return json.dump({**head, **rest}).decode()


def about(type_: str, patients: Sequence[str]) -> tuple[str | None, list[str] | None]:
    """The columns `patient` and `patients` of a resource about these patients."""
    if is_single(type_):
        return (patients[0] if patients else None), None
    return None, (sorted(set(patients)) or None)
