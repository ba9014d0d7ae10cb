"""How many plans, goals and reviews there are, for whoever runs the server: numbers, and no names.

Each is the count of an ordinary search, which the database answers from its indexes.
"""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from app.fhir.access import Nothing
from app.fhir.context import Context
from app.fhir.search.compile import compile_search
from app.fhir.search.query import parse_query
from app.isp.codes import ISP, LIVE_GOALS, LIVE_TASKS, RENEWAL, REVIEW
from app.isp.sign import KINDS_OF_SIGNATURE

WHOLE = ("part-of:missing", "true")
IN_FORCE = ("status", "active,on-hold")
LIVE = ("lifecycle-status", ",".join(sorted(LIVE_GOALS)))
SIGNED = ("_has:Provenance:target:signature-type", f"{KINDS_OF_SIGNATURE}|")
REVIEWS = (
    ("code", f"{ISP}|{REVIEW},{ISP}|{RENEWAL}"),
    ("status", ",".join(sorted(LIVE_TASKS))),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """A gauge: its name, what it counts, type and search; `status` is its label, if any."""

    name: str
    text: str
    type: str
    query: tuple[tuple[str, str], ...]
    status: str = ""


GAUGES = (
    *(
        Counted(
            "isp_plans", "Plans, without their parts.", "CarePlan", (("status", one), WHOLE), one
        )
        for one in ("draft", "active", "on-hold", "completed", "revoked")
    ),
    Counted(
        "isp_plans_signed",
        "Plans in force with a signature.",
        "CarePlan",
        (IN_FORCE, WHOLE, SIGNED),
    ),
    Counted("isp_goals", "Goals that are pursued.", "Goal", (LIVE,)),
    Counted(
        "isp_goals_dated",
        "Of these, those with a due day.",
        "Goal",
        (LIVE, ("target-date:missing", "false")),
    ),
    Counted(
        "isp_goals_achieved",
        "Goals achieved or sustained.",
        "Goal",
        (("achievement-status", "achieved,sustaining"),),
    ),
    Counted("isp_reviews_open", "Reviews that are open.", "Task", REVIEWS),
)


async def exposition(ctx: Context) -> bytes:
    """The gauges over what the context may see, in the text format of Prometheus."""
    registry = CollectorRegistry()
    known: dict[str, Gauge] = {}
    for one in GAUGES:
        labels = ["status"] if one.status else []
        if one.name not in known:
            known[one.name] = Gauge(one.name, one.text, labels, registry=registry)
        gauge = known[one.name].labels(one.status) if one.status else known[one.name]
        gauge.set(await _count(ctx, one))
    return generate_latest(registry)


async def _count(ctx: Context, counted: Counted) -> int:
    query = parse_query(counted.type, [*counted.query, ("_summary", "count")], counts=(1, 1))
    access = ctx.access.get("s", Nothing())
    statement = compile_search(query, access, ctx.engine.base_url, None)
    row = await ctx.store.fetchrow(*statement.complete)
    return int(row["version"]) if row else 0
