"""What is put into the text of a statement."""

import pytest

from app.storage.sql import array


def test_names_become_an_array() -> None:
    assert array(("TREAT", "care-team")) == "ARRAY['TREAT', 'care-team']::text[]"
    assert array(()) == "ARRAY[]::text[]"


@pytest.mark.parametrize("text", ["x'] OR true --", "'", "TREAT\n", "two words", ""])
def test_what_is_no_name_never_gets_there(text: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        array(("TREAT", text))
