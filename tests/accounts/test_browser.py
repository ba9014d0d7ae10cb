"""The pages of accounts in a real browser: a passkey is made and used, and axe looks at each page.

Skipped only where no Chromium is installed: apt-get install chromium chromium-driver.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions
from selenium.webdriver.support.wait import WebDriverWait

from app.auth.account_state import set_email
from app.auth.accounts import create_account
from app.settings import Settings
from app.storage.database import Database
from tests.accounts.conftest import PASSWORD, PEOPLE
from tests.conftest import CLEAN, free_port
from tests.smart.test_browser import (
    CHROMIUM,
    DRIVER,
    PATIENCE,
    chromium,
    click,
    running,
    sign_in,
    violations,
)

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium with chromedriver is installed"
)
__all__ = ["chromium"]
REGISTRATION = (
    "INSERT INTO client_registration (client_id, token_hash, metadata) VALUES ('waiting', 'x',"
    """ '{"client_name": "Walk Along", "scope": "patient/*.rs", "grant_types": [],"""
    """ "token_endpoint_auth_method": "none", "redirect_uris": ["https://app.example/"]}')"""
)


@pytest.fixture(scope="module")
async def site(
    dsn: str, pool: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Settings]:
    """The service under a name, since passkeys belong to names."""
    await pool.execute(CLEAN)
    port, data_dir = free_port(), tmp_path_factory.mktemp("data")
    settings = Settings(
        database_url=dsn, port=port, base_url=f"http://localhost:{port}/fhir", data_dir=data_dir
    )
    with running(settings):
        for username, (fhir_user, role) in PEOPLE.items():
            made = await create_account(pool, username, PASSWORD, fhir_user, role)
            await set_email(pool, made.subject, f"{username}@mail.example")
        await pool.execute(REGISTRATION)
        yield settings


@pytest.fixture
def device(chromium: webdriver.Chrome) -> webdriver.Chrome:
    """A browser on a device that knows its owner."""
    options = VirtualAuthenticatorOptions()
    options.protocol = VirtualAuthenticatorOptions.Protocol.CTAP2
    options.transport = VirtualAuthenticatorOptions.Transport.INTERNAL
    options.has_resident_key = options.has_user_verification = True
    options.is_user_verified = options.is_user_consenting = True
    chromium.add_virtual_authenticator(options)
    return chromium


def visit(driver: webdriver.Chrome, site: Settings, name: str) -> None:
    driver.get(f"{site.issuer}/auth/{name}")


def sign_out(driver: webdriver.Chrome, site: Settings) -> None:
    visit(driver, site, "account")
    click(driver, "form[action$='/logout'] button")
    says(driver, "You are signed out")


def says(driver: webdriver.Chrome, words: str) -> None:
    """Wait for a page with these words: the one before may still be on its way out."""
    WebDriverWait(driver, PATIENCE).until(lambda page: words in page.page_source)


def arrives(driver: webdriver.Chrome, path: str) -> None:
    WebDriverWait(driver, PATIENCE).until(lambda page: path in page.current_url)


async def test_somebody_makes_a_passkey_and_signs_in_with_it(
    site: Settings, device: webdriver.Chrome
) -> None:
    def drive() -> None:
        visit(device, site, "login")
        sign_in(device, "ada")
        arrives(device, "/apps")
        visit(device, site, "account/passkey")
        device.find_element(By.ID, "name").send_keys("My phone")
        click(device, "#use")
        says(device, "My phone, made")
        assert "The passkey was added." in device.page_source
        sign_out(device, site)
        visit(device, site, "login")
        device.find_element(By.LINK_TEXT, "Sign in with a passkey").click()
        click(device, "#use")
        arrives(device, "/apps")
        visit(device, site, "account")
        says(device, "Last used on")
        click(device, "button[name=passkey]")
        says(device, "It was removed.")
        sign_out(device, site)
        visit(device, site, "passkey")
        click(device, "#use")
        says(device, "not good here")

    await asyncio.to_thread(drive)


async def test_who_needs_a_second_factor_may_choose_a_passkey(
    site: Settings, pool: Database, device: webdriver.Chrome
) -> None:
    await create_account(pool, "oscar", PASSWORD, "Practitioner/oscar", "operator")

    def drive() -> None:
        visit(device, site, "login")
        sign_in(device, "oscar")
        arrives(device, "/second-factor")
        device.find_element(By.LINK_TEXT, "Add a passkey instead").click()
        WebDriverWait(device, PATIENCE).until(lambda page: page.find_elements(By.ID, "use"))
        assert violations(device) == []
        click(device, "#use")
        arrives(device, "/apps")
        visit(device, site, "users")
        says(device, "Invite somebody")
        sign_out(device, site)
        visit(device, site, "login")
        sign_in(device, "oscar")
        arrives(device, "/second-factor")
        visit(device, site, "second-factor/passkey")
        arrives(device, "/login")
        visit(device, site, "second-factor")
        device.find_element(By.LINK_TEXT, "Sign in with a passkey").click()
        click(device, "#use")
        arrives(device, "/apps")

    await asyncio.to_thread(drive)


async def test_without_a_passkey_the_page_says_so(site: Settings, device: webdriver.Chrome) -> None:
    def drive() -> None:
        visit(device, site, "passkey")
        click(device, "#use")
        WebDriverWait(device, PATIENCE).until(
            lambda page: page.find_element(By.ID, "unusable").is_displayed()
        )

    await asyncio.to_thread(drive)


def mailed(folder: Path) -> str:
    mails = "".join(file.read_text() for file in folder.glob("*.eml"))
    [url] = re.findall(r"http://\S+/auth/link/\S+", mails)
    return str(url)


def forgotten(driver: webdriver.Chrome, site: Settings) -> dict[str, list[str]]:
    found = {}
    visit(driver, site, "forgot")
    found["forgot"] = violations(driver)
    driver.find_element(By.ID, "username").send_keys("gus")
    click(driver, "button[type=submit]")
    says(driver, "on its way")
    found["sent"] = violations(driver)
    WebDriverWait(driver, PATIENCE, ignored_exceptions=(ValueError,)).until(
        lambda page: page.get(mailed(site.data_dir / "outbox")) or True
    )
    arrives(driver, "/password")
    found["password"] = violations(driver)
    for name in ("password", "again"):
        driver.find_element(By.ID, name).send_keys(PASSWORD)
    click(driver, "button[type=submit]")
    says(driver, "sign in now as gus")
    found["welcome"] = violations(driver)
    return found


def set_up(driver: webdriver.Chrome, site: Settings) -> dict[str, list[str]]:
    found = {}
    visit(driver, site, "login")
    found["login"] = violations(driver)
    sign_in(driver, "olga")
    arrives(driver, "/second-factor")
    found["set-up"] = violations(driver)
    secret = driver.find_element(By.CSS_SELECTOR, "code").text
    driver.find_element(By.ID, "code").send_keys(pyotp.TOTP(secret).now())
    click(driver, "button[type=submit]")
    WebDriverWait(driver, PATIENCE).until(lambda page: "recovery codes" in page.title)
    found["recovery"] = violations(driver)
    return found


async def test_axe_finds_nothing_wrong_with_any_page(
    site: Settings, device: webdriver.Chrome
) -> None:
    def drive() -> dict[str, list[str]]:
        found = forgotten(device, site) | set_up(device, site)
        for name in ("account", "users", "registrations", "account/passkey", "passkey"):
            visit(device, site, name)
            found[name] = violations(device)
        sign_out(device, site)
        visit(device, site, "login")
        sign_in(device, "olga")
        arrives(device, "/second-factor")
        found["code"] = violations(device)
        visit(device, site, "login")
        sign_in(device, "ada")
        arrives(device, "/apps")
        visit(device, site, "account/codes")
        found["codes"] = violations(device)
        return found

    found = await asyncio.to_thread(drive)
    assert {page for page, wrong in found.items() if wrong} == set(), found
    assert len(found) == 14
