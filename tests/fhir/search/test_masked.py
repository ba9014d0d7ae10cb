"""Which references of a query lead to nothing where nobody looked: all that may be hidden."""

from app.fhir.access import Related
from app.fhir.search.masked import unasked
from tests.fhir.search.conftest import ALL, BASE, asked

URL = "CarePlan?goal=Goal/g,Goal/h&performer=Practitioner/p&care-team.participant=Patient/ada"


def test_what_may_be_hidden_exists_for_nobody_and_the_directory_does() -> None:
    groups, lost = unasked(asked(URL), Related(("Organization/county",)), BASE)
    assert lost == {"Goal/g", "Goal/h", "Patient/ada"}
    assert "Practitioner" not in {type_ for _, types in groups for type_ in types}


def test_everything_exists_for_who_may_know_of_everything() -> None:
    assert unasked(asked(URL), ALL, BASE) == ((), frozenset())
