"""The section on services and supports: who, how often, how long, paid by whom."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.fhir.context import Resource
from app.isp.document.person import Part
from app.isp.document.view import View
from app.isp.element import members, name, period
from app.isp.service import Service, pertains
from app.isp.words import display_name


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service as it is read: its name, and facts by label."""

    what: str
    facts: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Support:
    """What somebody does unpaid, or the person does for themselves."""

    who: str
    what: str
    when: str


@dataclass(frozen=True, slots=True)
class Services:
    """What is paid for, and what is not."""

    services: list[ServiceView]
    supports: list[Support]


def services(view: View) -> Part:
    """The services that are given or about to be, and the supports beside them."""
    given, tasks = view.plan.live_services, view.plan.supports
    content = Services([_service(view, one) for one in given], [_support(view, o) for o in tasks])
    entries = [one.name for one in given if one.path == ""] + [name(one) for one in tasks]
    return Part(content, tuple(dict.fromkeys(entries)), not given and not tasks)


def _service(view: View, service: Service) -> ServiceView:
    facts = [(view.words(f"label.{label}"), text) for label, text in _facts(view, service)]
    what = view.words.concept(service.element.get("code"))
    return ServiceView(what or view.words("label.service"), [one for one in facts if one[1]])


def _facts(view: View, service: Service) -> Iterator[tuple[str, str]]:
    element, words = service.element, view.words
    yield "who", "; ".join(_who(view, element)) or words("label.unsaid")
    yield "how-often", _often(view, element) or words("label.unsaid")
    yield "how-long", words.span(service.start, service.end) or words("label.unsaid")
    yield "paid-by", _paid(view, service)
    yield "where", ", ".join(_places(view, element))
    yield "what-for", "; ".join(view.titles(service.goals))
    yield "note", " ".join(str(one.get("text", "")) for one in members(element.get("note")))


def _who(view: View, element: Resource) -> Iterator[str]:
    for one in members(element.get("performer")):
        found = view.person(one)
        yield ", ".join(filter(None, (found.name, found.organization)))


def _often(view: View, element: Resource) -> str:
    words = view.words
    timing = element.get("occurrenceTiming") or element.get("scheduledTiming") or {}
    said = [words.timing(timing), str(element.get("scheduledString", ""))]
    if "quantityRatio" in element:
        said.append(words.ratio(element["quantityRatio"]))
    said.append(words.quantity(element.get("quantityQuantity") or element.get("dailyAmount")))
    return "; ".join(one for one in said if one)


def _paid(view: View, service: Service) -> str:
    """The coverages by name, or that nobody pays."""
    found = []
    for one in view.plan.get(service.element.get("insurance")):
        own = view.words.concept(one.get("type"))
        payers = (display_name(payor) for payor in view.plan.get(one.get("payor")))
        found.append(own or ", ".join(filter(None, payers)))
    said = ", ".join(one for one in found if one)
    return said or view.words("label.unpaid" if service.is_natural else "label.unsaid")


def _places(view: View, element: Resource) -> Iterator[str]:
    given = element.get("locationReference") or element.get("location")
    for one in members(given):
        known = [display_name(place) for place in view.plan.get(one)]
        yield from (known or [str(one.get("display", ""))])


def _support(view: View, task: Resource) -> Support:
    words = view.words
    what = [words.concept(task.get("code"), "task"), str(task.get("description", ""))]
    when = words.span(*period(task.get("restriction", {}).get("period")))
    who = view.person(task.get("owner")).name or words("label.unsaid")
    aims = "; ".join(view.titles(pertains(task)))
    return Support(who, ". ".join(filter(None, what)) + (f" ({aims})" if aims else ""), when)
