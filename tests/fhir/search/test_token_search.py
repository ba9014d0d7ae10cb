"""Token search: each form of a value, and each modifier."""

from typing import Any

import pytest

from app.fhir.errors import BadRequest
from tests.build import concept, goal, patient

LOINC = "http://loinc.org"


def observation(id_: str, *codes: tuple[str, str]) -> dict[str, Any]:
    coding = [{"system": system, "code": code} for system, code in codes]
    return {"resourceType": "Observation", "id": id_, "status": "final", "code": {"coding": coding}}


async def test_a_code_is_found_in_every_form(shelf) -> None:
    await shelf.put(observation("o1", (LOINC, "8310-5")), observation("o2", (LOINC, "8302-2")))
    for value in ("8310-5", f"{LOINC}|8310-5"):
        assert await shelf.find(f"Observation?code={value}") == ["o1"]
    assert await shelf.find(f"Observation?code={LOINC}|") == ["o2", "o1"]
    for value in ("8310-6", "|8310-5", "http://snomed.info/sct|8310-5", "http://snomed.info/sct|"):
        assert await shelf.find(f"Observation?code={value}") == []


async def test_any_coding_of_a_concept_is_found(shelf) -> None:
    await shelf.put(observation("o1", (LOINC, "8310-5"), ("urn:local", "temp")))
    assert await shelf.find("Observation?code=urn:local|temp") == ["o1"]
    assert await shelf.find("Observation?code=urn:local|8310-5") == []


async def test_a_system_and_code_are_never_mixed_up_with_a_longer_code(shelf) -> None:
    await shelf.put(observation("o1", ("urn:a", "b|c")), observation("o2", ("urn:a|b", "c")))
    assert await shelf.find(r"Observation?code=urn:a|b\|c") == ["o1"]
    assert await shelf.find(r"Observation?code=urn:a\|b|c") == ["o2"]


async def test_codes_are_case_sensitive(shelf) -> None:
    await shelf.put(goal("g1"))
    assert await shelf.find("Goal?lifecycle-status=active") == ["g1"]
    assert await shelf.find("Goal?lifecycle-status=Active") == []


async def test_a_code_without_system_is_found_as_such(shelf) -> None:
    await shelf.put(patient("p1", identifier=[{"value": "7"}]))
    await shelf.put(patient("p2", identifier=[{"system": "urn:mrn", "value": "7"}]))
    assert await shelf.find("Patient?identifier=|7") == ["p1"]
    assert await shelf.find("Patient?identifier=urn:mrn|7") == ["p2"]
    assert await shelf.find("Patient?identifier=7") == ["p2", "p1"]


async def test_booleans_and_contact_points_are_tokens(shelf) -> None:
    phone = [{"system": "phone", "value": "555-1"}, {"system": "email", "value": "a@example.org"}]
    await shelf.put(patient("p1", active=False, telecom=phone), patient("p2"))
    assert await shelf.find("Patient?active=false") == ["p1"]
    assert await shelf.find("Patient?telecom=555-1") == ["p1"]
    assert await shelf.find("Patient?phone=555-1") == ["p1"]
    assert await shelf.find("Patient?phone=a@example.org") == []
    assert await shelf.find("Patient?email=a@example.org") == ["p1"]
    assert await shelf.find("Patient?deceased=false") == ["p2", "p1"]


async def test_a_comma_means_or_and_a_repetition_means_and(shelf) -> None:
    await shelf.put(
        observation("o1", ("urn:a", "1"), ("urn:b", "2")), observation("o2", ("urn:a", "1"))
    )
    assert await shelf.find("Observation?code=2,1") == ["o2", "o1"]
    assert await shelf.find("Observation?code=2&code=1") == ["o1"]
    assert await shelf.find("Observation?code=2&code=3") == []


async def test_not_excludes_every_named_value(shelf) -> None:
    await shelf.put(goal("g1"), goal("g2", lifecycleStatus="completed"))
    await shelf.put(goal("g3", lifecycleStatus="cancelled"))
    assert await shelf.find("Goal?lifecycle-status:not=active") == ["g3", "g2"]
    assert await shelf.find("Goal?lifecycle-status:not=active,completed") == ["g3"]


async def test_missing_asks_whether_there_is_a_value(shelf) -> None:
    await shelf.put(goal("g1", category=[concept("urn:a", "x")]), goal("g2"))
    assert await shelf.find("Goal?category:missing=false") == ["g1"]
    assert await shelf.find("Goal?category:missing=true") == ["g2"]


async def test_of_type_compares_the_type_of_an_identifier(shelf) -> None:
    mine = {"type": concept("urn:types", "MR"), "value": "7"}
    await shelf.put(patient("p1", identifier=[mine]), patient("p2", identifier=[{"value": "7"}]))
    assert await shelf.find("Patient?identifier:of-type=urn:types|MR|7") == ["p1"]
    assert await shelf.find("Patient?identifier:of-type=urn:types|SS|7") == []


async def test_ids_tags_and_profiles_are_found(shelf) -> None:
    meta = {"tag": [{"system": "urn:t", "code": "x"}], "profile": ["urn:p"], "source": "urn:s"}
    await shelf.put(goal("g1", meta=meta), goal("g2"))
    assert await shelf.find("Goal?_id=g1") == ["g1"]
    assert await shelf.find("Goal?_id=g1,g2,g3") == ["g2", "g1"]
    assert await shelf.find("Goal?_id:not=g1") == ["g2"]
    assert await shelf.find("Goal?_id:missing=true") == []
    assert await shelf.find("Goal?_tag=urn:t|x") == ["g1"]
    assert await shelf.find("Goal?_profile=urn:p") == ["g1"]
    assert await shelf.find("Goal?_source=urn:s") == ["g1"]
    assert await shelf.find("Goal?_source=urn") == []


@pytest.mark.parametrize("value", ["|", "a|b|c", ""])
async def test_what_is_no_token_is_refused(shelf, value: str) -> None:
    with pytest.raises(BadRequest):
        await shelf.find(f"Goal?category={value}")
