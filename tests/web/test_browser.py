"""The web view in a real browser, by keyboard, judged by axe-core on every page.

Skipped only where no Chromium is installed: apt-get install chromium chromium-driver.
"""

import asyncio

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from app.routers.web.screen import words
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


__all__ = ["chromium", "site"]
