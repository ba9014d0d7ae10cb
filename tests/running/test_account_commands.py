"""The commands for accounts, and for the secrets and limits of clients, beside a server."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.running.test_cli import isp, serving


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("isp")


@pytest.fixture(scope="module")
def issuer(data_dir: Path) -> Iterator[str]:
    with serving(data_dir) as (_, lines):
        yield lines[-1].removeprefix("Ready: ").removesuffix("/fhir")


def test_an_operator_invites_locks_and_unlocks(data_dir: Path, issuer: str) -> None:
    who = ("--fhir-user", "Practitioner/grace", "--role", "key-worker")
    done = isp(data_dir, "user", "invite", "--email", "grace@mail.example", *who)
    assert json.loads(done.stdout) == {
        "username": "grace@mail.example",
        "mailed": "grace@mail.example",
    }
    [mail] = (data_dir / "outbox").glob("*.eml")
    [url] = re.findall(r"http://\S+", mail.read_text())
    assert url.startswith(f"{issuer}/auth/link/")
    assert url not in done.stdout + done.stderr
    with httpx.Client() as browser:
        page = browser.get(url, follow_redirects=True)
        [csrf] = re.findall(r'name="csrf" value="(\w+)"', page.text)
        chosen = {"csrf": csrf, "password": "correct horse", "again": "correct horse"}
        assert browser.post(f"{issuer}/auth/password", data=chosen).status_code == 200
    [listed] = json.loads(isp(data_dir, "user", "list").stdout)
    assert (listed["username"], listed["role"]) == ("grace@mail.example", "key-worker")
    assert "hash" not in str(listed)
    name = ("--username", "grace@mail.example")
    assert isp(data_dir, "user", "lock", *name).returncode == 0
    assert json.loads(isp(data_dir, "user", "list").stdout)[0]["locked"]
    assert isp(data_dir, "user", "unlock", *name).returncode == 0
    assert isp(data_dir, "user", "forget-factors", *name).returncode == 0
    assert isp(data_dir, "user", "email", *name, "--email", "g@mail.example").returncode == 0
    [listed] = json.loads(isp(data_dir, "user", "list").stdout)
    assert (listed["locked"], listed["email"]) == (None, "g@mail.example")


def test_what_cannot_be_is_told(data_dir: Path, issuer: str) -> None:
    wrong = {
        "no account has this username": ("lock", "--username", "nobody"),
        "the mail address is not one": ("email", "--username", "nobody", "--email", "x"),
        "the FHIR user is a reference to a person, as Practitioner/<id>": (
            *("invite", "--email", "a@b.example", "--fhir-user", "x", "--role", "operator"),
        ),
    }
    for message, arguments in wrong.items():
        done = isp(data_dir, "user", *arguments)
        assert (done.returncode, done.stderr) == (2, f"isp: {message}\n")


def test_a_secret_is_rotated_and_a_client_limited(data_dir: Path, issuer: str) -> None:
    options = ("--name", "Partner", "--scope", "system/Goal.rs", "--secret")
    made = json.loads(isp(data_dir, "client", "create", *options).stdout)
    client_id = made["client_id"]
    assert isp(data_dir, "client", "limit", client_id, "--per-minute", "2").returncode == 0
    done = isp(data_dir, "client", "rotate-secret", client_id, "--expires-days", "7")
    new = json.loads(done.stdout)["client_secret"]
    [listed] = json.loads(isp(data_dir, "client", "list").stdout)
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
    refused = isp(data_dir, "client", "rotate-secret", "nobody")
    assert (refused.returncode, refused.stderr) == (
        2,
        "isp: no client with a secret has this client_id\n",
    )
