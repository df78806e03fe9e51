"""A real browser, and axe-core, which looks at a page as somebody does who cannot see it, or not well."""

import shutil
from collections.abc import Iterator
from importlib.resources import files

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tests.tiers import lacking, needs

axe = files("selenium_axe_python").joinpath("axe-core/axe.min.js").read_text()
run_axe = """
const done = arguments[0];
axe.run().then(found => done(found.violations
  .filter(it => ['serious', 'critical'].includes(it.impact))
  .map(it => [it.id, it.nodes.map(node => node.html).slice(0, 3)])));
"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Chrome]:
    """A headless Chromium; where there is none, a reason to skip, and in CI a failure."""
    needs("browser")
    names = ("chromium", "chromium-browser", "google-chrome")
    program, driver = next(filter(None, map(shutil.which, names)), None), shutil.which("chromedriver")
    if not program or not driver:
        lacking("no Chromium with chromedriver on PATH (apt-get install chromium-driver)")
    options = ChromeOptions()
    options.binary_location = program
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = Chrome(options, Service(driver))
    yield opened
    opened.quit()
