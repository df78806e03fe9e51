"""Who, which commit, which experiment: from the environment, else from git, else a word."""

import subprocess
from pathlib import Path

import pytest

from tidegate.process import context


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, as working directory, with nothing in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("TIDEGATE_COMMIT", "TIDEGATE_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    git("init", "--quiet")
    git("config", "user.name", "Ada")
    git("config", "user.email", "ada@example.org")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "--quiet", "--message", "one")
    return tmp_path


def git(*words: str) -> str:
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_is_the_whole_one_and_says_when_files_differ(repository: Path) -> None:
    head = git("rev-parse", "HEAD")
    git("tag", "v1")
    assert context.commit() == head
    (repository / "file").write_text("two")
    assert context.commit() == f"{head}-dirty"


def test_the_problem_s_files_are_no_code(repository: Path) -> None:
    for name in ("params.yaml", "dvc.lock", "features.sql"):
        (repository / name).write_text("one")
    git("add", "--all")
    git("commit", "--quiet", "--message", "two")
    (repository / "params.yaml").write_text("two")
    (repository / "dvc.lock").unlink()
    assert context.commit() == git("rev-parse", "HEAD")


def test_the_environment_goes_first(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert context.user() == "Ada"
    monkeypatch.setenv("TIDEGATE_KUBEFLOW_RUN", "17")
    assert context.user() == "Kubeflow run 17"
    monkeypatch.setenv("TIDEGATE_COMMIT", "c0ffee")
    monkeypatch.setenv("TIDEGATE_USER", "robot")
    assert (context.commit(), context.user()) == ("c0ffee", "robot")


def test_without_git_there_is_still_a_word(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert context.commit() == "unknown"
    monkeypatch.setenv("USER", "account")
    monkeypatch.setenv("LOGNAME", "account")
    assert context.user() == "account"


@pytest.mark.parametrize(("given", "name"), [(None, None), ("", None), ("brisk-otter", "brisk-otter")])
def test_dvc_names_the_experiment(given: str | None, name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if given is not None:
        monkeypatch.setenv("DVC_EXP_NAME", given)
    assert context.experiment() == name
