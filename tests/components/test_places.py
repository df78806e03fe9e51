"""Disks that are full and folders that may not be used: one line, earlier outputs as they were, nothing left over."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.components.disks import mounting, need_mounting
from tests.toy import flag_words

if TYPE_CHECKING:
    from tests.toy import World

root = Path(__file__).parents[2]
FULL = """\
mount -t tmpfs -o size="$1" none "$2" && cp -r "$3"/. "$2" && cd "$2" || exit 1
digests() { find . -type f -exec md5sum {} + | sort; }
before=$(digests)
shift 3
"$@"; code=$?
[ "$(digests)" = "$before" ] && echo same
ls -A
exit $code
"""
SPILL = """\
import sys
from pathlib import Path
from tidegate.process.command import run
from tidegate.tables.engine import engine

def sort():
    \"\"\"Sort more than memory and disk hold.\"\"\"
    with engine(spill=folder) as connection:
        connection.execute("SET memory_limit = '40MB'")
        connection.execute("CREATE TABLE sorted AS SELECT hash(i) AS h FROM range(20_000_000) AS rows(i) ORDER BY h")

folder = Path(sys.argv.pop())
run(sort)
"""


def _in_namespace(*words: str) -> "subprocess.CompletedProcess[str]":
    need_mounting()
    return subprocess.run([*mounting, *words], capture_output=True, text=True, check=False, env=_environment())


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(root)}


def _words(world: "World", step: str, **given: Any) -> list[str]:
    flags = flag_words(world.flags(step, **given))
    return [sys.executable, "-m", "tidegate", "step", step, *flags]


@pytest.mark.parametrize("step", ["ingest", "validate"])
def test_a_full_disk_is_told_and_leaves_the_earlier_outputs(step: str, world: "World", tmp_path: Path) -> None:
    """On disks of many sizes: what does not fit is told, what fits is written."""
    world.run("ingest", "validate", until="2024-03-01")
    outputs = {"ingest": ["tables", "manifest"], "validate": ["clean", "quarantine", "findings", "report"]}[step]
    disk, earlier = tmp_path / "disk", tmp_path / "earlier"
    disk.mkdir()
    earlier.mkdir()
    for name in outputs:
        path = world.path(step, name)
        path.rename(earlier / path.name)
    world.run(*["ingest"] * (step == "validate"))
    used = sum(-(-path.stat().st_size // 4096) * 4096 for path in earlier.rglob("*") if path.is_file())
    told = set()
    for room in (0, 1, 2, 4, 8, 16, 32, 1000):
        places = {name: disk / world.path(step, name).name for name in outputs}
        words = _words(world, step, **places)
        done = _in_namespace("sh", "-c", FULL, "sh", f"{used + (4 + room) * 4096}", str(disk), str(earlier), *words)
        told.add(done.stderr.partition(": ")[2].partition(": ")[2])
        assert (done.returncode, len(done.stderr.splitlines())) in ((2, 1), (0, 0)), done.stderr
        left = done.stdout.split()
        assert ("same" in left) == bool(done.returncode)
        assert sorted(set(left) - {"same"}) == sorted(place.name for place in places.values())
    assert told == {"", "expected room to write, found no space left on device; free some\n"}


def test_a_disk_too_small_for_temporary_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    mounted = 'mount -t tmpfs -o size=8m none "$1" && exec "$2" -c "$3" "$1"'
    done = _in_namespace("sh", "-c", mounted, "sh", str(tmp_path / "disk"), sys.executable, SPILL)
    assert (done.returncode, done.stderr) == (
        2,
        "error: DuckDB's temporary files: expected room to write, found no space left on device; free some\n",
    )


def _humble() -> None:
    """Let root be refused like everybody else: without the capabilities to override permissions."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):
        libc.prctl(24, capability)


def _refused(words: list[str]) -> str:
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env=_environment(), cwd=root, preexec_fn=_humble
    )
    assert done.returncode == 2, done.stderr
    return done.stderr


@pytest.mark.parametrize("place", ["data/orders.csv", "data"])
def test_what_may_not_be_read_is_told(place: str, world: "World") -> None:
    (world / place).chmod(0o000)
    told = _refused(_words(world, "ingest"))
    (world / place).chmod(0o700)
    expected = "expected a readable file or folder, found no permission; change its permissions"
    assert told == f"error: {world / place}: {expected}\n"


@pytest.mark.parametrize(("step", "port"), [("ingest", "tables"), ("validate", "clean")])
def test_a_folder_that_may_not_be_written_is_told(step: str, port: str, world: "World") -> None:
    world.run("ingest", "validate")
    before = world.snapshot()
    locked = world / "locked"
    locked.mkdir(mode=0o500)
    told = _refused(_words(world, step, **{port: locked / port}))
    assert told == (
        f"error: {locked / port}: expected a writable place, found permission denied; change its permissions\n"
    )
    assert world.snapshot() == before
    assert not list(locked.iterdir())


def test_an_answer_that_may_not_be_written_is_told(released: "World") -> None:
    locked = released / "locked"
    locked.mkdir(mode=0o500)
    words = ["tidegate", "predict", str(released / "features/features.parquet"), str(locked / "out.csv")]
    told = _refused([sys.executable, "-m", *words, "--name", "toy", "--kind", "features"])
    locked.chmod(0o700)
    expected = "expected a folder in which files can be made, found no permission; name another place"
    assert told == f"error: {locked / 'out.csv'}: {expected}\n"
    assert [*locked.iterdir()] == []
