"""What must hold of the plans of a person, said once more: the judge of the guard, without SQL."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

Json = dict[str, Any]
ISP = "individualized-service-plan"
STEPS = {
    ("draft", "active"),
    ("draft", "revoked"),
    ("active", "on-hold"),
    ("active", "completed"),
    ("active", "revoked"),
    ("on-hold", "active"),
    ("on-hold", "completed"),
    ("on-hold", "revoked"),
}
OPEN = ("requested", "received", "accepted", "ready", "in-progress", "on-hold", "draft")


def broken(world: Sequence[Json], today: date) -> Iterator[str]:
    """What does not hold of the current resources of one person."""
    plans = [one for one in world if one["resourceType"] == "CarePlan"]
    if sum(one["status"] in ("active", "on-hold") for one in plans) > 1:
        yield "two plans in force"
    for plan in plans:
        if plan["status"] == "active":
            yield from (f"{plan['id']}: {what}" for what in _lacking(plan, world, today))


def _lacking(plan: Json, world: Sequence[Json], today: date) -> Iterator[str]:
    own = f"CarePlan/{plan['id']}"
    if ISP not in str(plan["category"]):
        yield "no plan any more"
    if date.fromisoformat(plan.get("period", {}).get("end", "1900-01-01")) < today:
        yield "over"
    proofs = [one for one in world if one["resourceType"] == "Provenance"]
    if not any(_is_answer(one, own) for one in proofs):
        yield "unsigned"
    said = sorted((one["recorded"], str(one)) for one in proofs if _is_said(one, own))
    if said and "'withdraw'" in said[-1][1]:
        yield "taken back"
    teams = {one["reference"] for one in plan.get("careTeam", [])}
    active = [o for o in world if o["resourceType"] == "CareTeam" and o["status"] == "active"]
    if not teams & {f"CareTeam/{one['id']}" for one in active}:
        yield "no team"
    tasks = [one for one in world if one["resourceType"] == "Task"]
    if not any(_is_review(one, own) for one in tasks):
        yield "no review"


def _is_answer(proof: Json, plan: str) -> bool:
    is_about = any(one["reference"].startswith(f"{plan}/_history/") for one in proof["target"])
    return is_about and ("signature" in proof or "signature-refused" in str(proof))


def _is_said(proof: Json, plan: str) -> bool:
    """Whether it says that the plan is put forward or taken back, signed or refused."""
    is_about = any(one["reference"].startswith(f"{plan}/_history/") for one in proof["target"])
    kinds = ("'propose'", "'withdraw'")
    is_kind = any(kind in str(proof.get("activity")) for kind in kinds)
    return is_about and (is_kind or _is_answer(proof, plan))


def _is_review(task: Json, plan: str) -> bool:
    is_asked = "client-request" in str(task.get("reasonCode"))
    is_open = task["status"] in OPEN and not is_asked and "plan-review" in str(task["code"])
    return is_open and task.get("focus", {}).get("reference") == plan


def astray(states: Sequence[str]) -> list[tuple[str, str]]:
    """The steps in the life of one plan that lead where no plan goes."""
    return [one for one in pairwise(states) if one[0] != one[1] and one not in STEPS]
