"""A headless Chromium for the tests of the page; they are skipped where none can be had."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1300,900", "--disable-background-networking")


@contextmanager
def chromium() -> Iterator[Any]:
    """A driver. Skips the test when Selenium, the browser or its driver is missing; fails when they are there and do not start."""
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no Chromium with its chromedriver here")
    options = Options()
    options.binary_location = browser
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    page = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield page
    finally:
        page.quit()


class Page:
    """A page in the browser: keys, what is seen, what was said on the console and asked of the network."""

    def __init__(self, driver: Any, path: Path) -> None:
        self.driver = driver
        self.url = path.as_uri()

    def open(self, hash: str = "", width: int = 1300, height: int = 900, dark: bool = False, still: bool = True) -> None:
        """Load the page anew, with a hash, a size of window, and what the person prefers."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        features += [{"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(self.url + (f"#{hash}" if hash else ""))

    def js(self, expression: str, *arguments: object) -> Any:
        """The value of an expression in the page."""
        return self.driver.execute_script(f"return {expression}", *arguments)

    def key(self, *keys: str) -> None:
        """Press keys as a person does."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def type(self, text: str) -> None:
        """Type into the field that has the focus, and wait until the page has taken it: it paints letters first."""
        self.key(*text)
        self.js("new Promise(done => requestAnimationFrame(() => setTimeout(() => setTimeout(done))))")

    def click(self, selector: str) -> None:
        """Click what a selector finds."""
        from selenium.webdriver.common.by import By

        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def seen(self, selector: str) -> list[str]:
        """Texts of what a selector finds and can be seen."""
        script = "[...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility()).map(e => e.innerText ?? e.textContent)"
        return list(self.js(script, selector))

    def finding(self) -> str:
        """The id of the only finding that is seen."""
        [name] = self.js("[...document.querySelectorAll('.finding')].filter(e => e.checkVisibility()).map(e => e.id)")
        return str(name)

    def tab(self) -> str:
        """The tab that is on; its panel must be the only one that is seen."""
        [name] = self.js("[...document.querySelectorAll('.panel')].filter(e => e.checkVisibility()).map(e => e.dataset.tab)")
        [on] = self.js("[...document.querySelectorAll('[role=tab][aria-selected=true]')].map(e => e.dataset.tab)")
        assert name == on
        return str(name)

    def hash(self) -> str:
        """The state in the address."""
        return str(self.js("location.hash"))

    def complaints(self) -> list[str]:
        """What the console said since the page was opened."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses that were asked for since the page was opened, the page's own left out."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if url.partition("#")[0] != self.url and url != "about:blank"]


def axe() -> str:
    """The source of axe-core: the file that AXE_CORE names, what npm brought, or that of the package axe-core-python. Skips without."""
    brought = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
    named = os.environ.get("AXE_CORE") or (brought if brought.is_file() else None)
    if named:
        return Path(named).read_text()
    package = pytest.importorskip("axe_core_python")
    return (Path(package.__file__).parent / "axe.min.js").read_text()
