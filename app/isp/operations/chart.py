"""$progress-chart: the progress of a goal as numbers and as a picture.

docs/operations/progress-chart.md
"""

from collections.abc import Iterator, Sequence
from typing import Any

from app.fhir import json
from app.fhir.context import Call, Context, Disclosed, Resource, Result
from app.fhir.disclose import derived, rendered
from app.fhir.engine import Operation
from app.fhir.operations.parameters import parameters_of
from app.isp.chart import described, rows, stacked, svg, told
from app.isp.codes import DEFINITION
from app.isp.document.page import policy, style
from app.isp.document.privacy_mark import PrivacyMark, privacy_mark
from app.isp.element import codes
from app.isp.operations.gathered import gather
from app.isp.operations.language import language
from app.isp.series import Milestone, Point, Series, every
from app.isp.templates import template
from app.isp.words import Words, chosen

KINDS = {"language": ("valueCode",)}
HTML, SVG = "text/html", "image/svg+xml"
NOTHING_ELSE = "default-src 'none'; frame-ancestors 'none'; sandbox"


async def run(ctx: Context, call: Call) -> Result:
    """The series of a goal as Parameters, as SVG, or as a page with both chart and table: 200.

    Raises BadRequest for what cannot be read, NotFound and Gone as a read does.
    """
    asked_language = language(parameters_of(call, KINDS))
    found = await gather(ctx, call)
    goal = found.resources[f"Goal/{call.id}"]
    people = [one for one in found.resources.values() if one["resourceType"] == "Patient"]
    spoken = people[0].get("communication") if people else None
    words = chosen(asked_language, call.languages, spoken)
    made = every(goal, found.resources)
    laid = privacy_mark(found.resources[own] for own in _told(made) if own in found.resources)
    body, headers = _written(call, made, goal, words, laid)
    return Result(
        200,
        body,
        type=call.type,
        id=call.id,
        patients=found.patients,
        consents=found.consents,
        media_type=call.accept,
        headers={"Content-Language": words.language, **headers},
    )


def _told(made: Sequence[Series]) -> set[str]:
    """The Type/id of all that the series tell of."""
    points = [one for each in made for one in (each.baseline, *each.points) if one]
    steps = [step.goal for each in made for step in each.milestones]
    return {*(each.goal for each in made), *(one.source for one in points if one.source), *steps}


def _written(
    call: Call, made: Sequence[Series], goal: Resource, words: Words, laid: PrivacyMark
) -> tuple[Disclosed, dict[str, str]]:
    if call.accept == SVG:
        text = str(stacked(made, words, laid.notice))
        return rendered(text.encode()), {"Content-Security-Policy": NOTHING_ELSE}
    if call.accept == HTML:
        charts = [_chart(one, words) for one in made]
        text = template("chart.html").render(
            words=words, text=made[0].text, style=style(), charts=charts, notice=laid.notice
        )
        return rendered(text.encode()), {"Content-Security-Policy": policy()}
    parts = list(_parameters(made, goal, words))
    return derived(laid.noticed({"resourceType": "Parameters", "parameter": parts})), {}


def _chart(made: Series, words: Words) -> dict[str, Any]:
    """A chart of the page, and its numbers."""
    desc, drawn = described(made, words), svg(made, words)
    return {"measure": made.measure, "desc": desc, "chart": drawn, "rows": rows(made, words)}


def _parameters(made: Sequence[Series], goal: Resource, words: Words) -> Iterator[dict[str, Any]]:
    """The series of the first target, and those of the others each as a part."""
    first, *others = made
    yield {"name": "goal", "valueReference": {"reference": first.goal}}
    yield from _counted(first)
    for one in others:
        said = {"name": "text", "valueString": described(one, words)}
        yield {"name": "series", "part": [*_counted(one), _trend(one), said]}
    for status in sorted(codes(goal.get("achievementStatus"))):
        yield {"name": "achievementStatus", "valueCode": status}
    yield _trend(first)
    yield {"name": "text", "valueString": told(made, words)}


def _trend(made: Series) -> dict[str, Any]:
    return {"name": "trend", "valueCode": made.trend}


def _counted(made: Series) -> Iterator[dict[str, Any]]:
    for key, text in (("measure", made.measure), ("unit", made.unit)):
        if text:
            yield {"name": key, "valueString": text}
    if made.baseline:
        yield {"name": "baseline", "part": _point(made.baseline)}
    for one in made.points:
        yield {"name": "point", "part": _point(one)}
    for step in made.milestones:
        yield {"name": "milestone", "part": list(_milestone(step))}
    if made.target is not None:
        yield {"name": "target", "valueDecimal": json.Number(made.target)}
    if made.due:
        yield {"name": "due", "valueDate": made.due.isoformat()}


def _point(point: Point) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [
        {"name": "date", "valueDate": point.day.isoformat()},
        {"name": "value", "valueDecimal": json.Number(point.value)},
    ]
    seen_ = {"name": "observation", "valueReference": {"reference": point.source}}
    return [*parts, seen_] if point.source else parts


def _milestone(step: Milestone) -> Iterator[dict[str, Any]]:
    yield {"name": "goal", "valueReference": {"reference": step.goal}}
    if step.text:
        yield {"name": "text", "valueString": step.text}
    if step.due:
        yield {"name": "due", "valueDate": step.due.isoformat()}
    if step.value is not None:
        yield {"name": "value", "valueDecimal": json.Number(step.value)}
    yield {"name": "lifecycleStatus", "valueCode": step.status}


OPERATION = Operation(
    name="progress-chart",
    definition=f"{DEFINITION}/Goal-progress-chart",
    levels=frozenset({"instance"}),
    types=frozenset({"Goal"}),
    letter="r",
    run=run,
    media_types=(SVG, HTML),
)
