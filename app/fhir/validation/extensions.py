"""Extensions in use: what is defined of them, and where they may stand.

https://hl7.org/fhir/R4/defining-extensions.html#context
"""

from collections.abc import Iterator, Mapping

from app.fhir.context import Resource
from app.fhir.errors import Issue
from app.fhir.validation.constraint import compiled
from app.fhir.validation.profile import Judge
from app.fhir.validation.slicing import is_a
from app.fhir.validation.walk import Place, everything, whole, within

NAMES = ("extension", "modifierExtension")


def used(resource: Resource) -> set[str]:
    """The urls of the extensions in a resource, but for the parts of complex ones."""
    return {str(one.content.get("url", "")) for _, one in _all(resource)}


def _all(resource: Resource) -> Iterator[tuple[Place, Place]]:
    """Each extension with what it extends."""
    for holder in everything(whole(resource)):
        for name in NAMES:
            for one in within(holder, name):
                if ":" in str(one.content.get("url", "")):
                    yield holder, one


def misplaced(judge: Judge) -> Iterator[Issue]:
    """The extensions that are not as they are defined, or not where they may be."""
    for holder, one in _all(judge.about):
        url = str(one.content["url"])
        definition = judge.definitions.profiles.get(url)
        if definition is None or definition["type"] != "Extension":
            continue
        contexts = definition.get("context", [])
        if contexts and not any(_fits(each, holder) for each in contexts):
            said = ", ".join(each["expression"] for each in contexts)
            yield Issue("extension", f"{url} belongs on {said}.", (one.path,))
        try:
            yield from judge.value(compiled(url, judge.definitions), one)
        except LookupError as error:
            said = f"The definition {error.args[0]} is not held here."
            yield Issue("not-found", said, (one.path,), "warning")


def _fits(context: Mapping[str, str], holder: Place) -> bool:
    """Whether an element may be extended; a context in FHIRPath is not judged."""
    where = context["expression"]
    if context["type"] == "extension":
        return bool(holder.content.get("url") == where)
    if context["type"] != "element" or "#" in where:
        return True
    return where in (holder.defined, holder.type) or is_a(holder.type, where)
