"""Changes of a whole plan that break it, in few words."""

from collections.abc import Callable
from typing import Any

from tests.worlds.world import World

Break = Callable[[World], object]
Case = tuple[str, str, Break]
"""A check, the place where it must be found, and what to change."""


def noting(cases: list[Case]) -> Callable[..., Callable[[Break], Break]]:
    """A decorator that adds a change to these cases: the check that it breaks, and the places."""

    def breaks(check: str, *places: str) -> Callable[[Break], Break]:
        def note(change: Break) -> Break:
            cases.extend((check, place, change) for place in places)
            return change

        return note

    return breaks


def set_(own: str, **elements: Any) -> Break:
    return lambda world: world[own].update(elements)


def drop(own: str, element: str) -> Break:
    return lambda world: world[own].pop(element)


def frame(**elements: Any) -> Break:
    return lambda world: world.changes.update(elements)


def no_link(kind: str, *targets: str) -> Break:
    def change(world: World) -> None:
        world.links[kind] = [one for one in world.links[kind] if one not in targets]

    return change


def gone(*owns: str) -> Break:
    """The resources were never written, and nothing leads to them."""

    def change(world: World) -> None:
        for own in owns:
            world.resources.pop(own)
            for kind in list(world.links):
                no_link(kind, own)(world)

    return change
