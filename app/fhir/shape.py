"""The parameters that shape an answer without choosing what is in it.

https://hl7.org/fhir/R4/http.html#parameters
"""

from collections.abc import Iterable, Sequence
from urllib.parse import parse_qsl

from app.fhir.errors import BadRequest
from app.fhir.subset import SUMMARIES, check_summary

REPRESENTATION = frozenset({"_format", "_pretty"})
"""Read by the front door (routers/negotiation.py); every interaction takes them."""

OF_ONE = tuple(name for name in SUMMARIES if name != "count")
"""The values of _summary that apply to an answer that is no Bundle."""

Query = Sequence[tuple[str, str]]
Parts = tuple[str | None, tuple[str, ...]]
"""What _summary and _elements ask for."""


def shape(query: Query, also: Iterable[str] = (), summaries: Sequence[str] = OF_ONE) -> Parts:
    """The values of _summary and _elements; BadRequest for a parameter this interaction has not.

    `also` names the further parameters that the interaction reads itself, `summaries` the values
    that _summary takes. Ask before the database is asked.
    """
    summary: str | None = None
    elements: tuple[str, ...] = ()
    allowed = {"_summary", "_elements", *REPRESENTATION, *also}
    for name, value in query:
        if name not in allowed:
            raise BadRequest(
                f"The parameter {name} does not apply here; valid are"
                f" {', '.join(sorted(allowed))}.",
                code="not-supported",
            )
        if name == "_summary":
            summary = check_summary(value, summaries)
        elif name == "_elements":
            elements = tuple(part.strip() for part in value.split(",") if part.strip())
    return summary, elements


def parse_query(text: str) -> tuple[tuple[str, str], ...]:
    """The parameters of a URL in their order. Raises BadRequest when it is not UTF-8."""
    try:
        return tuple(parse_qsl(text, keep_blank_values=True, errors="strict"))
    except ValueError:
        raise BadRequest("The parameters are not UTF-8.", code="value") from None


def check_none(query: Query) -> None:
    """BadRequest for any parameter but _format and _pretty."""
    for name, _ in query:
        if name not in REPRESENTATION:
            raise BadRequest(f"The parameter {name} does not apply here.", code="not-supported")
