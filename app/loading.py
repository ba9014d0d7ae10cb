"""Store many resources as the role operator: by batches, one by one where a batch is refused."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from app.admission import admit
from app.auth.caller import Caller
from app.auth.scopes import parse
from app.fhir.change import Change, Committed
from app.fhir.commit import commit
from app.fhir.context import Call, Context
from app.fhir.engine import Engine
from app.fhir.errors import BadRequest, FHIRError
from app.fhir.ids import new_id
from app.fhir.interactions.write import plan_create, plan_update
from app.fhir.routing import record_refusal, target
from app.reading import Item

BATCH = 200
"""Resources to a transaction; a Bundle is not divided, unless it holds a resource twice."""

OPERATOR = Caller(
    client_id="isp-load",
    role="operator",
    organization=None,
    user=None,
    fhir_user=None,
    patient=None,
    scopes=parse("system/*.cruds"),
    extra_scopes=frozenset(),
    purpose=None,
    token_id="",
    expires=0,
)

Planned = tuple[Item, Call, Change]


@dataclass(slots=True)
class Report:
    """What became of the resources; `missing` counts references by the target that is not there."""

    outcomes: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    refused: list[dict[str, Any]] = field(default_factory=list)
    missing: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """The summary that `isp load` prints."""
        return {
            "loaded": self.outcomes.total(),
            "outcomes": dict(self.outcomes),
            "types": dict(sorted(self.types.items())),
            "refused": self.refused,
            "references to nothing": dict(sorted(self.missing.items())),
        }

    def committed(self, done: Sequence[Committed]) -> None:
        """Count stored resources, and what they refer to in vain so far."""
        self.outcomes.update(each.outcome for each in done)
        self.types.update(each.type for each in done)
        # Every change of a commit carries what dangles in all of it.
        self.missing.update(one.partition(": ")[2] for one in done[0].dangling)
        for each in done:
            # A file need not name a resource before it refers to it.
            self.missing.pop(f"{each.type}/{each.id}", None)

    def refuse(self, item: Item, error: FHIRError) -> None:
        """Name a resource and every reason why it is not stored."""
        resource = item.resource if isinstance(item.resource, dict) else {}
        issues = [i.to_json() for i in error.issues if i.severity in ("error", "fatal")]
        name = "/".join(str(resource[key]) for key in ("resourceType", "id") if key in resource)
        self.refused.append({"source": item.source, "resource": name or None, "issues": issues})


async def load(
    engine: Engine,
    items: Iterable[Item],
    report: Report | None = None,
    *,
    is_as_recorded: bool = False,
) -> Report:
    """Store the items in their order. References to nothing are reported, and let pass.

    With `report` what became of them is added to that; what is as recorded elsewhere is stored past
    the guards. Raises DatabaseAway.
    """
    report, batch = report or Report(), list[Planned]()
    policy = replace(engine.policy, check_references=False)
    guards = () if is_as_recorded else engine.guards
    ctx = admit(replace(engine, policy=policy, guards=guards), OPERATOR, new_id())
    for item in items:
        try:
            planned = _plan(ctx, item)
        except FHIRError as error:
            report.refuse(item, error)
            await record_refusal(_now(ctx), _call(item), error)
            continue
        if _is_complete(batch, planned):
            await _store(ctx, report, batch)
            batch = []
        batch.append(planned)
    await _store(ctx, report, batch)
    return report


def _is_complete(batch: Sequence[Planned], planned: Planned) -> bool:
    """Whether the batch is full, or holds the same resource: a transaction changes it once."""
    item, _, change = planned
    if len(batch) >= BATCH and item.group != batch[-1][0].group:
        return True
    return any(each.id == change.id and each.type == change.type for _, _, each in batch)


def _now(ctx: Context) -> Context:
    return replace(ctx, request_id=new_id(), now=datetime.now(UTC))


def _call(item: Item) -> Call:
    """The create or update this item amounts to, whatever it is."""
    resource = item.resource if isinstance(item.resource, dict) else {}
    type_, id_ = resource.get("resourceType"), resource.get("id")
    return Call(
        "update" if item.is_update else "create",
        type_ if isinstance(type_, str) else None,
        id_ if isinstance(id_, str) else None,
        body=item.resource,
    )


def _plan(ctx: Context, item: Item) -> Planned:
    """Check one item on its own. Raises FHIRError."""
    if item.error:
        raise item.error
    call = _call(item)
    if call.type is None:
        raise BadRequest("This is no resource: a JSON object with a resourceType is.")
    target(f"{call.type}/{call.id}" if item.is_update else call.type)
    plan = plan_update if item.is_update else plan_create
    return item, call, plan(ctx, call)


async def _store(ctx: Context, report: Report, batch: Sequence[Planned]) -> None:
    """Commit a batch; where it is refused, each of it alone, to find out which one and why."""
    if not batch:
        return
    try:
        done = await commit(_now(ctx), [change for _, _, change in batch])
    except FHIRError as error:
        if len(batch) > 1:
            for one in batch:
                await _store(ctx, report, [one])
            return
        item, call, _ = batch[0]
        report.refuse(item, error)
        await record_refusal(_now(ctx), call, error)
        return
    report.committed(done)
