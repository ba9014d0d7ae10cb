"""The commands for what registers itself, and for the keys that sign."""

import json
from pathlib import Path

import httpx
import pytest

from tests.running.test_cli import isp, serving

ASKED = {
    "client_name": "Walk Along",
    "redirect_uris": ["https://app.example/callback"],
    "token_endpoint_auth_method": "none",
    "scope": "launch/patient patient/*.rs",
}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("isp")


def test_an_operator_approves_what_asked_and_rotates_keys(data_dir: Path) -> None:
    with serving(data_dir) as (_, lines):
        issuer = lines[-1].removeprefix("Ready: ").removesuffix("/fhir")
        made = httpx.post(f"{issuer}/auth/register", json=ASKED).json()
        [waiting] = json.loads(isp(data_dir, "client", "pending").stdout)
        assert (waiting["client_id"], waiting["client_name"]) == (made["client_id"], "Walk Along")
        less = "patient/Goal.rs"
        approved = isp(
            data_dir, "client", "approve", made["client_id"], waiting["digest"], "--scope", less
        )
        assert json.loads(approved.stdout)["scope"] == less
        assert json.loads(isp(data_dir, "client", "pending").stdout) == []
        before = {key["kid"] for key in httpx.get(f"{issuer}/auth/jwks").json()["keys"]}
        kid = json.loads(isp(data_dir, "keys", "rotate").stdout)["kid"]
        assert kid not in before


def test_clients_are_listed_and_removed(data_dir: Path) -> None:
    options = ("--name", "Partner", "--scope", "system/Goal.rs", "--role", "partner-system")
    created = isp(data_dir, "client", "create", *options, "--secret")
    made = json.loads(created.stdout)
    listed = {one["client_id"]: one for one in json.loads(isp(data_dir, "client", "list").stdout)}
    one = listed[made["client_id"]]
    assert (one["client_name"], one["role"]) == ("Partner", "partner-system")
    assert made["client_secret"] not in str(listed)
    assert "hash" not in str(listed)
    assert isp(data_dir, "client", "remove", made["client_id"]).returncode == 0
    assert made["client_id"] not in isp(data_dir, "client", "list").stdout
    again = isp(data_dir, "client", "remove", made["client_id"])
    assert (again.returncode, again.stderr) == (2, "isp: no client has this client_id\n")


def test_a_client_is_held_to_more_and_gets_another_secret(data_dir: Path) -> None:
    options = ("--name", "Careful", "--scope", "patient/*.rs", "--require-par", "--dpop-bound")
    made = json.loads(isp(data_dir, "client", "create", *options, "--secret").stdout)
    assert made["require_pushed_authorization_requests"] is True
    assert made["dpop_bound_access_tokens"] is True
    given = json.loads(isp(data_dir, "client", "rotate-secret", made["client_id"]).stdout)
    assert given["client_secret"] != made["client_secret"]
    refused = isp(data_dir, "client", "rotate-secret", "nobody")
    assert refused.returncode == 2


def test_an_issuer_has_to_be_trusted_before_somebody_is_bound_to_it(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = ("--username", "ada", "--issuer", "https://id.example", "--subject", "s-1")
    refused = isp(data_dir, "user", "bind", *who)
    assert (refused.returncode, refused.stderr) == (
        2,
        "isp: ISP_EXTERNAL_ISSUERS names no such issuer\n",
    )
    wrong = tmp_path / "issuers.json"
    wrong.write_text('{"issuers": [{"issuer": "https://id.example"}]}')
    monkeypatch.setenv("ISP_EXTERNAL_ISSUERS", str(wrong))
    refused = isp(data_dir, "user", "bind", *who)
    assert refused.returncode == 2
    assert "algorithms" in refused.stderr


def test_what_did_not_ask_cannot_be_approved(data_dir: Path) -> None:
    isp(data_dir, "migrate")
    refused = isp(data_dir, "client", "approve", "nobody", "digest")
    assert (refused.returncode, refused.stderr) == (
        2,
        "isp: no registration has this client_id\n",
    )


def test_an_account_gets_another_password_and_is_removed(data_dir: Path) -> None:
    account = ("--username", "ada")
    person = ("--fhir-user", "Patient/ada", "--role", "individual", "--password-stdin")
    assert isp(data_dir, "user", "create", *account, *person, stdin="correct horse\n").stdout
    changed = isp(data_dir, "user", "password", *account, "--password-stdin", stdin="short\n")
    assert changed.stderr == "isp: a password has 8 to 1024 characters\n"
    changed = isp(data_dir, "user", "password", *account, "--password-stdin", stdin="longer one\n")
    assert changed.returncode == 0
    assert isp(data_dir, "user", "remove", *account).returncode == 0
    again = isp(data_dir, "user", "remove", *account)
    assert (again.returncode, again.stderr) == (2, "isp: no account has this username\n")
