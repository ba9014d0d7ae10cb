"""The chart of a series: where everything goes on a canvas, and the SVG of it. Pure.

Who cannot see it reads its title and description, and the table beside it; who cannot tell colors
apart tells dots, diamonds, dashes and labels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256

from markupsafe import Markup

from app.isp.series import Series
from app.isp.templates import template
from app.isp.words import Words, number

WIDTH, HEIGHT = 640, 340
LEFT, RIGHT, TOP, BOTTOM = 70, 620, 24, 282
STEPS = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid, and what is written at its end."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something drawn at a place; `text` tells it."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table that says what the chart shows."""

    day: str
    what: str
    value: str


@dataclass(frozen=True, slots=True)
class Scale:
    """From days and values to places on the canvas."""

    first: date
    last: date
    low: float
    high: float

    def x(self, on: date) -> float:
        """The place of a day."""
        share = (on - self.first).days / max((self.last - self.first).days, 1)
        return round(LEFT + share * (RIGHT - LEFT), 1)

    def y(self, value: Decimal | float) -> float:
        """The place of a value."""
        share = (float(value) - self.low) / (self.high - self.low)
        return round(BOTTOM - share * (BOTTOM - TOP), 1)


def stacked(every: Sequence[Series], words: Words, notice: str = "") -> Markup:
    """The charts of a goal with several targets, one below the other, and a notice below them."""
    if len(every) == 1 and not notice:
        return svg(every[0], words)
    text = template("charts.svg").render(
        charts=[svg(one, words) for one in every],
        width=WIDTH,
        height=HEIGHT,
        notice=notice,
        title=words("label.chart.title", goal=every[0].text),
    )
    return Markup(text)


def told(every: Sequence[Series], words: Words) -> str:
    """The charts of a goal in words."""
    return " ".join(described(one, words) for one in every)


def svg(series: Series, words: Words) -> Markup:
    """The chart as an SVG element; where there is no number yet, one that says so."""
    own = f"{series.goal} {series.measure} {series.unit}"
    scale, key = _scale(series), sha256(own.encode()).hexdigest()[:8]
    text = template("chart.svg").render(
        series=series,
        words=words,
        key=key,
        scale=scale,
        desc=described(series, words),
        rows=list(_value_ticks(scale)) if scale else [],
        columns=list(_day_ticks(scale, words)) if scale else [],
        points=list(_marks(series, scale, words)) if scale else [],
        diamonds=list(_diamonds(series, scale, words)) if scale else [],
    )
    return Markup(text)


def described(series: Series, words: Words) -> str:
    """The chart in one or two sentences."""
    said = [f"{series.measure}."] if series.measure else []
    begin, latest = series.begin, series.latest
    if begin:
        value = valued(series, begin.value)
        said.append(words("label.chart.begin", value=value, day=words.day(begin.day)))
    if latest and latest != begin:
        value = valued(series, latest.value)
        said.append(words("label.chart.latest", value=value, day=words.day(latest.day)))
    if series.target is not None:
        key = "label.chart.aim" if series.due else "label.chart.aim.open"
        value = valued(series, series.target)
        said.append(words(key, value=value, day=words.day(series.due)))
    return " ".join(said) or words("label.chart.none")


def valued(series: Series, value: Decimal | None) -> str:
    """A value of the series with its unit."""
    return f"{number(value)} {series.unit}".strip()


def rows(series: Series, words: Words) -> list[Row]:
    """The chart as a table, by day."""
    found: list[tuple[date, str, Decimal | None]] = []
    if series.baseline:
        found.append((series.baseline.day, words("label.baseline"), series.baseline.value))
    found += [(one.day, words("label.measurement"), one.value) for one in series.points]
    for one in series.milestones:
        if one.due:
            found.append((one.due, words("label.milestone", text=one.text), one.value))
    if series.due and series.target is not None:
        found.append((series.due, words("label.target"), series.target))
    return [
        Row(words.day(on), what, "-" if value is None else valued(series, value))
        for on, what, value in sorted(found, key=lambda one: one[0])
    ]


def _scale(series: Series) -> Scale | None:
    """The room that everything needs; None where there is nothing to draw."""
    seen = [one for one in (series.baseline, *series.points) if one]
    values = [one.value for one in seen] + [o.value for o in series.milestones if o.value]
    values += [series.target] if series.target is not None else []
    days = [one.day for one in seen] + [one.due for one in series.milestones if one.due]
    days += [series.due] if series.due else []
    if not values or not days:
        return None
    low, high = min(0.0, float(min(values))), float(max(values))
    first, last = min(days), max(days)
    if first == last:
        first -= timedelta(days=min(15, first.toordinal() - 1))
    return Scale(first, last, low, high if high > low else low + 1)


def _value_ticks(scale: Scale) -> Iterator[Tick]:
    """Four to ten lines at round numbers."""
    room = scale.high - scale.low
    power = Decimal(10) ** (Decimal(room / 5).adjusted())
    step = next(one * power for one in STEPS if one * power >= Decimal(room / 5) * Decimal("0.99"))
    value = (Decimal(scale.low) / step).to_integral_value(rounding="ROUND_CEILING") * step
    while value <= Decimal(scale.high):
        yield Tick(scale.y(value), f"{value.normalize():f}")
        value += step


def _day_ticks(scale: Scale, words: Words) -> Iterator[Tick]:
    """The first day, the last one, and two between where there is room."""
    room = (scale.last - scale.first).days
    for part in range(4) if room >= 3 else range(0, 4, 3):
        on = scale.first + timedelta(days=room * part // 3)
        month = words(f"month.{on.month}")[:3]
        yield Tick(scale.x(on), words("day.short", day=on.day, month=month, year=on.year))


def _marks(series: Series, scale: Scale, words: Words) -> Iterator[Mark]:
    for one in filter(None, (series.baseline, *series.points)):
        value = valued(series, one.value)
        yield Mark(scale.x(one.day), scale.y(one.value), f"{words.day(one.day)}: {value}")


def _diamonds(series: Series, scale: Scale, words: Words) -> Iterator[Mark]:
    """The small steps; one that is not counted in this unit stands at the foot."""
    for one in series.milestones:
        if one.due:
            value = one.value if one.value is not None else Decimal(scale.low)
            text = words("label.milestone", text=one.text)
            yield Mark(scale.x(one.due), scale.y(value), f"{text}: {words.day(one.due)}")
