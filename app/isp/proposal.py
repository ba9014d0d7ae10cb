"""A plan put before the person and all who sign it: the stage between draft and active. Pure.

R4 has no such status of a CarePlan, so it stays `draft`; what was put forward, and what came of it,
is told by Provenances: proposed, taken back, signed, refused. docs/decisions/0018-proposed.md
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from operator import itemgetter

from app.fhir.context import Resource
from app.fhir.errors import Issue, Unprocessable
from app.fhir.instant import to_text
from app.fhir.search.parameters.date import interval
from app.isp import codes as code
from app.isp.act import Act, Reference, provenance, refuse
from app.isp.actors import is_among
from app.isp.canonical import agreed, differing, digest
from app.isp.check import check, is_ready_to_sign
from app.isp.codes import AGREED, ISP, PROPOSE, SIGN, WITHDRAW
from app.isp.element import codes, days_after, extensions, members, name, names, versioned
from app.isp.plan import Plan
from app.isp.rules.agreement import own_voices
from app.isp.rules.profiles import Profile
from app.isp.rules.rule import Clock, Place, at
from app.isp.rules.table import AFTER_SIGNING

PROPOSED = "proposed"
NEVER = datetime.min.replace(tzinfo=UTC)
WORDS = "Please read the plan, and sign it or say why not"


@dataclass(frozen=True, slots=True)
class Asking:
    """Who is asked besides those who must sign (Type/id), and the last day to answer."""

    others: Collection[str]
    due: date | None


def stage(plan: Plan) -> str:
    """The status of the plan; `proposed` for a draft that was put forward and not taken back."""
    state = str(plan.care_plan.get("status", "unknown"))
    is_put_forward = state == "draft" and _last(plan) not in (None, WITHDRAW)
    return PROPOSED if is_put_forward else state


def withdrawn(plan: Plan, _: Clock) -> Iterator[Place]:
    """The plan was taken back from those who sign it, and not proposed or signed since."""
    if _last(plan) == WITHDRAW:
        yield at(plan.care_plan, "status")


def _last(plan: Plan) -> str | None:
    """What was said last of whether the plan is agreed to: PROPOSE, WITHDRAW, or SIGN."""
    told = [(_recorded(one), kind) for kind in (PROPOSE, WITHDRAW) for one in _acts(plan, kind)]
    told += [(_recorded(one.provenance), SIGN) for one in plan.signatures]
    told += [(_recorded(one.resource), SIGN) for one in plan.refusals]
    return max(told, default=(NEVER, None), key=itemgetter(0))[1]


def _acts(plan: Plan, kind: str) -> list[Resource]:
    return [
        one
        for one in plan.of("Provenance")
        if kind in codes(one.get("activity")) and plan.name in names(one.get("target"))
    ]


def _recorded(one: Resource) -> datetime:
    """When it was said; whoever wrote it may have another time zone."""
    try:
        return interval(str(one.get("recorded", one.get("authoredOn", ""))))[0]
    except ValueError:
        return NEVER


def proposal(plan: Plan) -> Resource | None:
    """The Provenance by which the plan was put forward last."""
    return max(_acts(plan, PROPOSE), key=_recorded, default=None)


def changed_since(plan: Plan) -> list[str]:
    """The Type/id of what is not as it was put forward last; what is hidden is not held against it.

    By the hash that a target bears; a client that wrote none is taken by the versions it names.
    """
    hashes: dict[str, str] = {}
    versions: dict[str, str | None] = {}
    for target in members((proposal(plan) or {}).get("target")):
        for own, version in versioned(target):
            told = [str(one.get("valueString")) for one in extensions(target, AGREED)]
            hashes |= {own: told[0]} if told else {}
            versions |= {} if told else {own: version}
    known = {own: plan.resources[own] for own in versions if own in plan.resources}
    moved = {own for own, one in known.items() if versions[own] not in (None, _version(one))}
    return sorted(moved | {*(differing(plan, hashes) if hashes else ())})


def _version(one: Resource) -> str:
    return str(one.get("meta", {}).get("versionId"))


def open_asks(plan: Plan) -> list[Resource]:
    """The Tasks of those who were asked to sign and have not answered."""
    return [one for one in plan.tasks_of(SIGN) if one.get("status") in code.LIVE_TASKS]


def proposed(plan: Plan, asking: Asking, rules: Profile, act: Act) -> list[Resource]:
    """The Provenance of the proposal, a Task for each who is asked to sign; older ones called off.

    Raises Unprocessable for a plan that is no draft, and with each error that keeps it from being
    signed by these rules.
    """
    _check(plan, rules, act)
    due = asking.due or days_after(act.today, rules.limits["request_days"])
    if due < act.today:
        raise refuse("Date", "the last day to answer is not past.", "Parameters.parameter")
    asks = [_ask(plan, who, due, act) for who in _signers(plan, asking.others, act.today)]
    return [_put_forward(plan, act), *asks, *called_off(plan, "The plan was proposed anew.")]


def taken_back(plan: Plan, reason: str, act: Act) -> list[Resource]:
    """The Provenance that takes a proposal back, and the open Tasks to sign called off.

    Raises Unprocessable for a plan that is not proposed.
    """
    if stage(plan) != PROPOSED:
        raise refuse("Status", "only a plan that is proposed is taken back.", "CarePlan.status")
    made = provenance(act, WITHDRAW, [], reason)
    made["target"] = [{"reference": f"{plan.name}/_history/{_version(plan.care_plan)}"}]
    return [made, *called_off(plan, reason)]


def closed_asks(plan: Plan, who: str, proof: Resource) -> Iterator[Resource]:
    """The open Tasks that asked this person to sign, done, or rejected for the reason they gave."""
    reason = [str(one.get("text", "")) for one in members(proof.get("reason"))]
    is_signed = "signature" in proof
    for one in open_asks(plan):
        if any(is_among(plan, owner, [who]) for owner in names(one.get("owner"))):
            status = {"status": "completed" if is_signed else "rejected"}
            said = {} if is_signed else {"statusReason": {"text": reason[0]}}
            yield {**one, **status, **said, "lastModified": proof["recorded"]}


def _check(plan: Plan, rules: Profile, act: Act) -> None:
    if plan.care_plan.get("status") != "draft":
        raise refuse("Status", "only a draft is put before those who sign.", "CarePlan.status")
    findings = check(plan, rules, act.today)
    if is_ready_to_sign(findings):
        return
    issues = [
        Issue("business-rule", f"{one.id}: {one.resource}: {one.sentence}", (one.expression,))
        for one in findings
        if one.severity == "error" and one.section not in AFTER_SIGNING
    ]
    raise Unprocessable("The plan is not ready to be signed.", issues=issues)


def _signers(plan: Plan, others: Collection[str], today: date) -> list[str]:
    """The person or who stands for them, who answers for the plan, who gives support; each once."""
    performers = [who for one in plan.live_services for who in one.performers]
    wanted = [*sorted(own_voices(plan, today)), *names(plan.care_plan.get("author")), *performers]
    found: list[str] = []
    for who in (*wanted, *others):
        if not is_among(plan, who, found):
            found.append(who)
    return found


def _ask(plan: Plan, who: str, due: date, act: Act) -> Resource:
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": ISP, "code": SIGN}], "text": WORDS},
        "focus": {"reference": f"{plan.name}/_history/{_version(plan.care_plan)}"},
        "for": plan.care_plan["subject"],
        "authoredOn": to_text(act.now),
        "requester": act.who,
        "owner": {"reference": who},
        "restriction": {"period": {"end": due.isoformat()}},
    }


def _put_forward(plan: Plan, act: Act) -> Resource:
    """Its targets are all that would be signed, at this version, each with its hash."""
    whole = {name(one): one for one in agreed(plan)}
    return provenance(act, PROPOSE, []) | {"target": [_target(one) for one in whole.values()]}


def _target(one: Resource) -> Reference | Resource:
    hash_ = {"url": f"{code.EXTENSION}/{AGREED}", "valueString": digest(one)}
    return {"extension": [hash_], "reference": f"{name(one)}/_history/{_version(one)}"}


def called_off(plan: Plan, reason: str) -> Sequence[Resource]:
    """The open Tasks to sign, cancelled for this reason."""
    over = {"status": "cancelled", "statusReason": {"text": reason}}
    return [{**one, **over} for one in open_asks(plan)]
