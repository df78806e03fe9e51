"""docs/review.md: its commands do what they say, in a workspace of two batches; both UIs and the page in a browser."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.support.ui import WebDriverWait

from tests.browsers import axe, browser, run_axe
from tests.durations import HANGING
from tests.workspaces import Workspace

__all__ = ["browser"]
root = Path(__file__).parents[1]
page = (root / "docs/review.md").read_text()
commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
servers = ("tidegate review --evidently", "tidegate review --mlflow")
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(scope="module")
def workspace(new_workspace: Callable[[Path], Workspace], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two batches were decided: the first made the champion, the second was compared with it and trained nothing."""
    workspace = new_workspace(tmp_path_factory.mktemp("review"))
    workspace.environment |= {"TIDEGATE_USER": "ann"}
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        workspace.environment.pop(name, None)
    workspace.tidegate("run")
    params = workspace / "params.yaml"
    params.write_text(params.read_text().replace("mode: auto", "mode: never"))
    workspace.tidegate("run", "--until", "2013-04-01")
    return workspace


@pytest.fixture(scope="module")
def told(workspace: Workspace) -> dict[str, str]:
    """What each command of the page printed, but for those that run until they are ended."""
    asked = [command for command in commands if command not in servers]
    return {command: workspace.run(*shlex.split(command)).stdout for command in asked}


def rows(workspace: Workspace) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(workspace.tidegate("review", "--no-open", "--json").stdout)
    return found


def test_the_page_names_every_command(told: dict[str, str]) -> None:
    assert set(servers) < set(commands) and len(told) == len(commands) - 2


def test_the_index_has_every_batch_with_its_reports(workspace: Workspace, told: dict[str, str]) -> None:
    assert told["tidegate review"] == "artifacts/review/index.html\n"
    second, first = json.loads(told["tidegate review --no-open --json"])
    assert (first["until"], second["until"], first["run"]) == ("2013-03-01", "2013-04-01", None)
    assert "no champion" in first["reasons"] and first["champion"] == "1"
    for row in (first, second):
        assert "<h1" in (workspace / f"artifacts/review/{row['gate']}").read_text()
        assert (workspace / f"artifacts/review/{row['evidently']}").stat().st_size > 50
    assert (workspace / f"artifacts/review/{second['evidently']}").stat().st_size > 1_000_000


def test_reports_are_fetched_once(workspace: Workspace, told: dict[str, str]) -> None:
    page = workspace / f"artifacts/review/{rows(workspace)[0]['gate']}"
    page.write_text("kept")
    assert rows(workspace)[0]["gate"] and page.read_text() == "kept"
    page.unlink()
    assert rows(workspace)[0]["gate"] and "<h1" in page.read_text()


def test_the_browser_is_opened_where_there_is_one(workspace: Workspace, told: dict[str, str], tmp_path: Path) -> None:
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    program.chmod(0o755)
    workspace.environment["BROWSER"] = f"{program} %s"
    workspace.tidegate("review", "--no-open")
    assert not (tmp_path / "opened").exists()
    workspace.run("tidegate", "review")
    del workspace.environment["BROWSER"]
    assert (tmp_path / "opened").read_text().strip() == (workspace / "artifacts/review/index.html").as_uri()


def test_judgements_are_kept_and_shown(workspace: Workspace, told: dict[str, str]) -> None:
    batch, ignored = json.loads(told["tidegate feedback --json"])
    assert (batch["kind"], batch["said"], batch["who"], batch["why"]) == (
        "batch",
        "wrong",
        "ann",
        "a storm, not the season",
    )
    assert (ignored["kind"], ignored["about"], ignored["until"]) == ("ignore", "temperature", "2013-09-01")
    assert "drift of temperature is ignored until 2013-09-01" in told["tidegate feedback"]
    again = workspace.tidegate("feedback", batch["about"][:6], "wrong", "--reason", "a storm, not the season").stdout
    assert again.endswith("was wrong, as was said before\n")
    assert [row["to"] for row in json.loads(workspace.tidegate("history", "--json").stdout)] == ["1"]
    assert rows(workspace)[0]["feedback"]["said"] == "wrong"
    workspace.tidegate("review", "--no-open")
    assert "ann says that was wrong: a storm" in (workspace / "artifacts/review/index.html").read_text()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["feedback", "77", "right", "--reason", "x"], "error: batch '77': expected one that was decided: "),
        (["feedback", "2013", "right"], "error: tidegate feedback: expected BATCH right|wrong --reason TEXT"),
        (["feedback", "--ignore", "temperature", "--reason", "x"], "error: tidegate feedback: expected BATCH right|"),
        (
            ["feedback", "--ignore", "temperatrue", "--until", "2013-09-01", "--reason", "x"],
            "did you mean temperature?",
        ),
        (["feedback", "--ignore", "temp", "--until", "2013-09-01", "--reason", "x"], "did you mean temperature?"),
        (
            ["feedback", "--ignore", "temperature", "--until", "soon", "--reason", "x"],
            "expected a date such as 2013-06-01",
        ),
        (["review", "--mlflow", "--port", "70000"], "error: --port 70000: expected a free port"),
    ],
)
def test_what_is_wrong_is_one_line(workspace: Workspace, told: dict[str, str], words: list[str], line: str) -> None:
    done = workspace.tidegate(*words, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and line in done.stderr


@contextmanager
def serving(workspace: Workspace, kind: str) -> Iterator[str]:
    """The address of a UI that was started as the page says; it is ended by SIGTERM, with all its processes."""
    port = free_port()
    command = [sys.executable, "-m", "tidegate", "review", f"--{kind}", "--port", str(port)]
    process = subprocess.Popen(
        command,
        cwd=workspace.folder,
        env=workspace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        line = process.stdout.readline()
        assert f"http://127.0.0.1:{port}" in line, process.stderr.read()
        busy = workspace.run("tidegate", "review", f"--{kind}", "--port", str(port), check=False)
        assert busy.returncode == 2 and busy.stderr.splitlines()[-1].startswith(
            f"error: --port {port}: expected a free"
        )
        yield line.split()[1]
    finally:
        os.kill(process.pid, signal.SIGTERM)
        out, err = process.communicate(timeout=HANGING)
    assert (process.returncode, err) == (0, "") and out.endswith("has ended\n")
    left = subprocess.run(["pgrep", "-f", f"--port {port}"], capture_output=True, text=True, check=False).stdout
    assert left == ""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(browser: Chrome, word: str) -> None:
    WebDriverWait(browser, 60).until(lambda it: word in it.execute_script("return document.body.innerText"))


def test_the_workspace_of_evidently_shows_drift_over_time(workspace: Workspace, browser: Chrome) -> None:
    with serving(workspace, "evidently") as address:
        browser.get(address)
        for word in ("Share of drifted columns", "Drift of predictions", "Drift of pressure", "2013-04-01"):
            wait_for(browser, word)
    assert len(list((workspace / "artifacts/review/evidently").glob("*/snapshots/*.json"))) == 1


def test_mlflow_shows_the_batches(workspace: Workspace, browser: Chrome) -> None:
    with serving(workspace, "mlflow") as address:
        browser.get(f"{address}#/experiments")
        wait_for(browser, "flights")


def test_the_index_opens_in_a_browser_and_leads_to_the_reports(workspace: Workspace, browser: Chrome) -> None:
    workspace.tidegate("review", "--no-open")
    browser.get((workspace / "artifacts/review/index.html").as_uri())
    browser.execute_script(axe)
    assert browser.execute_async_script(run_axe) == []
    links = browser.execute_script("return [...document.querySelectorAll('a')].map(item => item.href)")
    assert len(links) == 4
    for link in links:
        browser.get(link)
        assert browser.execute_script("return document.body.innerText.length") > 20
