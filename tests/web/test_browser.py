"""The web view in a real browser, by keyboard, judged by axe-core on every page.

Skipped only where no Chromium is installed: apt-get install chromium chromium-driver.
"""

import asyncio
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from app.isp.codes import ISP
from app.main import create_app
from app.routers.web.screen import words
from app.settings import Settings
from tests.build import concept, plan, reference
from tests.http.conftest import Service, load
from tests.smart.test_browser import (
    CHROMIUM,
    DRIVER,
    PATIENCE,
    Site,
    chromium,
    click,
    sign_in,
    site,
    violations,
)
from tests.web.conftest import GOAL, PLAN

Json = dict[str, Any]

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium with chromedriver is installed"
)


def follow(driver: webdriver.Chrome, path: str) -> None:
    """Go to a link of the page with the keyboard, and check where it leads."""
    link = WebDriverWait(driver, PATIENCE).until(
        lambda page: page.find_element(By.CSS_SELECTOR, f"main a[href$='{path}']")
    )
    link.send_keys(Keys.ENTER)
    WebDriverWait(driver, PATIENCE).until(lambda page: page.current_url.endswith(path))
    assert violations(driver) == []


def done(driver: webdriver.Chrome) -> str:
    """What the page says was done."""
    found: str = WebDriverWait(driver, PATIENCE).until(
        lambda page: page.find_element(By.CSS_SELECTOR, ".done").text
    )
    assert violations(driver) == []
    return found


async def test_a_person_reads_records_answers_and_signs(
    site: Site, chromium: webdriver.Chrome
) -> None:
    def drive() -> None:
        chromium.get(f"{site.issuer}/app")
        sign_in(chromium, "ada")
        click(chromium, "button[value=allow]")
        follow(chromium, PLAN)
        follow(chromium, GOAL)
        chart = chromium.find_element(By.CSS_SELECTOR, "img")
        assert chromium.execute_script("return arguments[0].naturalWidth", chart) == 640
        Select(chromium.find_element(By.ID, "status")).select_by_value("improving")
        chromium.find_element(By.ID, "measure").send_keys("1", Keys.ENTER)
        assert done(chromium) == words("en")("web.done.progress")
        click(chromium, "button[value=agree]")
        WebDriverWait(chromium, PATIENCE).until(lambda page: "done=agree" in page.current_url)
        assert done(chromium) == words("en")("web.done.agree")
        follow(chromium, PLAN)
        chromium.find_element(By.ID, "sign-read").send_keys(Keys.SPACE)
        chromium.find_element(By.CSS_SELECTOR, "button[value=sign]").send_keys(Keys.ENTER)
        assert done(chromium) == words("en")("web.done.signed")
        for path in ("/reviews?by=2090-01-01", "/plans/bea-plan", PLAN + "/document"):
            chromium.get(f"{site.issuer}/app{path}")
            if "document" not in path:
                assert violations(chromium) == []
        said = [entry["message"] for entry in chromium.get_log("browser")]
        assert [one for one in said if "404" not in one and "favicon" not in one] == []

    await asyncio.to_thread(drive)


async def test_axe_finds_nothing_wrong_in_spanish_either(
    site: Site, chromium: webdriver.Chrome
) -> None:
    def check(found: dict[str, list[str]]) -> None:
        assert chromium.find_element(By.TAG_NAME, "html").get_attribute("lang") == "es"
        found[chromium.current_url.removeprefix(site.issuer)] = violations(chromium)

    def drive() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        spanish = {"headers": {"Accept-Language": "es"}}
        chromium.execute_cdp_cmd("Network.enable", {})
        chromium.execute_cdp_cmd("Network.setExtraHTTPHeaders", spanish)
        for name in ("login", "forgot", "authorize"):
            chromium.get(f"{site.issuer}/auth/{name}")
            check(found)
        chromium.get(f"{site.issuer}/app")
        sign_in(chromium, "ada")
        [shown, *_] = WebDriverWait(chromium, PATIENCE).until(
            lambda page: page.find_elements(
                By.CSS_SELECTOR, f"button[value=allow], main a[href$='{PLAN}']"
            )
        )
        check(found)
        if shown.tag_name == "button":
            click(chromium, "button[value=allow]")
        WebDriverWait(chromium, PATIENCE).until(lambda page: page.current_url.endswith("/app"))
        for path in (PLAN, GOAL, "/reviews", "/plans/none", "/../auth/account", "/../auth/apps"):
            chromium.get(f"{site.issuer}/app{path}")
            check(found)
        return found

    found = await asyncio.to_thread(drive)
    assert {page: wrong for page, wrong in found.items() if wrong} == {}
    assert len(found) == 10


async def put(site: Site, *resources: Json) -> None:
    """Through an application of this loop, since the other one lives in its thread."""
    settings = Settings(database_url=site.service.settings.database_url)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        await load(await Service(app, settings).as_("operator"), *resources)


async def test_the_forms_of_a_draft_are_for_everybody_too(
    site: Site, chromium: webdriver.Chrome
) -> None:
    draft = next(one for one in plan("PractitionerRole/grace-key-worker") if is_plan(one))
    await put(site, draft | {"status": "draft"})

    def see(username: str, form: str) -> None:
        chromium.delete_all_cookies()
        chromium.get(f"{site.issuer}/app")
        sign_in(chromium, username)
        [shown, *_] = WebDriverWait(chromium, PATIENCE).until(
            lambda page: page.find_elements(
                By.CSS_SELECTOR, f"button[value=allow], main a[href$='{PLAN}']"
            )
        )
        if shown.tag_name == "button":
            click(chromium, "button[value=allow]")
        follow(chromium, PLAN)
        assert chromium.find_elements(By.ID, form)

    await asyncio.to_thread(see, "grace", "propose")
    proof: Json = {"resourceType": "Provenance", "id": "put", "recorded": "2026-01-05T09:00:00Z"}
    proof |= {"target": [reference("CarePlan/ada-plan/_history/2")]}
    proof |= {"activity": concept(ISP, "propose"), "agent": [{"who": reference("Patient/ada")}]}
    await put(site, proof)
    await asyncio.to_thread(see, "grace", "withdraw")


def is_plan(one: Json) -> bool:
    return one["resourceType"] == "CarePlan"


__all__ = ["chromium", "site"]
