"""The commands for accounts, and for the secrets and limits of clients, beside a server."""

import json
import re
from typing import Any

import httpx

from tests.running.installation import Installation


def test_an_operator_invites_locks_and_unlocks(installation: Installation, issuer: str) -> None:
    who = ("--fhir-user", "Practitioner/grace", "--role", "key-worker")
    done = installation.isp("user", "invite", "--email", "grace@mail.example", *who)
    assert json.loads(done.stdout) == {
        "username": "grace@mail.example",
        "mailed": "grace@mail.example",
    }
    [mail] = (installation.data_dir / "outbox").glob("*.eml")
    [url] = re.findall(r"http://\S+", mail.read_text())
    assert url.startswith(f"{issuer}/auth/link/")
    assert url not in done.stdout + done.stderr
    with httpx.Client() as browser:
        page = browser.get(url, follow_redirects=True)
        [csrf] = re.findall(r'name="csrf" value="(\w+)"', page.text)
        chosen = {"csrf": csrf, "password": "correct horse", "again": "correct horse"}
        assert browser.post(f"{issuer}/auth/password", data=chosen).status_code == 200
    listed = account(installation)
    assert listed["role"] == "key-worker"
    assert "hash" not in str(listed)
    name = ("--username", "grace@mail.example")
    assert installation.isp("user", "lock", *name).returncode == 0
    assert account(installation)["locked"]
    assert installation.isp("user", "unlock", *name).returncode == 0
    assert installation.isp("user", "forget-factors", *name).returncode == 0
    assert installation.isp("user", "email", *name, "--email", "g@mail.example").returncode == 0
    listed = account(installation)
    assert (listed["locked"], listed["email"]) == (None, "g@mail.example")


def account(installation: Installation) -> dict[str, Any]:
    every = json.loads(installation.isp("user", "list").stdout)
    [one] = [each for each in every if each["username"] == "grace@mail.example"]
    return dict(one)


def test_what_cannot_be_is_told(installation: Installation, issuer: str) -> None:
    wrong = {
        "no account has this username": ("lock", "--username", "nobody"),
        "the mail address is not one": ("email", "--username", "nobody", "--email", "x"),
        "the FHIR user is a reference to a person, as Practitioner/<id>": (
            *("invite", "--email", "a@b.example", "--fhir-user", "x", "--role", "operator"),
        ),
    }
    for message, arguments in wrong.items():
        done = installation.isp("user", *arguments)
        assert (done.returncode, done.stderr) == (2, f"isp: {message}\n")


def test_a_secret_is_rotated_and_a_client_limited(installation: Installation, issuer: str) -> None:
    options = ("--name", "Partner", "--scope", "system/Goal.rs", "--secret")
    made = json.loads(installation.isp("client", "create", *options).stdout)
    client_id = made["client_id"]
    assert installation.isp("client", "limit", client_id, "--per-minute", "2").returncode == 0
    done = installation.isp("client", "rotate-secret", client_id, "--expires-days", "7")
    new = json.loads(done.stdout)["client_secret"]
    every = json.loads(installation.isp("client", "list").stdout)
    [listed] = [each for each in every if each["client_id"] == client_id]
    assert f"isp client rotate-secret {client_id}" in listed["warning"]
    assert listed["requests_per_minute"] == 2
    assert {"secret_expires", "previous_secret_expires"} <= listed.keys()
    asked = {"grant_type": "client_credentials", "scope": "system/Goal.rs"}
    statuses = [
        httpx.post(f"{issuer}/auth/token", data=asked, auth=(client_id, secret)).status_code
        for secret in (made["client_secret"], new, new)
    ]
    assert statuses == [200, 200, 429]
    assert f'client_id="{client_id}"' in httpx.get(f"{issuer}/metrics").text
    refused = installation.isp("client", "rotate-secret", "nobody")
    assert (refused.returncode, refused.stderr) == (
        2,
        "isp: no client with a secret has this client_id\n",
    )
