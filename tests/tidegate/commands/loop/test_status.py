"""`tidegate status`: where things stand, from what the other commands know, and what it does not ask for."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tidegate.commands.decided import decide, release
from tidegate.commands import cli
from tidegate.commands.loop import status, workspace

root = Path(__file__).parents[4]
contract = (root / "contract.yaml").read_text()


@pytest.fixture
def problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the contract of the flights, data and a tracking store of its own; DVC would run nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr(workspace, "changed_stages", list)
    (tmp_path / "contract.yaml").write_text(contract)
    (tmp_path / "data").mkdir()
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    cli.main(["status", *words])
    return capsys.readouterr().out


def test_elsewhere_it_says_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        cli.main(["status"])
    assert stopped.value.code == 2
    assert "go to the folder of a problem, or make one with `tidegate init`" in capsys.readouterr().err


def test_before_the_first_run_nothing_is_asked_of_mlflow(
    problem: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "_registered", pytest.fail)
    (problem / "data").rmdir()
    found = told(capsys)
    for line in ("flights (binary)", "none yet", "none was decided yet", "nothing waits", "something to do: data"):
        assert line in found
    assert not (problem / "mlflow.db").exists()


def test_before_the_first_run_mlflow_is_not_imported(problem: Path) -> None:
    (problem / "data").rmdir()
    script = "import sys; from tidegate.commands.loop import status; status.status(); print('mlflow' in sys.modules)"
    here = {"PYTHONPATH": str(root), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", script], env=here, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_it_tells_the_champion_the_newest_batch_and_whether_there_is_something_to_do(
    problem: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    decide("retrain", "2013-04-01")
    release("2013-04-01")
    decide("keep", "2013-05-01")
    found = told(capsys)
    assert "version 1 since 2013-04-01 06:00, with a log loss of 0.5050 then" in found
    assert "until 2013-05-01, 25,000 rows: keep (it was told to keep)" in found
    assert "has nothing to do" in found
    monkeypatch.setattr(workspace, "changed_stages", lambda: ["gate", "train"])
    document: dict[str, Any] = json.loads(told(capsys, "--json"))
    assert document["to_do"] == ["gate", "train"]
    assert (document["champion"]["to"], document["batch"]["decision"], document["waiting"]) == ("1", "keep", [])
    assert (document["problem"], document["task"]) == ("flights", "binary")


def test_it_tells_what_the_champions_verdict_noted(problem: Path, capsys: pytest.CaptureFixture[str]) -> None:
    decide("retrain")
    release(notes=("a linear model would do: it keeps at least 90%",))
    assert "a linear model would do: it keeps at least 90%" in told(capsys)
    assert json.loads(told(capsys, "--json"))["champion"]["notes"] == [
        "a linear model would do: it keeps at least 90%"
    ]


@pytest.mark.parametrize(
    ("holds", "expected"),
    [(True, "version 2: see `tidegate waiting`"), (False, "version 2, evaluated again first: see `tidegate waiting`")],
)
def test_it_tells_who_waits(
    problem: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, holds: bool, expected: str
) -> None:
    decide("keep")
    row = {"version": "2", "until": "2013-04-01T00:00:00", "holds": holds, "verdict": {"accepted": True}}
    monkeypatch.setattr("tidegate.commands.reviewing.approvals.waiting", lambda: [row])
    assert expected in told(capsys)
