"""String search: starts with, :exact, :contains, and how texts are folded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fhir.search.parameters.string import LONGEST, fold, successor
from tests.build import organization, patient


async def test_a_text_is_found_by_its_beginning(shelf) -> None:
    await shelf.put(organization("o1", name="Maple House"), organization("o2", name="The Maple"))
    assert await shelf.find("Organization?name=maple") == ["o1"]
    assert await shelf.find("Organization?name=MAPLE H") == ["o1"]
    assert await shelf.find("Organization?name=house") == []


async def test_accents_case_and_punctuation_do_not_matter(shelf) -> None:
    await shelf.put(organization("o1", name="Élan, Co-op  Zürich"))
    for value in ("elan", "ÉLAN co", "elan coop zurich"):
        assert await shelf.find(f"Organization?name={value}") == ["o1"]
    assert await shelf.find("Organization?name=elan zurich") == []


async def test_exact_means_to_the_letter(shelf) -> None:
    await shelf.put(organization("o1", name="Maple House"))
    assert await shelf.find("Organization?name:exact=Maple House") == ["o1"]
    assert await shelf.find("Organization?name:exact=maple house") == []
    assert await shelf.find("Organization?name:exact=Maple") == []


async def test_contains_looks_within(shelf) -> None:
    await shelf.put(organization("o1", name="The Maple House"))
    assert await shelf.find("Organization?name:contains=APLE") == ["o1"]
    assert await shelf.find("Organization?name:contains=oak") == []


async def test_every_part_of_a_name_and_an_address_is_found(shelf) -> None:
    name = [{"family": "Lovelace", "given": ["Ada", "King"], "prefix": ["Countess"]}]
    address = [{"line": ["1 Elm St"], "city": "Salem", "postalCode": "97301"}]
    await shelf.put(patient("p1", name=name, address=address), patient("p2"))
    for value in ("love", "ada", "king", "countess"):
        assert await shelf.find(f"Patient?name={value}") == ["p1"]
    assert await shelf.find("Patient?given=king") == ["p1"]
    assert await shelf.find("Patient?family=king") == []
    assert await shelf.find("Patient?address=salem") == ["p1"]
    assert await shelf.find("Patient?address-postalcode=973") == ["p1"]


async def test_alternatives_are_separated_by_commas_that_can_be_escaped(shelf) -> None:
    await shelf.put(organization("o1", name="Oak, Ltd"), organization("o2", name="Elm"))
    assert await shelf.find("Organization?name=oak,elm") == ["o2", "o1"]
    assert await shelf.find(r"Organization?name:exact=Oak\, Ltd") == ["o1"]


async def test_a_text_can_be_missing(shelf) -> None:
    await shelf.put(organization("o1", alias=["x"]), organization("o2"))
    await shelf.put({"resourceType": "Organization", "id": "o3", "active": True})
    assert await shelf.find("Organization?name:missing=true") == ["o3"]
    assert await shelf.find("Organization?name:missing=false") == ["o2", "o1"]


async def test_a_value_of_punctuation_only_finds_nothing(shelf) -> None:
    await shelf.put(organization("o1", name="..."))
    assert await shelf.find("Organization?name=...") == []
    assert await shelf.find("Organization?name:contains=...") == []
    assert await shelf.find("Organization?name:exact=...") == ["o1"]


async def test_a_very_long_text_is_stored_and_found_by_its_beginning(shelf) -> None:
    text = "ü" * 5000
    await shelf.put(organization("o1", name=text))
    assert await shelf.find(f"Organization?name={'u' * 400}") == ["o1"]
    assert await shelf.find(f"Organization?name:exact={text}") == ["o1"]
    assert await shelf.find(f"Organization?name:exact={text}u") == []


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert len(fold(text)) <= LONGEST


@given(st.text(min_size=1, max_size=5), st.text(max_size=5), st.text(max_size=6))
def test_the_successor_bounds_exactly_what_starts_with_a_prefix(
    prefix: str, rest: str, other: str
) -> None:
    end = successor(prefix)
    assert prefix + rest < end
    assert other.startswith(prefix) == (prefix <= other < end)


@pytest.mark.parametrize("prefix", ["\ud7ff", "a\U0010ffff", "\U0010ffff"])
def test_the_successor_is_text_that_utf8_can_carry(prefix: str) -> None:
    assert successor(prefix).encode() > prefix.encode()
