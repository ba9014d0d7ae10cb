"""The file that names other issuers: what is half or contradictory stops the server."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.auth.issuers import InvalidIssuers, read_issuers

OWN = "https://isp.example"
GOOD: dict[str, Any] = {
    "issuer": "https://id.example",
    "algorithms": ["RS256"],
    "roles": {"clinician": "clinician"},
    "audience": "https://isp.example/fhir",
}


def read(folder: Path, content: Any) -> Any:
    path = folder / "issuers.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_issuers(str(path), OWN)


def test_what_an_operator_wrote_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, {"issuers": [GOOD]})
    assert found.find("https://id.example").typ == "at+jwt"
    assert found.find("https://id.example/") is None
    assert read_issuers("", OWN).issuers == ()


@pytest.mark.parametrize(
    "content",
    [
        "not json",
        {"issuers": [GOOD, GOOD]},
        {"issuers": [GOOD | {"issuer": OWN}]},
        {"issuers": [GOOD | {"algorithms": []}]},
        {"issuers": [GOOD | {"algorithms": ["HS256"]}]},
        {"issuers": [GOOD | {"algorithms": ["none"]}]},
        {"issuers": [GOOD | {"roles": {"x": "superuser"}}]},
        {"issuers": [GOOD | {"audience": None}]},
        {"issuers": [GOOD | {"audeince": "x"}]},
        {"issuers": [], "only": True},
    ],
)
def test_what_could_not_be_meant_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(InvalidIssuers):
        read(tmp_path, content)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidIssuers, match="cannot be read"):
        read_issuers(str(tmp_path / "absent.json"), OWN)
