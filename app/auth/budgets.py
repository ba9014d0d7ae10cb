"""What each worker holds of the minute that a client's workers share.

A worker asks the database once for every twentieth of the budget, and remembers for a while that a
client has none; so to count costs a request next to nothing, and the budget is never exceeded.
"""

import asyncio
import math
import time
from dataclasses import dataclass, field

from app.storage.database import Database

WINDOW = 60
"""Seconds of a budget."""

FRESH = 30
"""Seconds for which it is known that a client has no limit."""

HANDFULS = 20

_TAKE = """
INSERT INTO client_usage AS u (client_id, taken, expires)
SELECT client_id, greatest(1, requests_per_minute / $2), now() + make_interval(secs => $3)
FROM client_terms WHERE client_id = $1 AND requests_per_minute IS NOT NULL
ON CONFLICT (client_id) DO UPDATE SET
    taken = excluded.taken + CASE WHEN u.expires <= now() THEN 0 ELSE least(u.taken,
        (SELECT requests_per_minute FROM client_terms WHERE client_id = $1)) END,
    expires = CASE WHEN u.expires <= now() THEN excluded.expires ELSE u.expires END
RETURNING taken, extract(epoch FROM expires - now())::float AS seconds,
    (SELECT requests_per_minute FROM client_terms WHERE client_id = $1) AS most
"""


@dataclass(slots=True)
class Held:
    """Requests a worker may still let pass before `until` (monotonic); None: any number.

    With `is_spent` there are no more before then. Who needs more waits for who asks already.
    """

    left: int | None = 0
    until: float = 0.0
    is_spent: bool = False
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_empty(self) -> bool:
        """Whether the database has to be asked."""
        return (self.left == 0 and not self.is_spent) or time.monotonic() >= self.until


class Budgets:
    """The budgets of clients as one worker holds them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: dict[str, Held] = {}

    async def take(self, client_id: str) -> int | None:
        """Count one request; None when it may go on, otherwise the seconds to wait.

        Raises DatabaseAway.
        """
        held = self._held.get(client_id)
        if held is None:
            held = self._held[client_id] = Held()
        if held.is_empty:
            async with held.asking:
                if held.is_empty:
                    await self._refill(client_id, held)
        if held.left is None:
            return None
        if held.left > 0:
            held.left -= 1
            return None
        return max(1, math.ceil(held.until - time.monotonic()))

    async def _refill(self, client_id: str, held: Held) -> None:
        """Hold a handful out of the common minute; nothing when it is used up."""
        row = await self._database.fetchrow(_TAKE, client_id, HANDFULS, WINDOW)
        now = time.monotonic()
        if row is None:
            held.left, held.until, held.is_spent = None, now + FRESH, False
            return
        handful = max(1, row["most"] // HANDFULS)
        held.left = max(0, min(handful, row["most"] - (row["taken"] - handful)))
        held.until, held.is_spent = now + row["seconds"], held.left == 0
