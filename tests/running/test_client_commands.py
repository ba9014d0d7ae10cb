"""The commands for what registers itself, and for the keys that sign."""

import json
from pathlib import Path

import httpx
import pytest

from tests.running.installation import Installation

ASKED = {
    "client_name": "Walk Along",
    "redirect_uris": ["https://app.example/callback"],
    "token_endpoint_auth_method": "none",
    "scope": "launch/patient patient/*.rs",
}


def test_an_operator_approves_what_asked_and_rotates_keys(
    installation: Installation, issuer: str
) -> None:
    made = httpx.post(f"{issuer}/auth/register", json=ASKED).json()
    [waiting] = json.loads(installation.isp("client", "pending").stdout)
    assert (waiting["client_id"], waiting["client_name"]) == (made["client_id"], "Walk Along")
    less = "patient/Goal.rs"
    approved = installation.isp(
        "client", "approve", made["client_id"], waiting["digest"], "--scope", less
    )
    assert json.loads(approved.stdout)["scope"] == less
    assert json.loads(installation.isp("client", "pending").stdout) == []
    before = {key["kid"] for key in httpx.get(f"{issuer}/auth/jwks").json()["keys"]}
    kid = json.loads(installation.isp("keys", "rotate").stdout)["kid"]
    assert kid not in before


def test_clients_are_listed_and_removed(installation: Installation) -> None:
    options = ("--name", "Partner", "--scope", "system/Goal.rs", "--role", "partner-system")
    created = installation.isp("client", "create", *options, "--secret")
    made = json.loads(created.stdout)
    listed = {
        one["client_id"]: one for one in json.loads(installation.isp("client", "list").stdout)
    }
    one = listed[made["client_id"]]
    assert (one["client_name"], one["role"]) == ("Partner", "partner-system")
    assert made["client_secret"] not in str(listed)
    assert "hash" not in str(listed)
    assert installation.isp("client", "remove", made["client_id"]).returncode == 0
    assert made["client_id"] not in installation.isp("client", "list").stdout
    again = installation.isp("client", "remove", made["client_id"])
    assert (again.returncode, again.stderr) == (2, "isp: no client has this client_id\n")


def test_a_client_is_held_to_more_and_gets_another_secret(installation: Installation) -> None:
    options = ("--name", "Careful", "--scope", "patient/*.rs", "--require-par", "--dpop-bound")
    made = json.loads(installation.isp("client", "create", *options, "--secret").stdout)
    assert made["require_pushed_authorization_requests"] is True
    assert made["dpop_bound_access_tokens"] is True
    given = json.loads(installation.isp("client", "rotate-secret", made["client_id"]).stdout)
    assert given["client_secret"] != made["client_secret"]
    refused = installation.isp("client", "rotate-secret", "nobody")
    assert refused.returncode == 2


def test_a_first_secret_may_expire_too(installation: Installation) -> None:
    options = ("--name", "Brief", "--scope", "system/Goal.rs", "--expires-days", "7")
    made = json.loads(installation.isp("client", "create", *options, "--secret").stdout)
    every = json.loads(installation.isp("client", "list").stdout)
    [listed] = [each for each in every if each["client_id"] == made["client_id"]]
    assert f"isp client rotate-secret {made['client_id']}" in listed["warning"]
    refused = installation.isp("client", "create", *options, "--public")
    assert (refused.returncode, refused.stderr) == (
        2,
        "isp: there is no secret that could expire\n",
    )


def test_who_is_not_here_yet_is_named(installation: Installation, tmp_path: Path) -> None:
    scope = ("--scope", "system/Goal.rs", "--secret")
    organization = ("--organization", "Organization/mistyped")
    made = installation.isp("client", "create", "--name", "Partner", *scope, *organization)
    assert (made.returncode, json.loads(made.stdout)["organization"]) == (0, organization[1])
    assert made.stderr.startswith("isp: warning: there is no Organization/mistyped yet")
    person = ("--username", "linus", "--fhir-user", "Patient/mistyped", "--role", "individual")
    made = installation.isp(
        "user", "create", *person, "--password-stdin", stdin="a horse, correct\n"
    )
    assert made.returncode == 0
    assert made.stderr.startswith("isp: warning: there is no Patient/mistyped yet")
    file = tmp_path / "organization.json"
    file.write_text('{"resourceType": "Organization", "id": "mistyped", "name": "Was meant"}')
    installation.isp("load", str(file))
    made = installation.isp("client", "create", "--name", "Partner", *scope, *organization)
    assert (made.returncode, made.stderr) == (0, "")


def test_a_client_that_acts_for_nobody_is_told_of_at_once(installation: Installation) -> None:
    flags = ("--name", "Alone", "--secret", "--scope")
    made = installation.isp("client", "create", *flags, "system/Goal.rs")
    assert made.returncode == 0
    assert made.stderr.startswith("isp: warning: without --organization")
    made = installation.isp("client", "create", *flags, "patient/Goal.rs")
    assert (made.returncode, made.stderr) == (0, "")


def test_an_issuer_has_to_be_trusted_before_somebody_is_bound_to_it(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = ("--username", "ada", "--issuer", "https://id.example", "--subject", "s-1")
    refused = installation.isp("user", "bind", *who)
    assert (refused.returncode, refused.stderr) == (
        2,
        "isp: ISP_EXTERNAL_ISSUERS names no such issuer\n",
    )
    wrong = tmp_path / "issuers.json"
    wrong.write_text('{"issuers": [{"issuer": "https://id.example"}]}')
    monkeypatch.setenv("ISP_EXTERNAL_ISSUERS", str(wrong))
    refused = installation.isp("user", "bind", *who)
    assert refused.returncode == 2
    assert "algorithms" in refused.stderr


def test_what_did_not_ask_cannot_be_approved(installation: Installation) -> None:
    refused = installation.isp("client", "approve", "nobody", "digest")
    assert (refused.returncode, refused.stderr) == (
        2,
        "isp: no registration has this client_id\n",
    )


def test_an_account_gets_another_password_and_is_removed(installation: Installation) -> None:
    account = ("--username", "ada")
    person = ("--fhir-user", "Patient/ada", "--role", "individual", "--password-stdin")
    assert installation.isp("user", "create", *account, *person, stdin="correct horse\n").stdout
    changed = installation.isp("user", "password", *account, "--password-stdin", stdin="short\n")
    assert changed.stderr == "isp: a password has 8 to 1024 characters\n"
    changed = installation.isp(
        "user", "password", *account, "--password-stdin", stdin="longer one\n"
    )
    assert changed.returncode == 0
    assert installation.isp("user", "remove", *account).returncode == 0
    again = installation.isp("user", "remove", *account)
    assert (again.returncode, again.stderr) == (2, "isp: no account has this username\n")
