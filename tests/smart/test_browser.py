"""A real browser and somebody else's SMART app: launch, read, refresh, disconnect, sign out.

Skipped only where no Chromium is installed: apt-get install chromium chromium-driver.
"""

import asyncio
import shutil
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import uvicorn
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from app.auth.accounts import create_account
from app.auth.clients import Registration, create_client
from app.main import create_app
from app.settings import Settings
from app.storage.database import Database
from tests.build import organization, plan, practitioner, practitioner_role
from tests.conftest import CLEAN, free_port
from tests.http.conftest import Service, load
from tests.smart.conftest import PASSWORD, PEOPLE
from tests.smart.npm import fetched

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium with chromedriver is installed"
)
HERE = Path(__file__).parent / "browser_app"
SCOPE = "openid fhirUser launch/patient offline_access patient/*.rs"
PATIENCE = 20


@dataclass(frozen=True)
class Site:
    """The server, and an app that lives at another origin."""

    service: Service
    issuer: str
    app: str
    client_id: str

    def launch(self, **changed: str) -> str:
        asked = {"iss": f"{self.issuer}/fhir", "client": self.client_id, "scope": SCOPE}
        return f"{self.app}/launch.html?{urlencode(asked | changed)}"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def app_site(directory: Path) -> Iterator[str]:
    """The app's own web server, under another name of this machine: another origin and site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def running(settings: Settings) -> Iterator[Any]:
    """The service on a socket, in a thread with a loop of its own."""
    app = create_app(settings)
    config = uvicorn.Config(app, port=settings.port, log_config=None, lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    yield app
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
async def site(
    dsn: str, pool: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("app")
    for page in HERE.glob("*.html"):
        shutil.copy(page, directory)
    shutil.copy(fetched("fhir-client.js"), directory / "fhir-client.js")
    await pool.execute(CLEAN)
    settings = Settings(database_url=dsn, port=free_port())
    with app_site(directory) as app, running(settings) as served:
        service = Service(served, settings)
        await _populate(dsn, pool)
        made, _ = await create_client(
            pool,
            Registration(
                "Walk Along",
                SCOPE,
                "partner-system",
                "none",
                redirect_uris=(f"{app}/index.html",),
            ),
        )
        yield Site(service, settings.issuer, app, made.id)


async def _populate(dsn: str, pool: Database) -> None:
    """Through an application of this loop, since the other one lives in its thread."""
    settings = Settings(database_url=dsn)
    other = create_app(settings)
    async with other.router.lifespan_context(other):
        operator = await Service(other, settings).as_("operator")
        await load(operator, organization("agency"), practitioner("grace"), practitioner_role())
        for person in ("ada", "bea"):
            await load(operator, *plan("PractitionerRole/grace-key-worker", person=person))
    for username in ("ada", "grace"):
        await create_account(pool, username, PASSWORD, *PEOPLE[username])


@pytest.fixture
def chromium() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--lang=en"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
    yield driver
    driver.quit()


def text(driver: webdriver.Chrome, id_: str) -> str:
    """The text of an element, once it has one; a page on its way out is asked again."""
    going = (NoSuchElementException, StaleElementReferenceException)
    found: str = WebDriverWait(driver, PATIENCE, ignored_exceptions=going).until(
        lambda page: page.find_element(By.ID, id_).text
    )
    return found


def shows(driver: webdriver.Chrome, id_: str, words: str) -> bool:
    """Whether an element says this; the page before it may still be on its way out."""
    found: bool = WebDriverWait(driver, PATIENCE).until(lambda page: words in text(page, id_))
    return found


def click(driver: webdriver.Chrome, selector: str) -> None:
    WebDriverWait(driver, PATIENCE).until(
        lambda page: page.find_elements(By.CSS_SELECTOR, selector)
    )
    driver.find_element(By.CSS_SELECTOR, selector).click()


def sign_in(driver: webdriver.Chrome, username: str) -> None:
    WebDriverWait(driver, PATIENCE).until(lambda page: page.find_elements(By.ID, "username"))
    driver.find_element(By.ID, "username").send_keys(username)
    driver.find_element(By.ID, "password").send_keys(PASSWORD)
    click(driver, "button[type=submit]")


def violations(driver: webdriver.Chrome) -> list[str]:
    """What axe-core finds wrong with the page that is open."""
    driver.execute_script(fetched("axe.min.js").read_text("utf-8"))
    found = driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run().then((result) => done(result.violations.map((each) => each.id)));"
    )
    return list(found)


async def test_an_app_is_launched_reads_refreshes_and_is_disconnected(
    site: Site, chromium: webdriver.Chrome
) -> None:
    def drive() -> None:
        chromium.get(site.launch())
        sign_in(chromium, "ada")
        click(chromium, "button[value=allow]")
        assert text(chromium, "patient") == "Patient/ada"
        assert text(chromium, "user") == "Patient/ada"
        assert text(chromium, "goals") == "ada-goal-1 ada-goal-2"
        click(chromium, "#refresh")
        assert text(chromium, "refreshed") == "true"
        click(chromium, "#read")
        assert text(chromium, "error") == "none"
        chromium.switch_to.new_window("tab")
        chromium.get(f"{site.issuer}/auth/apps")
        click(chromium, "button[name=approval]")
        assert shows(chromium, "content", "was disconnected")
        click(chromium, "form[action$='/logout'] button")
        assert shows(chromium, "content", "signed out")
        chromium.get(f"{site.issuer}/auth/apps")
        assert chromium.find_elements(By.ID, "password")
        chromium.switch_to.window(chromium.window_handles[0])
        click(chromium, "#read")
        assert shows(chromium, "error", "failed")

    await asyncio.to_thread(drive)


async def test_a_person_refuses_and_the_app_is_told(site: Site, chromium: webdriver.Chrome) -> None:
    def drive() -> None:
        chromium.get(site.launch())
        sign_in(chromium, "ada")
        click(chromium, "button[value=deny]")
        assert "refused" in text(chromium, "error")

    await asyncio.to_thread(drive)


async def test_axe_finds_nothing_wrong_with_any_page(
    site: Site, chromium: webdriver.Chrome
) -> None:
    def drive() -> dict[str, list[str]]:
        found = {}
        chromium.get(site.launch())
        WebDriverWait(chromium, PATIENCE).until(lambda page: page.find_elements(By.ID, "username"))
        found["login"] = violations(chromium)
        sign_in(chromium, "grace")
        WebDriverWait(chromium, PATIENCE).until(lambda page: page.find_elements(By.ID, "person-1"))
        found["patient"] = violations(chromium)
        click(chromium, "#person-2")
        click(chromium, "form[action$='/patient'] button")
        WebDriverWait(chromium, PATIENCE).until(lambda page: page.find_elements(By.ID, "scope-0"))
        found["approve"] = violations(chromium)
        click(chromium, "button[value=allow]")
        assert text(chromium, "patient") == "Patient/bea"
        chromium.get(f"{site.issuer}/auth/apps")
        found["apps"] = violations(chromium)
        chromium.get(f"{site.issuer}/auth/authorize")
        found["error"] = violations(chromium)
        return found

    found = await asyncio.to_thread(drive)
    assert {page for page, wrong in found.items() if wrong} == set(), found
    assert len(found) == 5


async def test_no_other_site_can_frame_the_page_that_asks(
    site: Site, chromium: webdriver.Chrome
) -> None:
    def drive() -> str:
        chromium.get(f"{site.app}/index.html")
        chromium.execute_script(
            "const frame = document.createElement('iframe');"
            "frame.src = arguments[0]; frame.id = 'framed'; document.body.append(frame);",
            f"{site.issuer}/auth/login",
        )
        time.sleep(1)
        chromium.switch_to.frame("framed")
        return str(chromium.page_source)

    assert "password" not in await asyncio.to_thread(drive)
