"""Evidently's page in a real browser: it draws every column, says what the gate says, and runs no foreign script."""

import json
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.support.ui import WebDriverWait

from tests import decisions
from tests.browsers import browser
from tidegate.components.gate.evidently_page import write_evidently
from tidegate.components.gate.evidently_workspace import dumped
from tidegate.components.gate.plain_names import plain, plain_names
from tidegate.components.gate.snapshot import snapshot
from tidegate.documents.decision import Decision

__all__ = ["browser"]
breakout = "</script><script>document.title='owned'</script>"
attribute = '"><img src=x onerror="document.title=\'owned\'">'
link = "<b>bold</b><a href='https://example.org'>x</a>"
hostile = (breakout, attribute, link)
numbers = (breakout, attribute)


@pytest.fixture(scope="module")
def decision() -> Decision:
    return decisions.decision("retrain", decisions.compared())


@pytest.fixture(scope="module")
def page(decision: Decision, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page whose columns and categories are hostile."""
    reference, batch = decisions.frames(names=numbers)
    for frame in (reference, batch):
        frame["origin"] = frame[link] = frame["origin"].replace(dict(zip(["EWR", "JFK", "LGA"], hostile, strict=True)))
    kinds = {**decisions.kinds, **dict.fromkeys(numbers, "number"), link: "category"}
    path = tmp_path_factory.mktemp("evidently") / "evidently.html"
    write_evidently(path, breakout, decision, dumped(snapshot(reference, batch, kinds), decision))
    return path


@pytest.fixture
def opened(browser: Chrome, page: Path) -> Chrome:
    """The page with the details of every column."""
    browser.get_log("browser")  # type: ignore[no-untyped-call]
    browser.get_log("performance")  # type: ignore[no-untyped-call]
    browser.get(page.as_uri())
    WebDriverWait(browser, 20).until(lambda _: browser.execute_script(buttons) == 10)
    browser.execute_script("document.querySelectorAll('tbody button').forEach(button => button.click())")
    WebDriverWait(browser, 20).until(lambda _: browser.execute_script(drawn) == 10)
    return browser


buttons = "return document.querySelectorAll('tbody button').length"
drawn = "return document.querySelectorAll('.js-plotly-plot .main-svg:first-child').length"


def _log(browser: Chrome, kind: str) -> list[dict[str, Any]]:
    return list(browser.get_log(kind))  # type: ignore[no-untyped-call]


def test_no_script_of_the_data_runs_and_none_of_ours_is_refused(opened: Chrome, page: Path) -> None:
    assert opened.title == f"{breakout}: Evidently"
    made = "return ['script', 'img', 'a[href*=example]'].map(kind => document.querySelectorAll(kind).length)"
    assert opened.execute_script(made) == [4, 0, 0]
    assert _log(opened, "browser") == []
    events = [json.loads(entry["message"])["message"] for entry in _log(opened, "performance")]
    asked = {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}
    assert {url for url in asked if not url.startswith(("data:", "blob:"))} == {page.as_uri()}


def test_hostile_names_can_be_read(opened: Chrome) -> None:
    text = opened.execute_script("return document.body.textContent")
    assert all(plain(name) in text for name in hostile)


def test_what_the_policy_does_not_know_does_not_run(browser: Chrome, page: Path, tmp_path: Path) -> None:
    changed = page.read_text().replace("<main>", "<main><script>document.title = 'owned'</script>")
    assert "'unsafe" not in changed.partition("script-src")[2].partition('"')[0]
    (tmp_path / "page.html").write_text(changed.replace("<main>", "<main onclick='document.title = `owned`'>"))
    browser.get((tmp_path / "page.html").as_uri())
    browser.execute_script("document.querySelector('main').click()")
    assert browser.title == f"{breakout}: Evidently"
    refused = [entry for entry in _log(browser, "browser") if "Content Security Policy" in entry["message"]]
    assert len(refused) == 2


def test_its_verdict_is_that_of_the_gate(opened: Chrome, decision: Decision) -> None:
    text = opened.execute_script("return document.body.innerText")
    assert text.count("The gate is open: retrain") == 2 and plain(decision.reasons[0]) in text
    assert "Dataset Drift" not in text
    link = opened.execute_script("return document.querySelector('main a').getAttribute('href')")
    assert link == "gate.html"


def test_names_that_look_alike_stay_apart() -> None:
    names = ["<a>", "‹a›", "‹a›  (2)", "b"]
    assert plain_names(names) == {"<a>": "‹a› (2)", "‹a›": "‹a›", "‹a›  (2)": "‹a›  (2)", "b": "b"}
    assert len(set(plain_names(["<a>", "‹a›", "‹a› (2)", "<a›"]).values())) == 4
