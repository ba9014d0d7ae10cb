"""$everything of a Patient — https://hl7.org/fhir/R4/patient-operation-everything.html"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from app.fhir.access import Nothing, for_type
from app.fhir.compartments import DIRECTORY, is_single
from app.fhir.context import Call, Context, Result
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest
from app.fhir.interactions.read import read
from app.fhir.interactions.search import page_of
from app.fhir.registry import CONFORMANCE, compartment, parameters
from app.fhir.routing import authorize
from app.fhir.search.condition import Condition, During, Member
from app.fhir.search.parameters import parse
from app.fhir.search.parameters.criterion import is_supported, targets
from app.fhir.search.parameters.date import EARLIEST, LATEST, interval
from app.fhir.search.query import Include, Query, parse_query
from app.fhir.search.system import all_types, asked_types
from app.fhir.shape import REPRESENTATION

OWN = ("start", "end", "_since", "_type")
SHAPING = ("_count", "_page", "_elements", "_summary", *REPRESENTATION)
OUTSIDE = tuple(sorted(DIRECTORY - set(CONFORMANCE)))
"""What belongs to nobody comes along where the record refers to it."""


async def run(ctx: Context, call: Call) -> Result:
    """A searchset of the patient's compartment, page by page, and what it refers to: 200.

    Raises NotFound for a patient the caller may not see, BadRequest for other parameters than OWN
    and SHAPING, Forbidden for a type in _type that is not in the scopes.
    """
    pairs = _asked(call)
    await read(ctx, Call("read", "Patient", call.id))
    return await page_of(ctx, replace(call, query=pairs), _query(ctx, call, pairs))


def _asked(call: Call) -> tuple[tuple[str, str], ...]:
    """The parameters of the URL and of the body, each once."""
    pairs = [*call.query, *_sent(call)]
    for name, _ in pairs:
        if name not in (*OWN, *SHAPING):
            raise BadRequest(
                f"$everything has no parameter {name}; it has: {', '.join(OWN)}, _count.",
                code="not-supported",
                expression=(name,),
            )
        if [each for each, _ in pairs].count(name) > 1:
            raise BadRequest(f"{name}: give it once.", expression=(name,))
    return tuple(pairs)


def _sent(call: Call) -> Iterator[tuple[str, str]]:
    body = call.body
    if body is None:
        return
    if not isinstance(body, dict) or body.get("resourceType") != "Parameters":
        raise BadRequest("Send Parameters, or nothing.", code="structure")
    parts = body.get("parameter", [])
    for part in parts if isinstance(parts, list) else [parts]:
        named = part if isinstance(part, dict) else {}
        values = [named[key] for key in named if key.startswith("value")]
        if "name" not in named or len(values) != 1 or not isinstance(values[0], str | int):
            raise BadRequest("A parameter has a name and one plain value.", code="structure")
        yield str(named["name"]), str(values[0])


def _query(ctx: Context, call: Call, pairs: Sequence[tuple[str, str]]) -> Query:
    assert call.id
    asked, policy = dict(pairs), ctx.engine.policy
    types = _types(ctx, asked_types([("_type", asked["_type"])]) if "_type" in asked else ())
    head = parse_query(
        "Patient",
        [pair for pair in pairs if pair[0] in SHAPING],
        counts=(policy.page_size, policy.max_page_size),
    )
    parts = tuple(
        replace(head, type=each, conditions=(_member(each, call.id), *_narrowed(each, asked)))
        for each in types
    )
    includes = () if "_type" in asked else tuple(_includes(types))
    return replace(head, type="", parts=parts, includes=includes, used=tuple(pairs))


def _types(ctx: Context, named: Sequence[str]) -> list[str]:
    known = [each for each in all_types() if each == "Patient" or _codes(each)]
    for type_ in named:
        authorize(ctx, "s", type_)
        if type_ not in known:
            raise BadRequest(f"{type_} is not part of a patient's record.", expression=("_type",))
    access = ctx.access.get("s", Nothing())
    open_ = [each for each in named or known if not isinstance(for_type(access, each), Nothing)]
    return open_ or ["Patient"]


def _codes(type_: str) -> tuple[str, ...]:
    """The references that put a resource into a patient's record: those of R4, and its subject."""
    found = compartment("Patient", type_)
    if not found and is_single(type_) and "patient" in parameters(type_):
        return ("patient",)
    return found


def _member(type_: str, id_: str) -> Condition:
    return Member(type_, "Patient", id_, _codes(type_))


def _narrowed(type_: str, asked: Mapping[str, str]) -> Iterator[Condition]:
    if "_since" in asked:
        yield parse(type_, "_lastUpdated", f"ge{asked['_since']}")
    if "start" in asked or "end" in asked:
        yield During(_day(asked, "start", EARLIEST)[0], _day(asked, "end", LATEST)[1])


def _day(asked: Mapping[str, str], name: str, otherwise: datetime) -> tuple[datetime, datetime]:
    if name not in asked:
        return otherwise, otherwise
    try:
        return interval(asked[name])
    except ValueError:
        raise BadRequest(f"{name} is a date.", code="value", expression=(name,)) from None


def _includes(types: Sequence[str]) -> Iterator[Include]:
    for type_ in types:
        links = [p for p in parameters(type_).values() if p.type == "reference" and is_supported(p)]
        for target in OUTSIDE:
            codes = tuple(link.code for link in links if target in targets(link))
            if codes:
                yield Include(type_, codes, target, is_reverse=False, iterates=False)


OPERATION = Operation(
    name="everything",
    definition="http://hl7.org/fhir/OperationDefinition/Patient-everything",
    levels=frozenset({"instance"}),
    types=frozenset({"Patient"}),
    letter="r",
    run=run,
)
