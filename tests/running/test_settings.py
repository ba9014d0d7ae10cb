"""app/settings.py: what an operator may choose, and what is refused as only half secure."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import Settings


def test_without_anything_it_listens_on_loopback_only() -> None:
    settings = Settings()
    assert settings.base_url == "http://127.0.0.1:8000/fhir"
    assert settings.issuer == "http://127.0.0.1:8000"


def test_the_base_url_follows_host_and_port() -> None:
    assert Settings(port=9000).base_url == "http://127.0.0.1:9000/fhir"
    assert Settings(host="::1").base_url == "http://[::1]:8000/fhir"


def test_variables_are_read_and_flags_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISP_PORT", "9000")
    monkeypatch.setenv("ISP_WORKERS", "3")
    settings = Settings(port=9001)
    assert (settings.port, settings.workers) == (9001, 3)
    assert settings.base_url == "http://127.0.0.1:9001/fhir"


def test_settings_travel_to_workers_through_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings(port=9000, update_as_create=True, data_dir=Path("/tmp/elsewhere"))
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"host": "0.0.0.0"}, "ISP_BASE_URL is needed"),
        ({"base_url": "http://isp.example.org/fhir"}, "clear text"),
        ({"host": "0.0.0.0", "base_url": "http://localhost:8000/fhir"}, "clear text"),
        ({"base_url": "https://isp.example.org"}, "must end in /fhir"),
        ({"base_url": "https://isp.example.org/fhir?x=1"}, "without query"),
        ({"base_url": "isp.example.org/fhir"}, "absolute"),
        ({"page_size": 100, "max_page_size": 50}, "larger"),
        ({"access_token_lifetime": 86_400}, "less than or equal to 3600"),
        ({"audit": "never"}, "'sync' or 'async'"),
        ({"no_such_setting": 1}, "not permitted"),
    ],
)
def test_what_is_refused(chosen: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(**chosen)


@pytest.mark.parametrize(
    "chosen",
    [
        {"host": "0.0.0.0", "base_url": "https://isp.example.org/fhir"},
        {"host": "0.0.0.0", "base_url": "http://isp/fhir", "allow_http": True},
        {"base_url": "https://example.org/plans/fhir"},
        {"host": "localhost"},
    ],
)
def test_what_is_allowed(chosen: dict[str, object]) -> None:
    assert Settings(**chosen).base_url.endswith("/fhir")


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]
