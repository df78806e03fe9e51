"""What runs when: no test of `make test` reaches for more than Python, and worlds are built once in a run."""

import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests import reliability, tiers
from tests.reliability import Property
from tests.worlds import once

root = Path(__file__).parents[1]
HIDDEN = {name for names in tiers.PROGRAMS.values() for name in names}


def test_make_test_runs_where_no_other_program_is_found(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """All of its tests do; so one that needs another program fails, on a machine that has it, too."""
    path = os.environ["PATH"]
    if request.config.option.markexpr != tiers.FIRST:
        path = tiers.path_without(HIDDEN, path, tmp_path)
    assert [name for name in HIDDEN if shutil.which(name, path=path)] == []
    assert shutil.which("git", path=path) and shutil.which("make", path=path)


def test_only_what_is_asked_for_is_hidden(tmp_path: Path) -> None:
    for name in ("docker", "git"):
        (tmp_path / "programs" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "programs" / name).touch(mode=0o755)
    (tmp_path / "others").mkdir()
    path = f"{tmp_path}/programs:/nowhere"
    found = tiers.path_without({"docker"}, path, tmp_path / "others")
    assert found == f"{tmp_path}/others/0:/nowhere"
    assert [item.name for item in (tmp_path / "others/0").iterdir()] == ["git"]


@pytest.mark.parametrize("part", tiers.PARTS)
def test_who_reaches_for_a_part_without_its_mark_fails(part: str) -> None:
    with pytest.raises(AssertionError, match=f"expected the mark `{part}`"):
        tiers.needs(part)


def test_every_part_has_a_mark_and_is_named_at_the_end(pytestconfig: pytest.Config) -> None:
    marks = {line.partition(":")[0] for line in pytestconfig.getini("markers")}
    assert {*tiers.PARTS, "more", "long"} <= marks
    assert {*tiers.OF_FIXTURE.values(), *tiers.OF_PLACE.values()} == {*tiers.PARTS, "long"}
    told = tiers.left_out_of_it(312)
    assert told.startswith("left out: 312 tests that need containers, a browser, Postgres, Go tools, random kills or")
    assert all(target in told for target in ("`make test-all`", "`make test-long`"))


@pytest.mark.parametrize("place", [*tiers.OF_PLACE, *tiers.NOT_OF_PLACE])
def test_every_place_is_there(place: str) -> None:
    assert (root / "tests" / place).exists()


def test_targets_build_on_each_other() -> None:
    """All in one call run each tier once."""
    words = ["make", "--dry-run", "--always-make", "PYTHON=python3", "test", "test-all"]
    found = subprocess.run(words, cwd=root, capture_output=True, text=True, check=True).stdout
    runs = [line.partition(" -m pytest ")[2] for line in found.splitlines() if " -m pytest " in line]
    assert [line.partition(" -m ")[2] for line in runs] == [f'"{tiers.FIRST}"', "more"]


BUILD = """
import os, sys, time
from pathlib import Path
from tests.worlds import once

class Factory:
    def getbasetemp(self):
        return Path(sys.argv[1]) / sys.argv[2]

def build(folder):
    (folder.parent / "builds").open("a").write(sys.argv[2])
    (folder / "half").touch()
    time.sleep(float(sys.argv[3]))
    (folder / "half").rename(folder / "whole")

print(sorted(path.name for path in once(Factory(), "it", build).iterdir()))
"""


def started(folder: Path, worker: str, seconds: float) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTEST_XDIST_WORKER": worker, "PYTHONPATH": str(root)}
    words = [sys.executable, "-c", BUILD, str(folder), worker, str(seconds)]
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)


def test_a_world_is_built_once_for_all_processes(tmp_path: Path) -> None:
    found = [started(tmp_path, f"gw{number}", 0.3).communicate for number in range(3)]
    assert [said()[0] for said in found] == ["['whole']\n"] * 3
    assert len((tmp_path / "worlds/builds").read_text()) == len("gw0")


def test_a_world_whose_builder_was_killed_is_built_anew(tmp_path: Path) -> None:
    first = started(tmp_path, "gw0", 60)
    while not (tmp_path / "worlds/it/half").exists():
        assert first.poll() is None
    waiting = started(tmp_path, "gw1", 0)
    first.kill()
    assert first.wait() == -signal.SIGKILL
    assert waiting.communicate()[0] == "['whole']\n"
    assert (tmp_path / "worlds/builds").read_text() == "gw0gw1"


def test_a_world_whose_builder_failed_is_built_anew(tmp_path_factory: pytest.TempPathFactory) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise ValueError("no disk")

    with pytest.raises(ValueError):
        once(tmp_path_factory, "of-test-tiers", fail)
    made = once(tmp_path_factory, "of-test-tiers", lambda folder: (folder / "whole").touch())
    assert [path.name for path in made.iterdir()] == ["whole"]
    assert once(tmp_path_factory, "of-test-tiers", fail) == made


def test_the_page_of_the_long_run_is_one_that_a_person_reads() -> None:
    found = {
        "tests/test_a.py::test_any_table_is_told": Property(1, 4500, 0, 61.4),
        "tests/test_b.py::test_killed_whenever": Property(100, 0, 100, 500, "**fails**"),
    }
    text = reliability.page(found, datetime(2026, 1, 2, tzinfo=UTC), "c0ffee-dirty")
    for line in (
        "| examples | 4,500 |",
        "| rounds | 100 |",
        "| result | 1 **fails**; 1 holds |",
        "| any table is told (`tests/test_a.py`) | 1 | 4500 |  | 61 | `c0ffee-dirty` | holds |",
        "| killed whenever (`tests/test_b.py`) | 100 |  | 100 | 500 | `c0ffee-dirty` | **fails** |",
    ):
        assert line in text.splitlines(), text
    mended = {"tests/test_b.py::test_killed_whenever": Property(100, 0, 120, 500)}
    later = reliability.page(mended, datetime(2026, 1, 2, tzinfo=UTC), "decade", text)
    for line in (
        "| examples | 4,500 |",
        "| rounds | 120 |",
        "| result | 2 holds |",
        "| any table is told (`tests/test_a.py`) | 1 | 4500 |  | 61 | `c0ffee-dirty` | holds |",
        "| killed whenever (`tests/test_b.py`) | 100 |  | 120 | 500 | `decade` | holds |",
    ):
        assert line in later.splitlines(), later
