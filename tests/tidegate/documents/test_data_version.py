"""The version that is computed here is the one that DVC computes, whatever lies in the folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.documents.data_version import check_version, tracked, version_of
from tidegate.process.errors import InputError

IGNORED = """\
# not data
*.bak
/data/tmp/
!keep.bak
.DS_Store
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A DVC project whose folder data has a file, and files that .dvcignore names."""
    for name in ("a.csv", "deep/b.csv", "old.bak", "keep.bak", "tmp/c.csv", "deep/.DS_Store", "deep/tmp/d.csv"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    dvc(tmp_path, "init", "--no-scm")
    (tmp_path / ".dvcignore").write_text(IGNORED)
    dvc(tmp_path, "add", "data")
    return tmp_path


def dvc(folder: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *words, "--quiet"], cwd=folder, check=True)


def test_files_that_dvcignore_names_are_no_part_of_the_version(project: Path) -> None:
    text = (project / "data.dvc").read_text()
    assert "nfiles: 4" in text
    assert tracked(text).md5 == version_of(project / "data")
    check_version(project / "data", version_of(project / "data"))
    (project / "data/new.bak").write_text("x")
    assert tracked(text).md5 == version_of(project / "data")


def test_a_dvcignore_above_the_problem_counts_within_its_project(project: Path) -> None:
    inner = project / "problem"
    (inner / "data/tmp").mkdir(parents=True)
    for name in ("a.csv", "a.bak", "tmp/a.csv"):
        (inner / "data" / name).write_text("x")
    (inner / ".dvcignore").write_text("tmp\n")
    dvc(inner, "add", "data")
    assert tracked((inner / "data.dvc").read_text()).md5 == version_of(inner / "data")


@pytest.mark.parametrize("change", ["edited", "added", "removed", "renamed"])
def test_another_folder_is_another_version(change: str, project: Path) -> None:
    path = project / "data/a.csv"
    path.chmod(0o644)
    if change == "edited":
        path.write_text("A.csv")
    elif change == "added":
        (project / "data/e.csv").write_text("")
    elif change == "removed":
        path.unlink()
    else:
        path.rename(project / "data/z.csv")
    with pytest.raises(InputError) as caught:
        check_version(project / "data", version_of(project / "data"))
    assert str(caught.value).startswith(f"{project}/data: expected the data of data.dvc (")
