"""Literal references: which of them point to resources of this server."""

import pytest

from app.fhir.references import Reference, local

BASE = "https://isp.example.org/fhir"
LONGEST = f"Q{'q' * 40}/{'i' * 64}/_history/{'1' * 64}"


@pytest.mark.parametrize("prefix", ["", f"{BASE}/"])
def test_the_longest_reference_is_understood(prefix: str) -> None:
    found = local(prefix + LONGEST, BASE)
    assert found == Reference(f"Q{'q' * 40}", "i" * 64, "1" * 64)
    assert str(found) == f"Q{'q' * 40}/{'i' * 64}"


@pytest.mark.parametrize(
    "other",
    [
        None,
        7,
        ["Goal/1"],
        "",
        "#one",
        "Goal",
        "urn:uuid:4",
        f"{LONGEST}1",
        "Goal/" + "1" * 1_000_000,
        "https://other.example.org/fhir/Goal/1",
    ],
)
def test_anything_else_is_none_of_this_server(other: object) -> None:
    assert local(other, BASE) is None


def test_the_same_text_means_another_thing_under_another_base() -> None:
    assert local(f"{BASE}/Goal/1", BASE) == Reference("Goal", "1")
    assert local(f"{BASE}/Goal/1", "https://other.example.org/fhir") is None


def test_a_reference_to_a_version_is_one_to_the_resource() -> None:
    assert Reference("Goal", "1", "2").whole == Reference("Goal", "1")
    assert Reference("Goal", "1").whole == Reference("Goal", "1")
