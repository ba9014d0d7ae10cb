"""Evenly: an answer that shows nothing waits, so that its time does not tell why it does.

What is hidden takes longer to find than what is not there: somebody's consents have to be asked.
docs/decisions/0019-trail.md
"""

import asyncio
import time
from dataclasses import dataclass

from app.fhir.context import Result

SHOWING = frozenset({"capabilities", "read", "vread"})
"""Interactions that never answer with nothing: they are refused instead."""


@dataclass(frozen=True, slots=True)
class Evenly:
    """The steps of time: `step` seconds, and twice, four times, … as long; 0 for none."""

    step: float

    async def wait(self, began: float) -> None:
        """Wait for the next step since `began`, of time.perf_counter()."""
        now = time.perf_counter()
        await asyncio.sleep(self.rest(now - began))

    def rest(self, elapsed: float) -> float:
        """The seconds from `elapsed` to the next step."""
        until = self.step
        while 0 < until < elapsed:
            until *= 2
        return max(until - elapsed, 0.0)


def is_blank(interaction: str, result: Result) -> bool:
    """Whether an answer shows nothing about anybody, or some entry of a batch may not."""
    return interaction not in SHOWING and (not result.patients or interaction == "batch")
