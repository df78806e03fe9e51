"""What lies in data/ and is not the data: links to elsewhere, names that cannot be shown; and what is no number."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.toy import World

Fails = Callable[..., list[str]]


@pytest.fixture
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside of the problem; its files have names such as those in DVC's cache, but not their own MD5."""
    folder = tmp_path_factory.mktemp("outside")
    for name in ("plain.csv", f"files/md5/ab/{'0' * 30}"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("at,id\n")
    return folder


@pytest.mark.parametrize("target", ["plain.csv", "files", f"files/md5/ab/{'0' * 30}", "missing", "../outside0"])
@pytest.mark.parametrize("place", ["data/orders2.csv", "data/deep/link"])
def test_a_link_out_of_the_data_is_refused(
    world: "World", fails: Fails, secret: Path, target: str, place: str
) -> None:
    (world / place).parent.mkdir(exist_ok=True)
    (world / place).symlink_to(secret / target)
    (line,) = fails(world, "ingest")
    assert line.startswith(f"{world / place}: expected a file") and "found a link to " in line


def test_a_link_to_itself_is_refused(world: "World", fails: Fails) -> None:
    (world / "data/loop.csv").symlink_to("loop.csv")
    (line,) = fails(world, "ingest")
    assert "found a link to nothing" in line


def test_a_pattern_does_not_leave_the_data(world: "World", fails: Fails) -> None:
    shutil.copyfile(world / "data/orders.csv", world / "orders.csv")
    world.edit("contract.yaml", ("files: orders.csv", "files: ../orders.csv"))
    (line,) = fails(world, "ingest")
    assert "tables.orders.files: expected a path or a glob below data/, found ../orders.csv" in line


def test_links_within_the_data_and_those_of_dvc_are_followed(world: "World") -> None:
    """DVC lays them, where its cache is on another file system or `cache.type` says so."""
    (world / "data/again.csv").symlink_to("rates.csv")
    for words in (
        ["init", "--no-scm", "--quiet"],
        ["config", "cache.type", "symlink"],
        ["add", "--quiet", "data"],
    ):
        subprocess.run([sys.executable, "-m", "dvc", *words], cwd=world.folder, check=True)
    assert (world / "data/orders.csv").is_symlink() and ".dvc/cache" in str((world / "data/orders.csv").resolve())
    world.run("ingest")
    assert world.json("manifest")["files"].keys() == {"again.csv", "orders.csv", "rates.csv"}


@pytest.mark.parametrize("name", ["a\nb.csv", "a\rb.csv", "\x1b[2Jb.csv", "a\x7f.csv", "a\u2028b.csv", "deep\n/b.csv"])
def test_a_file_whose_name_cannot_be_shown_is_refused(world: "World", fails: Fails, name: str) -> None:
    (world / "data" / name).parent.mkdir(exist_ok=True)
    (world / "data" / name).write_text("x")
    (line,) = fails(world, "ingest")
    assert "expected a name without control characters and line ends, found one; rename it" in line
    assert line.isprintable()


def test_a_file_in_no_encoding_is_refused(world: "World", fails: Fails) -> None:
    with open(bytes(world / "data") + b"/\xff.csv", "w"):  # noqa: PTH123
        pass
    (line,) = fails(world, "ingest")
    assert "expected a name without control characters" in line and line.isprintable()


@pytest.mark.parametrize(
    ("file", "change", "step"),
    [
        ("contract.yaml", ("range: [0, 1000]", "range: [0, .inf]"), "ingest"),
        ("contract.yaml", ("range: [0, 1000]", "range: [.nan, 1000]"), "ingest"),
        ("model.yaml", ("max_iter: 30", "max_iter: 30, l2_regularization: .nan"), "featurize"),
        ("model.yaml", ("max_iter: 30", "max_iter: 30, learning_rate: .inf"), "featurize"),
    ],
)
def test_a_number_that_is_none_is_refused(
    prepared: "World", fails: Fails, file: str, change: tuple[str, str], step: str
) -> None:
    prepared.edit(file, change)
    (line,) = fails(prepared, step)
    assert file in line and "which is not a finite number" in line


def test_a_feature_whose_name_cannot_be_shown_is_refused(prepared: "World", fails: Fails) -> None:
    prepared.edit("features.sql", ("orders.price,", 'orders.price AS "a\x1b[2Jb",'))
    (line,) = fails(prepared, "featurize")
    assert "expected a name without control characters" in line and line.isprintable()
