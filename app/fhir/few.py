"""Few: whether a caller supports so few patients that one plan serves whatever is searched for.

As it was counted a while ago, since it decides how a search runs and never what it finds.
"""

import time
from collections.abc import Awaitable, Callable, Hashable

BELIEVED = 60
"""Seconds for which a count is believed."""

MOST = 4_096
"""Callers who are remembered."""


class Few:
    """What was counted of callers; belongs to one event loop."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[bool, float]] = {}

    async def is_so(self, caller: Hashable, count: Callable[[], Awaitable[bool]]) -> bool:
        """What `count` found of this caller, or finds now."""
        found, until = self._known.get(caller, (False, 0.0))
        if time.monotonic() < until:
            return found
        found = await count()
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[caller] = found, time.monotonic() + BELIEVED
        return found
