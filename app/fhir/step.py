"""Step: a draft that met its current version, and so the version that is to be stored. Pure.

https://hl7.org/fhir/R4/http.html#update, #delete, #concurrency
"""

from dataclasses import dataclass
from datetime import datetime

from app.fhir.change import ANY, Change, Committed, Overtaken
from app.fhir.compartments import DIRECTORY
from app.fhir.draft import Current, Draft, about, body
from app.fhir.errors import MethodNotAllowed, PreconditionFailed
from app.fhir.marks import Marks
from app.fhir.references import mentioned
from app.storage.versions import Head


@dataclass(frozen=True, slots=True)
class Step:
    """A draft that met its current version: what is to be stored, if anything is."""

    draft: Draft
    current: Current | None
    rid: int
    committed: Committed

    @property
    def is_stored(self) -> bool:
        before = self.current.version if self.current else 0
        return self.committed.version > before


def meet(each: Draft, current: Current | None, fresh: int, instant: datetime) -> Step:
    """The step of a draft that meets this version, or none; `fresh` is the rid of a new one."""
    rid = current.rid if current else fresh
    if each.change.resource is None:
        return Step(each, current, rid, _deletion(each.change, current, instant))
    if current and not current.deleted and _is_unchanged(each, current):
        return Step(each, current, rid, _unchanged(each.change, current))
    return Step(each, current, rid, _state(each, current, instant))


def match_version(change: Change, current: Current | None) -> None:
    """Refuse a change of what is not there, or not at the version that If-Match names.

    https://hl7.org/fhir/R4/http.html#upsert, #concurrency
    """
    if current is None and change.method in ("PUT", "PATCH") and not change.may_create:
        raise MethodNotAllowed(
            f"{change.type}/{change.id} does not exist, or is not known to you; this server gives"
            f" ids itself: create it with POST {change.type}.",
            expression=[change.at or change.type],
        )
    if current is not None:
        check_versions(change, current.version, is_deleted=current.deleted)
    elif change.if_match is not None and change.method == "PUT":
        raise PreconditionFailed(
            f"{change.type}/{change.id} has no version yet that If-Match could name.",
            expression=[change.at or change.type],
        )
    if change.seen is not None and (current is None or change.seen != current.version):
        raise Overtaken


def check_versions(change: Change, version: int, *, is_deleted: bool = False) -> None:
    """Refuse a change whose If-Match or If-None-Match does not suit the current version.

    https://www.rfc-editor.org/rfc/rfc9110#section-13.1
    """
    where = [change.at or change.type]
    if change.if_match is not None and not change.if_match & {ANY, str(version)}:
        raise PreconditionFailed(
            f"{change.type}/{change.id} is at version {version}, not at"
            f" {', '.join(sorted(change.if_match))}: read it again and repeat your change.",
            expression=where,
        )
    if not is_deleted and change.if_none_match & {ANY, str(version)}:
        raise PreconditionFailed(
            f"{change.type}/{change.id} is there already, at version {version}.", expression=where
        )


def _is_unchanged(each: Draft, current: Current) -> bool:
    assert each.change.resource is not None
    return body(each.change.resource, current.version, current.last_updated) == current.body


def _unchanged(change: Change, current: Current) -> Committed:
    return Committed(
        change.type,
        change.id,
        current.version,
        current.last_updated,
        "unchanged",
        current.patient,
        current.patients,
        current.body,
        current.marks,
    )


def _deletion(change: Change, current: Current | None, instant: datetime) -> Committed:
    """Deleting what is deleted already, or is not there, succeeds and changes nothing."""
    if current is None:
        return Committed(change.type, change.id, 0, instant, "absent", None, None, None)
    version, time, outcome = current.version + 1, instant, "deleted"
    if current.deleted:
        version, time, outcome = current.version, current.last_updated, "absent"
    patient, patients = current.patient, current.patients
    return Committed(change.type, change.id, version, time, outcome, patient, patients, None)


def _state(each: Draft, current: Current | None, instant: datetime) -> Committed:
    change = each.change
    assert change.resource is not None
    version = current.version + 1 if current else 1
    outcome = "created" if current is None or current.deleted else "updated"
    text = body(change.resource, version, instant)
    return Committed(
        change.type,
        change.id,
        version,
        instant,
        outcome,
        *about(change.type, each.subjects),
        text,
        each.derived.marks,
    )


def head_of(step: Step) -> Head:
    """What becomes the current version."""
    done = step.committed
    marks = _marks(step)
    return Head(
        step.rid,
        done.type,
        done.id,
        done.version,
        done.last_updated,
        step.draft.change.method,
        done.patient,
        done.patients,
        step.draft.derived.keys,
        step.draft.digest,
        done.body,
        marks.confidentiality,
        marks.labels or None,
        marks.seals or None,
        marks.traits,
        marks.lo,
        marks.hi,
        pointers(done.body),
    )


def pointers(body: str | None) -> list[str]:
    """The records that a body as it is stored refers to, relative to wherever this server is."""
    named = set(mentioned(body)) if body else set[str]()
    return sorted(name for name in named if name.partition("/")[0] not in DIRECTORY)


def _marks(step: Step) -> Marks:
    """Those of what was deleted go on saying who may know that it was there."""
    is_deletion = step.draft.change.resource is None
    return step.current.marks if is_deletion and step.current else step.draft.derived.marks
