"""The demonstration: two people's plans, a client that may see one of them, and how to ask."""

import os
import shlex
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from app.auth.authority import Authority
from app.auth.clients import Registration, create_client, find_client
from app.auth.operator_tokens import issue_for
from app.fhir.engine import Engine
from app.isp.demonstration import bundles
from app.loading import Report, load
from app.reading import items
from app.settings import Settings

CLIENT = "demo-ehr"
ORGANIZATION = "Organization/wren-county-behavioral-health"
SCOPE = "system/*.rs"
PATIENT = "maria-alvarez"
GOAL = "maria-alvarez-goal-work"
PLAN = "maria-alvarez-isp"
PERSON = f"Patient/{PATIENT}"


async def demonstrate(engine: Engine) -> Report:
    """Load the demonstration plans, as if they had begun four months ago."""
    report, today = Report(), datetime.now(UTC).date()
    for number, bundle in enumerate(bundles(today)):
        source = f"demonstration {number}"
        await load(engine, items(source, number, bundle, engine.base_url), report)
    return report


async def welcome(settings: Settings, authority: Authority) -> str:
    """What to paste into a terminal and what to open, with a token that works for an hour."""
    if await find_client(authority.database, CLIENT) is None:
        await create_client(
            authority.database,
            Registration(
                "Demonstration EHR",
                SCOPE,
                "ehr-system",
                "client_secret_basic",
                organization=ORGANIZATION,
                client_id=CLIENT,
            ),
        )
    issued = await issue_for(authority, CLIENT)
    return _text(settings.base_url, settings.issuer, _header_file(settings, issued.token))


def introduction(settings: Settings) -> str:
    """What to do first with a server that has no demonstration."""
    base, isp = settings.base_url, _called()
    return f"""
Individualized Service Plans over FHIR R4: {base}

  curl '{base}/metadata'
  {isp} client create --name EHR --scope 'system/*.rs' --secret --organization Organization/ID
  {isp} load PATH
"""


def _called() -> str:
    """How to type `isp` here: the script beside this Python, unless PATH has one."""
    script = Path(sys.executable).with_name("isp")
    if shutil.which("isp") or not script.exists():
        return "isp"
    here = Path.cwd()
    return shlex.quote(str(script.relative_to(here) if script.is_relative_to(here) else script))


def _header_file(settings: Settings, token: str) -> str:
    """The token as a file of one header, since a line with it would fill the screen."""
    file = settings.data_dir.resolve() / "demo-token"
    file.unlink(missing_ok=True)
    with open(file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write(f"Authorization: Bearer {token}\n")
    return shlex.quote(str(file))


def _text(base: str, issuer: str, file: str) -> str:
    isp, plan = _called(), "_include=CarePlan:goal&_include=CarePlan:care-team&_pretty=true"
    return f"""
Individualized Service Plans over FHIR R4: {base}

A client's whole plan, one of its goals, and what changed in all goals:
  curl -H @{file} '{base}/CarePlan?patient={PATIENT}&status=active&{plan}'
  curl -H @{file} '{base}/Goal/{GOAL}?_pretty=true'
  curl -H @{file} '{base}/Goal/_history?_count=5&_pretty=true'
The same plan to read, and to print:
  curl -H @{file} -H 'Accept: text/html' '{base}/CarePlan/{PLAN}/$document' -o plan.html
  curl -H @{file} -H 'Accept: application/pdf' '{base}/CarePlan/{PLAN}/$document' -o plan.pdf
That token is valid for an hour. Another one:
  {isp} token --client {CLIENT}
People sign in at {issuer}/app, once they have an account:
  {isp} user create --username maria --fhir-user {PERSON} --role individual

Open:
  {base}/metadata
  {base}/.well-known/smart-configuration
  {issuer}/metrics
"""
