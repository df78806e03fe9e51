"""Files appear whole or not at all, and what cannot be read is told in one line."""

import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tidegate.documents import formats
from tidegate.process.errors import InputError

root = Path(__file__).parents[3]


def shape(path: Path) -> Any:
    """A file's text, or a folder's files by name."""
    return {inner.name: inner.read_text() for inner in path.iterdir()} if path.is_dir() else path.read_text()


def lay(path: Path, kind: str, text: str) -> None:
    if kind == "folder":
        path.mkdir()
        (path / f"{text}.txt").write_text(text)
    elif kind == "file":
        path.write_text(text)


@pytest.mark.parametrize("before", ["nothing", "file", "folder"])
@pytest.mark.parametrize("after", ["file", "folder"])
def test_a_file_or_folder_takes_the_place_of_either(before: str, after: str, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "output"
    path.parent.mkdir()
    lay(path, before, "old")
    with formats.replacing(path) as temporary:
        lay(temporary, after, "new")
    assert shape(path) == ("new" if after == "file" else {"new.txt": "new"})
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("before", ["nothing", "file", "folder"])
@pytest.mark.parametrize("after", ["nothing", "file", "folder"])
def test_a_block_that_fails_leaves_what_was_there(before: str, after: str, tmp_path: Path) -> None:
    path = tmp_path / "output"
    lay(path, before, "old")
    was = [(found.name, shape(found)) for found in tmp_path.iterdir()]
    with pytest.raises(ZeroDivisionError), formats.replacing(path) as temporary:
        lay(temporary, after, "half")
        raise ZeroDivisionError
    assert [(found.name, shape(found)) for found in tmp_path.iterdir()] == was


killed = """
import sys, time
from pathlib import Path
from tidegate.documents.formats import replacing
with replacing(Path(sys.argv[1])) as temporary:
    temporary.mkdir()
    (temporary / "half.txt").write_text("half")
    Path(sys.argv[2]).touch()
    time.sleep(60)
"""


def test_a_killed_writer_leaves_the_earlier_output(tmp_path: Path) -> None:
    path, ready = tmp_path / "output", tmp_path / "ready"
    lay(path, "folder", "old")
    writer = subprocess.Popen(
        [sys.executable, "-c", killed, str(path), str(ready)], env={**os.environ, "PYTHONPATH": str(root)}
    )
    while not ready.exists():
        assert writer.poll() is None
        time.sleep(0.05)
    writer.kill()
    writer.wait()
    assert shape(path) == {"old.txt": "old"}
    formats.write_tables(path, {"new": pd.DataFrame({"a": [1]})})
    assert [table.name for table in path.iterdir()] == ["new.parquet"]
    assert sorted(tmp_path.iterdir()) == [path, ready]  # what the killed one had begun is gone


def dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_what_a_killed_writer_had_put_aside_returns(tmp_path: Path) -> None:
    path = tmp_path / "output"
    lay(tmp_path / f".output.{dead()}.old", "folder", "old")
    lay(tmp_path / f".output.{dead()}", "folder", "half")
    with pytest.raises(ZeroDivisionError), formats.replacing(path):
        raise ZeroDivisionError
    assert shape(path) == {"old.txt": "old"}
    assert list(tmp_path.iterdir()) == [path]


def test_parts_of_what_is_replaced_have_no_temporary_names_of_their_own(tmp_path: Path) -> None:
    """Nobody would find them again: their names begin with a name that is temporary."""
    for path, kind in ((tmp_path / "folder", "folder"), (tmp_path / "file", "file")):
        with formats.replacing(path) as temporary:
            part = temporary / "part" if kind == "folder" else temporary
            with formats.replacing(part) as inner:
                inner.write_text("whole")
                there = [found.relative_to(tmp_path) for found in tmp_path.rglob(".*")]
                assert there == [temporary.relative_to(tmp_path)]
        assert shape(path) == ({"part": "whole"} if kind == "folder" else "whole")


@pytest.mark.parametrize("ending", ["", ".scratch", "-journal", "-wal", "-shm"])
def test_what_a_killed_writer_left_beside_an_output_goes_with_the_next(ending: str, tmp_path: Path) -> None:
    lay(tmp_path / f".output.{dead()}{ending}", "folder", "half")
    formats.write_text(tmp_path / "output", "new")
    assert list(tmp_path.iterdir()) == [tmp_path / "output"]


def test_what_killed_writers_left_is_recovered_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    lay(tmp_path / f"deep/.output.{dead()}.old", "folder", "old")
    lay(tmp_path / f"deep/.output.{dead()}", "folder", "half")
    lay(tmp_path / f".gone.{dead()}", "file", "half")
    others = [tmp_path / f"deep/.mine.{os.getppid()}", tmp_path / ".gitignore", tmp_path / ".hidden.1x"]
    for other in others:
        lay(other, "file", "other")
    formats.recover(tmp_path)
    assert shape(tmp_path / "deep/output") == {"old.txt": "old"}
    assert sorted(tmp_path.rglob(".*")) == sorted(others)


def test_what_others_are_writing_is_left_alone(tmp_path: Path) -> None:
    others = [tmp_path / name for name in (f".output.{os.getppid()}", ".output.1x", f".output2.{dead()}", ".output")]
    for other in others:
        lay(other, "folder", "other")
    formats.write_text(tmp_path / "output", "new")
    assert sorted(tmp_path.iterdir()) == sorted([*others, tmp_path / "output"])


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (7, "7"), (0.5, "0.5"), ("As it is", "As it is")]
)
def test_parameters_are_written_as_kubeflow_reads_them(value: Any, text: str, tmp_path: Path) -> None:
    formats.write_parameter(tmp_path / "value", value)
    assert (tmp_path / "value").read_bytes() == text.encode()


def test_json_is_the_same_bytes_for_the_same_document(tmp_path: Path) -> None:
    document = {"z": 1, "a": {"ü": [1.5, None, True]}}
    formats.write_json(tmp_path / "a.json", document)
    assert (tmp_path / "a.json").read_text(encoding="utf-8").startswith('{\n  "z": 1,\n  "a": {\n    "ü"')
    assert formats.read_json(tmp_path / "a.json") == document
    was = (tmp_path / "a.json").read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        formats.write_json(tmp_path / "a.json", {"loss": math.nan})
    assert (tmp_path / "a.json").read_bytes() == was


@pytest.mark.parametrize(
    ("text", "value"), [("1e-3", 0.001), ("no", "no"), ("true", True), ("[a, b]", ["a", "b"]), ("", None), ("010", 10)]
)
def test_yaml_is_read_as_version_1_2(text: str, value: Any) -> None:
    assert formats.parse_yaml(text, "x.yaml") == value


@pytest.mark.parametrize(
    ("content", "reader", "told"),
    [
        (None, formats.read_text, r"x: expected a file, found nothing; check the path"),
        (
            b"a\nM\xfcnchen",
            formats.read_text,
            r"x:2: expected UTF-8 text, found another encoding; save the file as UTF-8",
        ),
        (b'{\n"a": 1,\n}', formats.read_json, r"x:[23]: expected JSON, found .*; run the step that writes it again"),
        (b"a: 1\nb: [1\nc: 2\n", formats.read_yaml, r"x:3: expected YAML, found .*; correct that line"),
        (b"a: 1\na: 2\n", formats.read_yaml, r"x:2: expected YAML, found .*duplicate key.*; correct that line"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(
    content: bytes | None, reader: Any, told: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "x").write_bytes(content)
    with pytest.raises(InputError, match=f"^{tmp_path}/{told}$"):
        reader(tmp_path / "x")


def test_tables_make_the_round_trip(tmp_path: Path) -> None:
    frames = {"a": pd.DataFrame({"n": [1.5, None], "t": ["x", None]}), "b": pd.DataFrame({"n": [1]})}
    formats.write_tables(tmp_path / "set", frames)
    (tmp_path / "set/readme.txt").touch()
    assert list(formats.tables_in(tmp_path / "set")) == ["a", "b"]
    pd.testing.assert_frame_equal(formats.read_table(tmp_path / "set", "a"), frames["a"])
    with pytest.raises(InputError, match=r"c\.parquet: expected the table c, found nothing"):
        formats.read_table(tmp_path / "set", "c")
