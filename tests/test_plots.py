"""`dvc plots show` in a real browser: drawn without a network, never empty, and without running what the data says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.support.ui import WebDriverWait

from tests import decisions
from tests.browsers import browser
from tests.workspaces import PROBLEM, Workspace
from tidegate.commands import step
from tidegate.commands.draft import PLOTS
from tidegate.components.gate.decision import against_limits, numbers
from tidegate.documents.decision import Decision
from tidegate.documents.formats import write_json
from tidegate.pages.page import policy

__all__ = ["browser"]
root = Path(__file__).parents[1]
hostile = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
drawn = "return document.querySelectorAll('.vega-embed .marks').length"
titles = "return [...document.querySelectorAll('.vega-embed')].map(item => item.parentElement.id || item.id)"


def _written(workspace: Workspace, decision: Decision, reason: str | None) -> None:
    """What the steps leave of a batch that `dvc plots` reads; with a reason, train and evaluate were skipped."""
    points = against_limits(decision)
    write_json(workspace / "artifacts/gate/signals.json", {**numbers(decision), "against_limits": points})
    record, metrics = workspace / "artifacts/train/record.json", workspace / "artifacts/evaluate/metrics.json"
    if reason is not None:
        step.skip(record, "Output", reason)
        step.skip(metrics, "Output", reason)
        return
    curve = [{"rows": rows, "train_loss": 0.4, "held_out_loss": 0.5} for rows in (100, 200)]
    write_json(record, {"schema": 1, "learning_curve": curve})
    models = [{"model": name, "loss": 0.5} for name in ("challenger", "dummy")]
    write_json(metrics, {"accepted": 1, "challenger": {"log_loss": 0.5}, "models": models})


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """The problem of the repository, with a DVC of its own."""
    made = Workspace(tmp_path)
    made.run("dvc", "init", "--no-scm", "--quiet")
    for name in (name for name in PROBLEM if name != ".dvc/.gitignore"):
        (tmp_path / name).write_text((root / name).read_text())
    config = (root / ".dvc/config").read_text()
    (tmp_path / ".dvc/config").write_text(config.replace("[core]\n", "[core]\n    no_scm = true\n"))
    return made


def shown(workspace: Workspace, browser: Chrome, plots: int) -> list[str]:
    """The plots of the page, once so many are drawn; what DVC and the browser complain of fails."""
    done = workspace.run("dvc", "plots", "show")
    assert "WARNING" not in done.stdout + done.stderr
    page = workspace / "dvc_plots/index.html"
    for kind in ("browser", "performance"):
        _log(browser, kind)
    browser.get(page.as_uri())
    WebDriverWait(browser, 20).until(lambda _: browser.execute_script(drawn) == plots)
    assert [entry for entry in _log(browser, "browser") if entry["level"] == "SEVERE"] == []
    events = [json.loads(entry["message"])["message"] for entry in _log(browser, "performance")]
    asked = {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}
    assert {url for url in asked if not url.startswith(("data:", "blob:"))} == {page.as_uri()}
    assert browser.title == "Plots of DVC"
    found: list[str] = browser.execute_script(titles)
    return found


def _log(browser: Chrome, kind: str) -> list[dict[str, Any]]:
    return list(browser.get_log(kind))  # type: ignore[no-untyped-call]


def test_a_kept_batch_shows_the_signals_of_the_gate(workspace: Workspace, browser: Chrome) -> None:
    _written(workspace, decisions.decision("keep", decisions.compared("shut", "shut", "shut")), "the gate is shut")
    assert shown(workspace, browser, 1) == ["signals_against_their_limits"]


def test_a_first_batch_shows_what_was_trained(workspace: Workspace, browser: Chrome) -> None:
    champion = decisions.signal("champion", "champion", "opens", reason="there is no champion yet")
    _written(workspace, decisions.decision("retrain", [champion]), None)
    assert shown(workspace, browser, 2) == ["learning_curve", "models_on_the_same_rows"]


def test_a_retrained_batch_shows_all(workspace: Workspace, browser: Chrome) -> None:
    _written(workspace, decisions.decision("retrain", decisions.compared()), None)
    assert len(shown(workspace, browser, 3)) == 3
    told = json.loads(workspace.run("dvc", "metrics", "show", "--json").stdout)[""]["data"]
    assert set(told["artifacts/evaluate/metrics.json"]["data"]) == {"accepted", "challenger"}


def test_hostile_names_are_shown_and_not_run(workspace: Workspace, browser: Chrome) -> None:
    _written(workspace, decisions.decision("keep", [decisions.feature(hostile, 0.1, 0.2)]), "shut")
    shown(workspace, browser, 1)
    assert "\\u2039/script\\u203a" in (workspace / "dvc_plots/index.html").read_text()
    # A plot of the user's own, whose text ends DVC's script: it is not drawn, and nothing of it runs.
    (workspace / "own.json").write_text(json.dumps([{"x": hostile, "y": 1}]))
    dvc = workspace / "dvc.yaml"
    dvc.write_text(f"{dvc.read_text()}  - own.json:\n      x: x\n      y: y\n")
    workspace.run("dvc", "plots", "show")
    browser.get((workspace / "dvc_plots/index.html").as_uri())
    WebDriverWait(browser, 20).until(lambda _: browser.execute_script(drawn) == 1)
    assert browser.title == "Plots of DVC"
    _log(browser, "browser")


def test_the_policy_allows_the_scripts_of_the_page_and_no_others() -> None:
    text = PLOTS.read_text()
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    allowed = policy(scripts).partition("; script-src ")[2]
    assert len(scripts) == 5 and f'; script-src {allowed}"' in text
    assert not re.search(r"<script[^>]+src|<link[^>]+https?:|@import", text)


@pytest.mark.parametrize("folder", [".dvc", "examples/wind/.dvc", "examples/temperature/.dvc"])
def test_every_problem_has_the_page(folder: str) -> None:
    assert (root / folder / "plots.html").read_text() == PLOTS.read_text()
    assert "html_template = plots.html" in (root / folder / "config").read_text()
