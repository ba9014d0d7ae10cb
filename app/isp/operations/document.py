"""$document and $crisis-card: the plan to read, to print and to pass on.

docs/operations/document.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from app.fhir.context import Call, Context, Disclosed, Result
from app.fhir.disclose import Entry, derived, rendered
from app.fhir.disclose import document as bundle
from app.fhir.engine import Operation
from app.fhir.ids import new_id
from app.fhir.instant import to_text
from app.fhir.label import highest
from app.fhir.operations.parameters import parameters_of
from app.isp.belonging import belonging, mentioned, reached
from app.isp.codes import DEFINITION
from app.isp.document.composition import composition, listed
from app.isp.document.page import page, policy
from app.isp.document.pdf import pdf
from app.isp.document.privacy_mark import PrivacyMark, privacy_mark
from app.isp.document.sections import CARD, SECTIONS, Section, sections
from app.isp.document.view import View
from app.isp.element import name
from app.isp.operations.gathered import Gathered, gather
from app.isp.operations.language import language
from app.isp.words import chosen

KINDS = {"language": ("valueCode",)}
HTML, PDF = "text/html", "application/pdf"


@dataclass(frozen=True, slots=True)
class _Document:
    """What was seen, how it is read, and in which sections."""

    gathered: Gathered
    view: View
    sections: Sequence[Section]
    is_card: bool


async def run(keys: Sequence[str], ctx: Context, call: Call) -> Result:
    """The plan as a document Bundle, as HTML or as PDF: 200.

    Raises BadRequest for what cannot be read, NotFound and Gone as a read does.
    """
    asked_language = language(parameters_of(call, KINDS))
    found = await gather(ctx, call)
    plan = found.plan(str(call.id))
    spoken = (plan.patient or {}).get("communication")
    view = View(plan, chosen(asked_language, call.languages, spoken), ctx.now.date())
    document = _Document(found, view, list(sections(view, keys)), tuple(keys) == CARD)
    body, headers = await _written(ctx, call, document)
    return Result(
        200,
        body,
        type=call.type,
        id=call.id,
        patients=found.patients,
        consents=found.consents,
        media_type=call.accept,
        headers={"Content-Language": view.words.language, **headers},
    )


async def _written(
    ctx: Context, call: Call, document: _Document
) -> tuple[Disclosed, dict[str, str]]:
    """The bytes in the media type that was asked for, and the headers that go with them."""
    if call.accept not in (HTML, PDF):
        return _bundle(ctx, document), {}
    text = page(document.view, document.sections, _mark(document), is_card=document.is_card)
    if call.accept == HTML:
        return rendered(text.encode()), {"Content-Security-Policy": policy()}
    called = "crisis-card" if document.is_card else "plan"
    return rendered(await pdf(text)), {"Content-Disposition": f'inline; filename="{called}.pdf"'}


def _bundle(ctx: Context, document: _Document) -> Disclosed:
    """The Composition, and after it everything it leads to. https://hl7.org/fhir/R4/documents.html"""
    id_, view = new_id(), document.view
    made = composition(view, document.sections, id_, to_text(ctx.now), ctx.base_url)
    made = _mark(document).laid_on(made)
    held = (view.plan.resources[own] for own in _held(document))
    first = Entry(f"{ctx.base_url}/Composition/{id_}", derived(made))
    identifier = {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{id_}"}
    return bundle(identifier, ctx.now, [first, *document.gathered.entries(ctx.base_url, held)])


def _mark(document: _Document) -> PrivacyMark:
    """The mark of what the document tells, in whatever form."""
    gathered, held = document.gathered, _held(document)
    level = highest(gathered.disclosed[own].level for own in held)
    return privacy_mark((gathered.resources[own] for own in held), level)


def _held(document: _Document) -> list[str]:
    """The Type/id of what goes with the Composition: the plan, or just what is on the card."""
    plan, own = document.view.plan, listed(document.sections)
    if not document.is_card:
        return list(reached(plan, [*(name(one) for one in belonging(plan)), *sorted(own)]))
    parts = [plan.resources[one] for one in own if one in plan.resources]
    people = [plan.patient] if plan.patient else []
    wanted = own | mentioned(parts) | {plan.name, *(name(one) for one in people)}
    return [one for one in plan.resources if one in wanted]


OPERATION = Operation(
    name="document",
    definition=f"{DEFINITION}/CarePlan-document",
    levels=frozenset({"instance"}),
    types=frozenset({"CarePlan"}),
    letter="r",
    run=partial(run, tuple(SECTIONS)),
    media_types=(HTML, PDF),
)
ALL = [
    OPERATION,
    Operation(
        name="crisis-card",
        definition=f"{DEFINITION}/CarePlan-crisis-card",
        levels=frozenset({"instance"}),
        types=frozenset({"CarePlan"}),
        letter="r",
        run=partial(run, CARD),
        media_types=(HTML, PDF),
    ),
]
