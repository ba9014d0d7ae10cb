"""The flat rules decide as the definition does, provision within provision."""

from collections import Counter
from random import Random

from tests.consent.case import decision, question
from tests.consent.recursive import outcome
from tests.consent.worlds import case

WORLDS = 4_000


def test_flat_rules_decide_as_nested_provisions_do() -> None:
    seen: Counter[str] = Counter()
    for seed in range(WORLDS):
        asked = case(Random(seed))
        made = decision(asked).outcome
        assert made == outcome(asked.consents, *_reordered(asked)), f"world {seed}"
        seen[made] += 1
    assert min(seen[each] for each in ("permit", "deny", "not-covered")) > WORLDS / 10


def _reordered(asked):
    request, held, known = question(asked)
    return held, request, known
