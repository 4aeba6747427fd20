"""Chromium without a window, driven for the tests of the explorer."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

AXE = Path(__file__).parent / "vendor/axe.min.js"
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
)
PATIENCE = 30.0  # seconds that a page on a busy machine is given


def started(downloads: Path) -> webdriver.Chrome:
    """A browser that logs every request and puts downloads into a folder."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
    return driver


@dataclass(frozen=True, eq=False)
class Explorer:
    """A page of the explorer in the browser."""

    driver: webdriver.Chrome
    page: Path
    downloads: Path

    def open(self, wide: int = 1600, dark: bool = False, **state: str | list[str]) -> None:
        """Open the page anew at a state."""
        media = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        size = {"width": wide, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
        self.driver.get("about:blank")
        self.driver.get(f"{self.page.as_uri()}#{urlencode(state, doseq=True)}")
        self.ready()

    def ready(self) -> None:
        """Wait until the tables are read."""
        self.until(lambda: self.script("return document.body.dataset.ready"))

    def until(self, holds: Callable[[], Any]) -> Any:
        """Wait until something holds."""
        end = time.monotonic() + PATIENCE
        while not (found := holds()):
            assert time.monotonic() < end, "the page did not come that far"
            time.sleep(0.05)
        return found

    def script(self, code: str) -> Any:
        """What a script in the page returns."""
        return self.driver.execute_script(code)

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def press(self, *keys: str) -> None:
        """Press keys one after the other, wherever the focus is."""
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    @property
    def focused(self) -> str:
        """The id of what has the focus."""
        return str(self.script("return document.activeElement.id"))

    @property
    def fragment(self) -> str:
        return str(self.script("return location.hash"))

    def cells(self, table: str) -> list[list[str]]:
        """The texts of the body of a table."""
        rows = f"[...document.querySelectorAll('#{table} tbody tr')]"
        return list(self.script(f"return {rows}.map((row) => [...row.cells].map((cell) => cell.textContent))"))

    def requests(self) -> list[str]:
        """Addresses asked for since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        """What stands in the console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def violations(self) -> list[str]:
        """Faults of accessibility that axe-core finds."""
        self.driver.execute_script(AXE.read_text(encoding="utf-8"))
        code = "axe.run().then(arguments[arguments.length - 1])"
        found: Mapping[str, Any] = self.driver.execute_async_script(code)
        return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"][:3]]

    def downloaded(self, button: str) -> str:
        """The text of the file that a button downloads."""
        before = set(self.downloads.iterdir())
        self.find(button).click()

        def fresh() -> list[Path]:
            new = set(self.downloads.iterdir()) - before
            return [path for path in new if path.suffix in (".csv", ".svg") and path.stat().st_size]

        return str(self.until(fresh)[0].read_text(encoding="utf-8"))
