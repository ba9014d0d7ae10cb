"""Who asks, for which purposes and to do what → the Access that relationships and consents give."""

from collections.abc import Mapping

from app.consent.marks import author_key
from app.consent.policy import ADDING, standings
from app.consent.purpose import broader
from app.fhir.access import Access, Nothing, Permitted

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "c": (ADDING, "correct"),
    "r": ("access",),
    "u": ("correct",),
    "d": ("correct",),
    "s": ("access",),
}
"""What a consent calls the interactions of each SMART scope letter.

http://terminology.hl7.org/CodeSystem/consentaction
"""


def permitted(actors: tuple[str, ...], purposes: tuple[str, ...], letter: str) -> Access:
    """What the actors (references) may see or change; nobody may nothing."""
    if not actors:
        return Nothing()
    asked, actions = broader(*purposes), ACTIONS[letter]
    authorship = tuple(author_key(actor) for actor in actors)
    return Permitted(actors, asked, actions, standings(asked, actions), authorship)
