"""Accounts, an operator, browsers, and the outbox that mails land in."""

import json
import re
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from app.auth.account_state import set_email
from app.auth.accounts import Account, create_account
from app.auth.authority import Authority
from app.auth.second_factor import remove_all
from app.auth.sessions import SignIn, begin
from app.storage.database import Database
from tests.conftest import CLEAN
from tests.http.conftest import Service, serving
from tests.smart.browser import Browser, Page

PASSWORD = "correct horse battery"
PEOPLE = {
    "ada": ("Patient/ada", "individual"),
    "gus": ("Practitioner/gus", "clinician"),
    "olga": ("Practitioner/olga", "operator"),
}


@dataclass
class House:
    """The running service, its people by username, and what was mailed."""

    service: Service
    database: Database
    outbox: Path
    people: dict[str, Account]
    opened: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return self.service.settings.issuer

    @property
    def authority(self) -> Authority:
        found: Authority = self.service.app.state.authority
        return found

    def url(self, name: str) -> str:
        return f"{self.issuer}/auth/{name}"

    def browser(self) -> Browser:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(self.service.app))
        self.opened.append(client)
        return Browser(client, self.issuer)

    async def login(
        self, username: str, password: str = PASSWORD, browser: Browser | None = None
    ) -> tuple[Browser, httpx.Response]:
        """A browser in which somebody typed name and password, and what they saw then."""
        browser = browser or self.browser()
        form = Page((await browser.get(self.url("login"))).text).form("/login")
        return browser, await browser.send(form, username=username, password=password)

    async def signed_in(self, username: str) -> Browser:
        """A browser in which somebody signed in a moment ago, with all it takes."""
        browser = self.browser()
        how = SignIn(("pwd", "otp", "mfa"), agent="Test 1.0", address="127.0.0.1")
        cookie = await begin(self.database, username, how)
        browser.http.cookies.set("isp-session", cookie, domain="127.0.0.1")
        return browser

    async def page(self, browser: Browser, name: str) -> Page:
        answer = await browser.get(self.url(name))
        assert answer.status_code == 200, answer.text
        return Page(answer.text)

    def mails(self) -> list[EmailMessage]:
        """What was mailed, and is taken out of the outbox."""
        found = []
        for file in sorted(self.outbox.glob("*.eml")):
            found.append(message_from_bytes(file.read_bytes(), policy=policy.default))
            file.unlink()
        return [mail for mail in found if isinstance(mail, EmailMessage)]

    def link(self) -> str:
        """The one link of the one mail."""
        [mail] = self.mails()
        [url] = re.findall(r"http://\S+", mail.get_content())
        return str(url)

    async def audited(self) -> str:
        """The newest event of the audit trail, what it was about in clear."""
        sql = "SELECT body FROM audit_event ORDER BY rid DESC LIMIT 1"
        body = str(await self.database.fetchval(sql))
        queries = [entity.get("query", "") for entity in json.loads(body)["entity"]]
        return body + " ".join(b64decode(query).decode() for query in queries)


@pytest.fixture(scope="module")
async def shared(
    dsn: str, pool: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    await pool.execute(CLEAN)
    data_dir = tmp_path_factory.mktemp("data")
    async with serving(dsn, data_dir=data_dir) as service:
        house = House(service, pool, data_dir / "outbox", {})
        for username, (fhir_user, role) in PEOPLE.items():
            made = await create_account(pool, username, PASSWORD, fhir_user, role)
            await set_email(pool, made.subject, f"{username}@mail.example")
            house.people[username] = made
        yield house


@pytest.fixture
async def house(shared: House) -> AsyncIterator[House]:
    """The same house for every test of a file, with nothing tried, set up or mailed in it."""
    for table in ("sign_in_throttle", "sign_in_session", "one_time_link", "client_registration"):
        await shared.database.execute(f"DELETE FROM {table}")
    await shared.database.execute("UPDATE account_state SET locked = NULL, password_hash = NULL")
    for account in shared.people.values():
        await remove_all(shared.database, account.subject)
    shared.mails()
    yield shared
    while shared.opened:
        await shared.opened.pop().aclose()
