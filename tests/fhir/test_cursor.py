"""The links of a page say what was asked."""

from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.fhir.context import Call
from app.fhir.cursor import link
from app.fhir.engine import Engine
from tests.admitted import context
from tests.test_admission import engine

__all__ = ["engine"]

TEXTS = st.text(max_size=9) | st.sampled_from(["_include", "CarePlan:goal", "a b", "~.-_", "é%2F"])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXTS.filter(lambda name: name != "_page"), TEXTS), min_size=1))
def test_a_link_is_written_as_forms_are(engine: Engine, pairs: list[tuple[str, str]]) -> None:
    call = Call("search-type", "Goal", query=tuple(pairs))
    assert link(context(engine), call) == f"http://localhost/fhir/Goal?{urlencode(pairs)}"
