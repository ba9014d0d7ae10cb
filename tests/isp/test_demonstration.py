from collections import Counter
from datetime import date, timedelta

from fhir.resources.R4B import get_fhir_model_class

from app.fhir.validation.structure import validate
from app.isp.demonstration import AUTHORED, bundles
from tests.isp.loaded import CLIENTS, TODAY, codes, current, name, of, references, subject, versions


def test_every_resource_is_valid() -> None:
    for resource in (one for bundle in versions() for one in bundle):
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        assert validate(resource, resource["resourceType"]) == [], name(resource)


def test_every_entry_puts_its_own_resource_in_place() -> None:
    for bundle in bundles(TODAY):
        assert bundle["type"] == "transaction"
        names = [name(entry["resource"]) for entry in bundle["entry"]]
        assert len(set(names)) == len(names)
        for entry, own in zip(bundle["entry"], names, strict=True):
            assert entry["request"] == {"method": "PUT", "url": own}
            assert entry["fullUrl"].endswith(f"/{own}")


def test_every_reference_leads_to_a_resource_loaded_before_or_with_it() -> None:
    loaded: Counter[str] = Counter()
    for bundle in versions():
        loaded.update(name(one) for one in bundle)
        for one in bundle:
            for target in references(one):
                plain, _, version = target.partition("/_history/")
                assert loaded[plain] >= int(version or 1), f"{name(one)} → {target}"


def test_the_two_clients_share_no_resource_about_them() -> None:
    for one in current().values():
        about = {target for target in references(one) if target in CLIENTS}
        assert len(about) <= 1, name(one)


def test_the_partner_is_on_the_first_team_and_unknown_to_the_second_client() -> None:
    partner = "Organization/bridgeway-care-coordination"
    insiders = {partner} | {
        name(one)
        for one in current().values()
        if one["resourceType"] == "PractitionerRole" and partner in set(references(one))
    }
    (team,) = of("Patient/maria-alvarez", "CareTeam")
    assert partner in set(references(team))
    theirs = [one for one in current().values() if subject(one) == "Patient/theo-lindqvist"]
    assert theirs
    assert not any(insiders & set(references(one)) for one in theirs)


def test_progress_is_recorded_over_time() -> None:
    counts = Counter(name(one) for bundle in versions() for one in bundle)
    assert counts["Goal/maria-alvarez-goal-stay-well"] == 3
    assert counts["CarePlan/maria-alvarez-isp"] == 2
    focused = [one for one in of("Patient/maria-alvarez", "Observation") if "focus" in one]
    assert len(focused) >= 6
    notes = [one for one in of("Patient/maria-alvarez", "DocumentReference") if "context" in one]
    assert any("11506-3" in codes(note["type"]) for note in notes)
    states = {codes(one["achievementStatus"]).pop() for one in of("Patient/maria-alvarez", "Goal")}
    assert {"achieved", "improving", "not-attainable", "in-progress"} <= states


def test_dates_move_by_whole_weeks_and_birth_dates_stay() -> None:
    maria = "Patient/maria-alvarez"
    later = AUTHORED + timedelta(weeks=70, days=3)
    for day, weeks in ((AUTHORED, 0), (later, 70), (AUTHORED - timedelta(days=1), -1)):
        world = current(day)
        begins = date.fromisoformat(world[CLIENTS[maria]]["period"]["start"])
        assert begins == date(2025, 9, 1) + timedelta(weeks=weeks)
        assert world[maria]["birthDate"] == "1991-03-14"
