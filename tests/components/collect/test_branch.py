"""data.dvc reaches a branch as one commit on its tip, by a path or by HTTP with a token."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers import GIT_TOKEN
from tests.servers.http import git as git_server
from tidegate.components.collect.branch import commit_file
from tidegate.process.errors import InputError

if TYPE_CHECKING:
    from tests.components.collect.conftest import Problem


root = Path(__file__).parents[3]


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    return subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A bare repository with two commits on `main`, and files in folders."""
    bare, work = tmp_path / "served/code.git", tmp_path / "work"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch", "main", str(bare))
    git(bare, "config", "http.receivepack", "true")
    git(tmp_path, "clone", "--quiet", str(bare), str(work))
    git(work, "checkout", "--quiet", "-B", "main")
    for number in (1, 2):
        (work / "deep").mkdir(exist_ok=True)
        (work / "deep/file.txt").write_text(f"{number}")
        (work / "data.dvc").write_text("outs: earlier\n")
        git(work, "add", "--all")
        git(work, "commit", "--quiet", "--message", f"Commit {number}")
    git(work, "push", "--quiet", "origin", "main")
    return bare


def test_one_commit_on_the_tip_with_nothing_else_changed(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Robot")
    before = git(repository, "rev-parse", "main").strip()
    commit_file(str(repository), "main", "outs: ü\n")
    assert git(repository, "log", "--format=%P %an <%ae> %s", "-1", "main") == (
        f"{before} Robot <tidegate@localhost> Collect data\n"
    )
    assert git(repository, "diff", "--name-status", before, "main") == "M\tdata.dvc\n"
    assert git(repository, "show", "main:data.dvc") == "outs: ü\n"
    git(repository, "fsck", "--strict")
    after = git(repository, "rev-parse", "main")
    commit_file(str(repository), "main", "outs: ü\n")
    assert git(repository, "rev-parse", "main") == after


def test_over_http_with_a_token_that_nobody_sees(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with git_server(repository.parent) as url:
        for token in ("", "not-the-token"):
            monkeypatch.setenv("TIDEGATE_GIT_TOKEN", token)
            with pytest.raises(InputError) as error:
                commit_file(f"{url}/code.git", "main", "outs: new\n")
            assert "not-the-token" not in str(error.value) and str(error.value).startswith(
                f"{url}/code.git: expected "
            )
        monkeypatch.setenv("TIDEGATE_GIT_TOKEN", GIT_TOKEN)
        commit_file(f"{url}/code.git", "main", "outs: new\n")
        commit_file(f"{url.replace('://', '://robot@')}/code.git", "main", "outs: newer\n")
    assert git(repository, "show", "main:data.dvc") == "outs: newer\n"
    assert git(repository, "rev-list", "--count", "main") == "4\n"


def test_those_who_push_at_once_all_get_through(repository: Path) -> None:
    program = "import sys; from tidegate.components.collect.branch import commit_file; commit_file(*sys.argv[1:])"
    words = [sys.executable, "-c", program, str(repository), "main"]
    pushing = [subprocess.Popen([*words, f"outs: {number}\n"], cwd=root) for number in range(4)]
    assert [process.wait() for process in pushing] == [0] * 4
    assert git(repository, "rev-list", "--count", "main") == "6\n"
    git(repository, "fsck", "--strict")


REFUSED = {
    "no branch": (
        "REPOSITORY",
        "nowhere",
        "REPOSITORY: expected to accept data.dvc on branch nowhere, found no such branch",
    ),
    "no repository": ("REPOSITORYx", "main", "REPOSITORYx: expected to accept data.dvc on branch main, found "),
    "no address": ("", "main", "collect.repository: expected the URL of a git repository, whose password is TIDEGATE"),
    "a password": ("https://x:secret@h/r", "main", "collect.repository: expected the URL of a git repository, whose"),
    "no server": (
        "http://127.0.0.1:1/r",
        "main",
        "http://127.0.0.1:1/r: expected to accept data.dvc on branch main, found ",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_one_line(repository: Path, case: str) -> None:
    address, branch, told = REFUSED[case]
    with pytest.raises(InputError) as error:
        commit_file(address.replace("REPOSITORY", str(repository)), branch, "outs: new\n")
    line = str(error.value)
    assert line.startswith(told.replace("REPOSITORY", str(repository))) and "secret" not in line and "\n" not in line


def test_a_hook_that_refuses_is_told(repository: Path) -> None:
    hook = repository / "hooks/update"
    hook.write_text("#!/bin/sh\necho protected branch; exit 1\n")
    hook.chmod(0o755)
    with git_server(repository.parent) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIDEGATE_GIT_TOKEN", GIT_TOKEN)
        with pytest.raises(InputError, match="hook declined"):
            commit_file(f"{url}/code.git", "main", "outs: new\n")


def test_collect_commits_what_it_hands_on_and_catches_up(problem: "Problem", repository: Path) -> None:
    text = problem.collect()  # an earlier run whose commit was lost
    problem.collect(repository=str(repository), commit="main")
    assert git(repository, "show", "main:data.dvc") == text
    problem.lay("exports/b.csv", "2024-01-03,3,3,c,2024-01-03")
    text = problem.collect(repository=str(repository), commit="main")
    assert git(repository, "show", "main:data.dvc") == text
    assert git(repository, "rev-list", "--count", "main") == "4\n"
