"""What ends a run: the pages to look at, the gate's own first."""

from pathlib import Path

import pytest

from tidegate.commands.loop.summary import PAGES, summary


def test_the_gates_own_page_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for page in PAGES:
        (tmp_path / "artifacts" / page).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "artifacts" / page).touch()
    places = summary({}, None)["look"][:-1]
    # Without a verdict its page says only that the step was skipped.
    wanted = ("gate/gate.html", "gate/evidently.html", "validate/report.html")
    assert places == [f"artifacts/{page}" for page in wanted]
