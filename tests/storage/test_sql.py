"""What is put into the text of a statement."""

import pytest

from app.storage.sql import Arguments, array


def test_names_become_an_array() -> None:
    assert array(("TREAT", "care-team")) == "ARRAY['TREAT', 'care-team']::text[]"
    assert array(()) == "ARRAY[]::text[]"


@pytest.mark.parametrize("text", ["x'] OR true --", "'", "TREAT\n", "two words", ""])
def test_what_is_no_name_never_gets_there(text: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        array(("TREAT", text))


def test_what_parts_of_a_statement_share_is_handed_over_once() -> None:
    args = Arguments("first")
    assert args.shared((1, 2), "bigint[]") == args.shared((1, 2), "bigint[]") == "$2::bigint[]"
    assert args.shared((1, 2), "text[]") == "$3::text[]"
    assert args.values == ["first", [1, 2], [1, 2]]


def test_a_part_that_was_kept_takes_along_what_it_shares() -> None:
    first, part = Arguments(), Arguments.after(Arguments().beginning)
    assert part.shared((7,), "bigint[]") == "$1::bigint[]"
    first.take(part.needs(Arguments().beginning))
    assert first.shared((7,), "bigint[]") == "$1::bigint[]"
    assert first.values == [[7]]


def test_a_part_is_another_after_a_beginning_that_shares_something_else() -> None:
    one, other = Arguments(), Arguments()
    one.shared((1,), "bigint[]")
    other.shared((2,), "bigint[]")
    assert one.beginning != other.beginning
