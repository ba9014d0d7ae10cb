"""Validation of a CarePlan of 3.6 KB: the compiled validator beside fhir.resources."""

import json
import statistics
import time
from collections.abc import Callable

from bench.population import ORDER, resources

ROUNDS, BATCH = 40, 25
REFERENCES = [f"{type_}/{slot}" for slot, type_ in enumerate(ORDER)]
SIZE = 3600


def plan(size: int = SIZE) -> bytes:
    """A CarePlan of about `size` bytes."""
    made = resources(1, REFERENCES)[-1]
    note = made["note"][0]
    missing = size - len(json.dumps(made, separators=(",", ":")))
    note["text"] += " " + "and so on " * max(0, missing // 10)
    return json.dumps(made, separators=(",", ":")).encode()


def measure() -> dict[str, float]:
    """Median microseconds of one validation, parsing aside, and of the parsing itself."""
    from fhir.resources.R4B.careplan import CarePlan

    from app.fhir import json as strict
    from app.fhir.validation.structure import validate

    text = plan()
    parsed, plain = strict.parse(text), json.loads(text)
    if validate(parsed, "CarePlan"):
        raise ValueError("the measured plan is not valid")
    return {
        "bytes": len(text),
        "validate": _microseconds(lambda: validate(parsed, "CarePlan")),
        "fhir.resources": _microseconds(lambda: CarePlan.model_validate(plain)),
        "parse": _microseconds(lambda: strict.parse(text)),
    }


def _microseconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(BATCH):
            work()
        times.append((time.perf_counter() - begin) / BATCH)
    return round(statistics.median(times) * 1e6, 1)
