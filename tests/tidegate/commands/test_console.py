"""Tables print what people said as it stands, and nothing of it acts on the terminal."""

import pytest
from rich.table import Table

from tidegate.commands.console import console
from tidegate.commands.reviewing import approvals, feedback

HOSTILE = "[/x] [bold]b[/] :smile: \x1b[2J\x9b31m\u202e\x00"
PLAIN = "[/x] [bold]b[/] :smile: \\x1b[2J\\x9b31m\\u202e\\x00"


def test_a_table_and_a_line_show_what_they_were_given(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("a", "b", box=None)
    table.add_row(HOSTILE, "one\ntwo")
    console().print(table)
    console().print(HOSTILE, soft_wrap=True)
    shown = capsys.readouterr().out.splitlines()
    assert shown[1].split("  ")[0].strip() == PLAIN
    assert [line.split()[-1] for line in shown[1:3]] == ["one", "two"]
    assert shown[-1] == PLAIN


def test_feedback_and_waiting_versions_are_listed_whatever_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"kind": "batch", "about": HOSTILE, "said": "wrong", "until": "", "who": HOSTILE, "when": "2024-01-01"}
    feedback.show([{**said, "why": HOSTILE}])
    verdict = {"reasons": [HOSTILE], "champion": None}
    approvals.show([{"version": "2", "until": "2024-01-01", "holds": False, "verdict": verdict}])
    out = capsys.readouterr().out
    assert out.count("[/x]") >= 3
    assert "\x1b" not in out
