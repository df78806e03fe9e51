"""Other people's problems through the whole loop: many classes, numbers, one small table; no Python in any."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.workspaces import Workspace

Tables = Mapping[str, pd.DataFrame]

TICKETS = """\
name: tickets
purpose: Which desk will solve a ticket?
task: multiclass
event: tickets
label: desk
weight: urgency
label_delay: 1d
horizon: 1h
block: 1d
slices: [channel]
tables:
  tickets:
    files: tickets.csv
    time: opened
    key: [opened, number]
    columns:
      opened: {type: timestamp}
      number: {type: integer}
      channel: {type: text, values: [mail, phone, chat]}
      words: {type: integer, unit: words, range: [0, 10000], nullable: true}
      subject: {type: text}
      urgency: {type: integer, range: [1, 3]}
      solved_by: {type: text, role: outcome, nullable: true}
"""
TICKETS_SQL = "SELECT opened, number, solved_by AS desk, channel, words, subject, urgency FROM tickets\n"
TICKETS_MODEL = """\
estimator: sklearn.ensemble.RandomForestClassifier
parameters: {n_estimators: 40, min_samples_leaf: 40, class_weight: {hardware: 1.1}, random_state: 0}
"""
HEAT = """\
name: heat
purpose: How much heat will a building need in the next hour?
task: regression
event: meters
label: heat
label_delay: 2h
horizon: 1h
block: 12h
slices: [building]
tables:
  meters:
    files: meters.csv
    missing: NA
    time: at
    key: [at, building]
    columns:
      at: {type: timestamp}
      building: {type: text, values: [school, pool, hall]}
      kwh: {type: number, role: outcome, unit: kWh, range: [0, 100000], nullable: true}
  outside:
    files: outside.csv
    missing: NA
    time: at
    key: [at]
    columns:
      at: {type: timestamp}
      celsius: {type: number, unit: °C, range: [-60, 60], nullable: true}
"""
HEAT_SQL = """\
SELECT meters.at, meters.building, meters.kwh AS heat, meters.building AS house, outside.celsius,
    hour(meters.at) AS hour
FROM meters ASOF LEFT JOIN outside ON meters.at - INTERVAL 1 HOUR >= outside.at
"""
HEAT_MODEL = """\
estimator: sklearn.ensemble.HistGradientBoostingRegressor
parameters: {max_iter: 60, min_samples_leaf: 10, random_state: 0}
"""
LOANS = """\
name: loans
purpose: Will a book come back in time?
task: binary
event: loans
label: punctual
label_delay: 1d
horizon: 1d
block: 1w
slices: []
tables:
  loans:
    files: loans.csv
    time: lent
    key: [lent]
    columns:
      lent: {type: timestamp}
      pages: {type: integer, range: [1, 5000]}
      late_days: {type: integer, role: outcome, range: [-99, 99]}
"""
LOANS_SQL = "SELECT lent, late_days <= 0 AS punctual, pages FROM loans\n"
LOANS_MODEL = """\
estimator: sklearn.linear_model.LogisticRegression
parameters: {C: 1.0}
"""


def tickets() -> Tables:
    """Thirty tickets a day for four months; a new desk opens in the last one."""
    random = np.random.default_rng(5)
    days = pd.date_range("2025-01-01", "2025-05-01", inclusive="left").repeat(30)
    opened = days + pd.to_timedelta(np.tile(np.arange(30) * 45, len(days) // 30), unit="min")
    channel = random.choice(["mail", "phone", "chat"], len(days))
    words = random.gamma(2, 60, len(days)).astype(int)
    sure = np.where(words > 150, "software", np.where(channel == "phone", "hardware", "accounts"))
    desk = np.where(
        random.random(len(days)) < 0.2, random.choice(["software", "hardware", "accounts"], len(days)), sure
    )
    desk = np.where((opened >= pd.Timestamp("2025-04-05")) & (channel == "chat"), "robots", desk)
    return {
        "tickets": pd.DataFrame(
            {
                "opened": opened.strftime("%Y-%m-%d %H:%M:%S"),
                "number": np.arange(len(days)) + 1,
                "channel": channel,
                "words": pd.array(words, "Int64"),
                "subject": [f"It does not work {number}" for number in range(len(days))],
                "urgency": random.integers(1, 4, len(days)),
                "solved_by": desk,
            }
        )
    }


def heat() -> Tables:
    """Three buildings an hour for three months; the pool is refitted in the last one."""
    random = np.random.default_rng(6)
    at = pd.date_range("2025-01-01", "2025-04-01", freq="h", inclusive="left")
    celsius = 5 + 8 * np.sin(np.arange(len(at)) / 300) + random.normal(0, 1, len(at))
    meters = []
    for building, size in {"school": 300, "pool": 900, "hall": 100}.items():
        used = size * np.clip(20 - celsius, 0, None) / 10 + random.normal(0, size / 10, len(at))
        used = np.where((building == "pool") & (at >= pd.Timestamp("2025-03-01")), used * 3, used)
        meters.append(pd.DataFrame({"at": at, "building": building, "kwh": used.clip(0).round(1)}))
    outside = pd.DataFrame({"at": at, "celsius": np.where(np.arange(len(at)) % 50 == 0, np.nan, celsius.round(1))})
    return {"meters": pd.concat(meters).sort_values(["at", "building"]), "outside": outside}


def loans() -> Tables:
    """Three hundred loans, three a day."""
    random = np.random.default_rng(7)
    lent = pd.date_range("2025-01-01", periods=300, freq="8h")
    pages = random.integers(50, 1000, 300)
    late = np.where(random.random(300) < 1 / (1 + np.exp((500 - pages) / 80)), 5, -2)
    return {"loans": pd.DataFrame({"lent": lent, "pages": pages, "late_days": late})}


problems: Mapping[str, tuple[Callable[[], Tables], str, str, str, int, tuple[str, str], str]] = {
    "tickets": (tickets, TICKETS, TICKETS_SQL, TICKETS_MODEL, 28, ("2025-04-01", "2025-05-01"), "log_loss"),
    "heat": (heat, HEAT, HEAT_SQL, HEAT_MODEL, 20, ("2025-03-01", "2025-03-25"), "squared_error"),
    "loans": (loans, LOANS, LOANS_SQL, LOANS_MODEL, 40, ("2025-03-20", "2025-04-10"), "log_loss"),
}


def document(workspace: Workspace, path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((workspace / "artifacts" / path).read_text())
    return found


def lay(workspace: Workspace, name: str) -> None:
    """Put another problem in the place of the flights, the way its owner would."""
    tables, contract, sql, model, days, _, _ = problems[name]
    for file, text in {"contract.yaml": contract, "features.sql": sql, "model.yaml": model}.items():
        (workspace / file).write_text(text)
    shutil.rmtree(workspace / "data")
    (workspace / "data").mkdir()
    for table, frame in tables().items():
        frame.to_csv(workspace / f"data/{table}.csv", index=False, na_rep="NA" if name == "heat" else "")
    params = (workspace / "params.yaml").read_text()
    params = params.replace("batch_days: 28", f"batch_days: {days}").replace("minimum_rows: 200", "minimum_rows: 50")
    (workspace / "params.yaml").write_text(params)
    workspace.run("dvc", "add", "--quiet", "data")
    workspace.run("git", "add", "--all")
    workspace.run("git", "commit", "--quiet", "--message", f"Begin {name}")


@pytest.fixture(scope="module", params=problems)
def turned(
    request: pytest.FixtureRequest,
    new_workspace: Callable[[Path], Workspace],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[str, Workspace, list[dict[str, Any]], str]:
    """A problem's name, its workspace after two turns of the loop, each turn's verdict, and what was told."""
    name = request.param
    workspace = new_workspace(tmp_path_factory.mktemp(name) / "workspace")
    lay(workspace, name)
    verdicts, told = [], ""
    for until in problems[name][5]:
        found = workspace.tidegate("run", "--until", until)
        verdicts.append(document(workspace, "evaluate/verdict.json"))
        told += found.stdout + found.stderr
        assert "Traceback" not in told
    return name, workspace, verdicts, told


def test_two_turns_leave_a_champion_and_pages(turned: tuple[str, Workspace, list[dict[str, Any]], str]) -> None:
    name, workspace, verdicts, _ = turned
    rows = json.loads(workspace.tidegate("batches", "--json").stdout)
    assert [row["until"] for row in rows] == list(problems[name][5])
    assert (rows[0]["verdict"], rows[0]["champion"]) == ("accepted", "1")
    assert all(row["challenger_loss"] for row in rows if row["decision"] == "retrain")
    loss = problems[name][6]
    assert verdicts[0]["loss"] == verdicts[0]["models"][0][loss]
    shut = rows[1]["decision"] != "retrain"
    for page in ("gate/gate.html", "evaluate/report.html"):
        assert ("<svg" in (workspace / "artifacts" / page).read_text()) != (shut and page.startswith("evaluate"))
    if not shut:
        workspace.run("dvc", "plots", "show")
    assert "nothing to do" in workspace.tidegate("run").stdout


def test_what_changed_in_the_world_opens_the_gate(turned: tuple[str, Workspace, list[dict[str, Any]], str]) -> None:
    name, workspace, verdicts, told = turned
    decision = document(workspace, "gate/decision.json")
    if name == "loans":
        assert decision["signals"]
        return
    assert decision["decision"] == "retrain"
    words = {"tickets": "log loss", "heat": "squared error"}[name]
    assert any(f"the champion's {words} is" in reason for reason in decision["reasons"])
    assert verdicts[1]["champion"] == "1"
    assert any(words in reason for reason in verdicts[1]["reasons"])
    assert all(words in signal["reason"] for signal in decision["signals"] if signal["name"] == "decay")
    assert f"rows: {words}" in told


def test_free_text_is_dropped_with_a_warning(turned: tuple[str, Workspace, list[dict[str, Any]], str]) -> None:
    name, workspace, _, told = turned
    record = document(workspace, "train/record.json") if (workspace / "artifacts/train/record.json").exists() else {}
    assert ("warning: subject is dropped: free text: " in told) == (name == "tickets")
    assert list(record.get("dropped", {})) == (["subject"] if name == "tickets" else [])
