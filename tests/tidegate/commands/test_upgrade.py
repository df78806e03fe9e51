"""`tidegate upgrade`: an older problem gets the stages and parameters of this version, and keeps what is its own."""

from pathlib import Path

import pytest

from tests.workspaces import Workspace
from tidegate.commands import cli
from tidegate.commands.draft import PLOTS, upgraded
from tidegate.documents.formats import parse_yaml, read_yaml

OLDER_STAGES = """\
# Ours.
stages:
  ingest:
    cmd: >-
      python -m components.ingest
      --until "${ingest.until}"
    deps:
      - data

  gone:
    cmd: python -m components.gone --data data

  export:   # a stage of our own
    cmd: python export.py
    deps:
      - artifacts/deploy/release.json

plots:  # by hand
  - scores:
      y: {a.csv: b}
"""
OLDER_PARAMETERS = """\
# Our parameters.
ingest:
  until: "2024-05-01"   # moved by hand
  batch_days: 7

gate:
  mode: always          # for now
  forgotten: 3          # no version knows it
  decay: 0.5

former:
  key: 1
"""


@pytest.fixture
def older(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A problem whose files an older version wrote, as working directory."""
    for name, text in {
        "contract.yaml": (root / "contract.yaml").read_text(),
        "dvc.yaml": OLDER_STAGES,
        "params.yaml": OLDER_PARAMETERS,
    }.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_difference_is_shown_before_anything_is_written(older: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["upgrade"])
    shown = capsys.readouterr().out
    assert "--- dvc.yaml (now)" in shown and "\n+    cmd: tidegate code\n" in shown
    assert "\n-  forgotten: 3 " in shown and shown.endswith("`tidegate upgrade --write` writes this\n")
    assert (older / "dvc.yaml").read_text() == OLDER_STAGES
    assert (older / "params.yaml").read_text() == OLDER_PARAMETERS


def test_values_comments_and_stages_of_ones_own_are_kept(
    older: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["upgrade", "--write", "--cluster"])
    found, template = read_yaml(older / "dvc.yaml"), read_yaml(root / "dvc.yaml")
    assert list(found["stages"]) == [*template["stages"], "export"]
    assert {name: stage for name, stage in found["stages"].items() if name != "export"} == template["stages"]
    assert found["plots"] == [{"scores": {"y": {"a.csv": "b"}}}]
    text = (older / "dvc.yaml").read_text()
    assert text.startswith("# Ours.\nstages:\n") and "plots:  # by hand" in text and "# a stage of our own" in text
    parameters, wanted = read_yaml(older / "params.yaml"), read_yaml(root / "params.yaml")
    assert {name: set(keys) for name, keys in parameters.items()} == {name: set(keys) for name, keys in wanted.items()}
    assert parameters["ingest"] == {"until": "2024-05-01", "batch_days": 7}
    assert parameters["gate"] == wanted["gate"] | {"mode": "always", "decay": 0.5}
    text = (older / "params.yaml").read_text()
    for kept in ("# Our parameters.", "# moved by hand", "# for now", "# maximum sample size of batch and reference"):
        assert kept in text
    assert (older / "cluster.yaml").read_text() == (root / "cluster.yaml").read_text()
    capsys.readouterr()
    cli.main(["upgrade", "--cluster"])
    assert capsys.readouterr().out == "nothing to upgrade\n"


def test_the_plots_get_the_page_that_needs_no_network(older: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (older / ".dvc").mkdir()
    config = older / ".dvc/config"
    config.write_text("[core]\n    analytics = false")
    cli.main(["upgrade", "--write"])
    shown = capsys.readouterr().out
    assert ".dvc/plots.html: the page of `dvc plots show`" in shown and "vegaEmbed" not in shown
    assert config.read_text() == "[core]\n    analytics = false\n[plots]\n    html_template = plots.html\n"
    assert (older / ".dvc/plots.html").read_text() == PLOTS.read_text()
    own = "[plots]\n    html_template = own.html\n"
    assert upgraded.dvc_config(own, "plots.html") == own


def test_what_this_version_wrote_needs_no_upgrade(root: Path) -> None:
    for name, merged in (("dvc.yaml", upgraded.stages), ("params.yaml", upgraded.parameters)):
        text = (root / name).read_text()
        assert merged(text, text) == text


def test_new_keys_stand_in_their_places(root: Path) -> None:
    template = (root / "params.yaml").read_text()
    lines = template.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith("  ") and ":" in line:
            assert upgraded.parameters("".join(lines[:number] + lines[number + 1 :]), template) == template, line
    without = template.replace("fetch: false  ", "fetch: true  ")
    assert parse_yaml(upgraded.parameters(without, template), "params.yaml")["collect"]["fetch"] is True


def test_a_folder_without_a_problem_is_told(tmp_path: Path) -> None:
    done = Workspace(tmp_path).tidegate("upgrade", "--write", check=False)
    expected = "error: contract.yaml: expected the contract of a problem, found nothing; go to a problem's folder\n"
    assert (done.returncode, done.stderr, list(tmp_path.iterdir())) == (2, expected, [])


def test_a_run_with_older_stages_names_the_cure(workspace: Workspace) -> None:
    path = workspace / "dvc.yaml"
    path.write_text(path.read_text().replace("tidegate step gate", "python -m components.gate"))
    done = workspace.tidegate("run", check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: dvc.yaml: expected the stages of tidegate ")
    assert done.stderr.endswith("found another stage gate; run `tidegate upgrade`\n")
    workspace.tidegate("upgrade", "--write")
    assert workspace.tidegate("run").returncode == 0
