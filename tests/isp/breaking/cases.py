"""One way or more to break each check, as (check, place where it must be found, what to change)."""

from tests.isp.breaking import agreement, content

CASES = [*content.CASES, *agreement.CASES]
