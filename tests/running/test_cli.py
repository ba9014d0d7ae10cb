"""The command line as an operator meets it: processes, exit statuses, what is printed."""

import json
import shlex
import signal
import socket
from pathlib import Path

import httpx
import pytest

from app.storage import postmaster
from tests.running.installation import LIMIT, Installation


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Nothing is given: it has a PostgreSQL of its own."""
    return Installation(tmp_path_factory.mktemp("isp"))


def test_the_demonstration_serves_what_it_says_and_stops_all_it_started(
    demonstration: Installation,
) -> None:
    server = postmaster.locate(demonstration.data_dir)
    with demonstration.serving("--demo") as (process, lines):
        base = lines[-1].removeprefix("Ready: ")
        curls = [shlex.split(line) for line in lines if line.strip().startswith("curl ")]
        assert len(curls) == 5
        for _, _, file, *rest in curls:
            header = Path(file.removeprefix("@")).read_text().strip()
            given = [header, *(rest[1:2] if rest[0] == "-H" else [])]
            [url] = [one for one in rest if one.startswith("http")]
            headers = dict(one.split(": ", 1) for one in given)
            answer = httpx.get(url, headers=headers, timeout=60)
            assert answer.status_code == 200
            if "Accept" in headers:
                assert answer.headers["content-type"].startswith(headers["Accept"])
                continue
            assert answer.json()["resourceType"] in ("Bundle", "Goal")
            assert answer.json().get("entry", [1]) != []
        pages = [line.strip() for line in lines if line.strip().startswith("http")]
        assert [httpx.get(page).status_code for page in pages] == [200] * len(pages)
        [another] = [line for line in lines if line.endswith("isp token --client demo-ehr")]
        assert Path(shlex.split(another)[0]).name == "isp"
        beside(demonstration, base)
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT) == 0
    assert postmaster.pid(server) is None


def beside(demonstration: Installation, base: str) -> None:
    """Other commands work on the data of a running server, and name that server."""
    flags = ("--scope", "system/*.rs", "--secret", "--organization", "Organization/x")
    registered = json.loads(demonstration.isp("client", "create", "--name", "X", *flags).stdout)
    assert registered["token_endpoint"].startswith(base.removesuffix("/fhir"))
    token = demonstration.isp("token", "--client", registered["client_id"]).stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{base}/Patient/maria-alvarez", headers=headers).status_code == 404
    assert httpx.get(f"{base}/Patient", headers=headers).status_code == 200


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_ends_it_too_and_the_data_stays(demonstration: Installation, workers: str) -> None:
    server = postmaster.locate(demonstration.data_dir)
    with demonstration.serving("--demo", "--workers", workers) as (process, lines):
        base = lines[-1].removeprefix("Ready: ")
        token = demonstration.isp("token", "--client", "demo-ehr").stdout.strip()
        answer = httpx.get(
            f"{base}/Patient/maria-alvarez", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 200
        metrics = f"{base.removesuffix('/fhir')}/metrics"
        assert "isp_" in httpx.get(metrics).text
        process.terminate()
        assert process.wait(LIMIT) == 0
    assert postmaster.pid(server) is None


def test_loading_prints_a_summary_and_fails_if_anything_was_refused(
    installation: Installation, tmp_path: Path
) -> None:
    file = tmp_path / "organization.json"
    file.write_text('{"resourceType": "Organization", "id": "new", "name": "New"}')
    done = installation.isp("load", str(file))
    assert (done.returncode, json.loads(done.stdout)["loaded"]) == (0, 1)
    file.write_text('{"resourceType": "Organization", "id": "new", "name": 7}')
    done = installation.isp("load", str(file))
    summary = json.loads(done.stdout)
    assert (done.returncode, summary["loaded"]) == (1, 0)
    assert summary["refused"][0]["resource"] == "Organization/new"


def test_an_account_takes_its_password_from_standard_input(installation: Installation) -> None:
    flags = ("--username", "grace", "--fhir-user", "Practitioner/grace", "--role", "key-worker")
    done = installation.isp("user", "create", *flags, "--password-stdin", stdin="correct horse\n")
    assert json.loads(done.stdout)["username"] == "grace"
    assert "horse" not in done.stdout + done.stderr
    again = installation.isp("user", "create", *flags, "--password-stdin", stdin="correct horse\n")
    assert (again.returncode, again.stderr.strip()) == (
        2,
        "isp: an account with this username exists",
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("token", "--client", "nobody"), "no client has this client_id"),
        (
            ("user", "create", "--username", "x", "--fhir-user", "Patient/x", "--role", "boss"),
            "unknown role 'boss'; one of individual, ",
        ),
        (("client", "create", "--name", "X", "--scope", "system/*.rs"), "give one of --jwks"),
        (("load", "/does/not/exist"), "does not exist"),
        (("serve", "--host", "0.0.0.0"), "ISP_BASE_URL is needed"),
        (("serve", "--port", "99999"), "ISP_PORT: "),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    installation: Installation, arguments: tuple[str, ...], said: str
) -> None:
    done = installation.isp(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("isp: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_port_in_use_is_told_before_anything_starts(installation: Installation) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = installation.isp("serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "already in use" in done.stderr
    assert done.stderr.splitlines()[-1].endswith("--port or ISP_PORT names another port")
