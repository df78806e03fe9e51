"""A worktree for a reproduction: clean, at its commit, gone afterwards, and an unknown commit is one line."""

import subprocess
from pathlib import Path

import pytest

from components.errors import InputError
from pipelines.worktrees import worktree

identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A repository of two commits, whose files have changed since; gives the first one."""
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "--quiet")
    for text in ("one", "two"):
        (repository / "a.txt").write_text(text)
        git(repository, "add", "a.txt")
        git(repository, "commit", "--quiet", "--message", text)
    (repository / "a.txt").write_text("three")
    monkeypatch.chdir(repository)
    return git(repository, "rev-parse", "HEAD~1")


def test_it_is_clean_at_its_commit_and_gone_afterwards(first: str, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), worktree(first, tmp_path / "tree") as tree:
        assert (tree / "a.txt").read_text() == "one"
        (tree / "b.txt").write_text("left over")
        raise ZeroDivisionError
    assert not (tmp_path / "tree").exists()
    assert Path("a.txt").read_text() == "three"
    assert git(Path(), "worktree", "list").count("\n") == 0


@pytest.mark.parametrize("commit", ["unknown", "0" * 40, "--help"])
def test_an_unknown_commit_is_one_line(first: str, tmp_path: Path, commit: str) -> None:
    expected = f"^commit {commit}: expected a commit of this repository, found none"
    with pytest.raises(InputError, match=expected), worktree(commit, tmp_path / "tree"):
        pass
