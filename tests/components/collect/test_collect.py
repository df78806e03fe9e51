"""From a source to the next version of the data: what is handed on, what is listed, what is pulled afterwards."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tidegate.process.errors import InputError

if TYPE_CHECKING:
    from tests.components.collect.conftest import Problem


def test_the_first_version_is_what_the_source_has(problem: "Problem", capsys: pytest.CaptureFixture[str]) -> None:
    text = problem.collect()
    assert capsys.readouterr().out == "orders: 2 new rows, 20240101T000000 to 20240102T000000\n"
    assert text.startswith("outs:\n- md5: ") and text.endswith("  path: data\n")
    assert problem.rows() == {
        "1": ("2024-01-01 00:00:00", "1.5", "a", "2024-01-01 00:00:00"),
        "2": ("2024-01-02 00:00:00", None, "b", "2024-01-02 00:00:00"),
    }
    assert [name.endswith(f"-{text.split()[3][:32]}.dvc") for name in problem.listed()] == [True]


def test_without_news_it_is_the_same_version(problem: "Problem", capsys: pytest.CaptureFixture[str]) -> None:
    text = problem.collect()
    before = {path: path.stat().st_mtime_ns for path in Path(problem.remote).rglob("*")}
    capsys.readouterr()
    assert problem.collect() == text == problem.collect(current_data_dvc="")
    assert capsys.readouterr().out == "orders: nothing new\n" * 2
    assert {path: path.stat().st_mtime_ns for path in Path(problem.remote).rglob("*")} == before


def test_news_are_the_next_version_and_the_earlier_one_stays(problem: "Problem") -> None:
    first = problem.collect()
    problem.lay("exports/b.csv", "2024-01-03,3,3,c,2024-01-03", "2024-01-02,2,7,mended,2024-01-04")
    second = problem.collect()
    assert {key: row[1:3] for key, row in problem.rows().items()} == {
        "1": ("1.5", "a"),
        "2": ("7.0", "mended"),
        "3": ("3.0", "c"),
    }
    assert second != first and problem.rows(first).keys() == {"1", "2"} and len(problem.listed()) == 2


def test_the_same_source_gives_the_same_version_anywhere(problem: "Problem", tmp_path: Path) -> None:
    problem.lay("exports/b.csv", *(f"2024-02-01,{number},1,x,2024-02-01" for number in range(3, 3000)))
    text = problem.collect()
    problem.remote = str(tmp_path / "another")
    problem.lay("exports/b.csv", *(f"2024-02-01,{number},1,x,2024-02-01" for number in reversed(range(3, 3000))))
    assert problem.collect(current_data_dvc="") == text


def test_later_rows_wait(problem: "Problem") -> None:
    problem.lay("exports/b.csv", "2024-05-31 23:59:59,3,3,c,2024-01-03", "2024-06-01,4,3,c,2024-01-03")
    problem.collect()
    assert problem.rows().keys() == {"1", "2", "3"}
    problem.collect(requested_until="2024-06-01T00:00:01")
    assert problem.rows().keys() == {"1", "2", "3", "4"}
    problem.lay("exports/c.csv", "2034-06-01,5,3,c,2024-01-03")
    problem.collect(requested_until="", scheduled="2034-06-01T06:00:00Z")
    assert problem.rows().keys() == {"1", "2", "3", "4"}
    problem.collect(requested_until="", scheduled="2034-06-02T00:00:00Z")
    assert problem.rows().keys() == {"1", "2", "3", "4", "5"}


@pytest.mark.parametrize("fetch", [True, False])
def test_the_day_is_handed_on_and_the_same_at_each_attempt(
    problem: "Problem", capsys: pytest.CaptureFixture[str], fetch: bool
) -> None:
    problem.collect(fetch=fetch, current_data_dvc=problem.collect())
    assert (problem / "until").read_text() == "2024-06-01"
    capsys.readouterr()
    for _ in range(2):
        times = {"scheduled": "2024-05-31T22:36:00Z", "created": "2024-06-01T03:00:00Z"}
        problem.collect(fetch=fetch, requested_until="", **times)
        assert (problem / "until").read_text() == "2024-05-31"
        told = "the batch ends on 2024-05-31: scheduled for 2024-05-31T22:36:00Z"
        assert capsys.readouterr().out.splitlines()[0] == told


def test_a_moment_that_is_none_is_told(problem: "Problem") -> None:
    line = problem.fails(requested_until="", scheduled="tomorrow")
    assert line.startswith("scheduled: expected a moment such as 2026-11-28T22:36:00Z, found 'tomorrow'")


@pytest.mark.parametrize("without", ["fetch", "a source"])
def test_without_a_source_or_asked_not_to_it_hands_on_what_was_given(problem: "Problem", without: str) -> None:
    if without == "a source":
        problem.contract = problem.contract.replace("    source: SOURCE\n", "")
    problem.remote = "s3://nowhere/and-not-asked"
    assert problem.collect(current_data_dvc="whatever:\n- it is\n", fetch=without != "fetch") == "whatever:\n- it is\n"


def test_the_newest_version_is_where_it_starts(problem: "Problem") -> None:
    first = problem.collect()
    problem.lay("exports/a.csv", "2024-01-03,3,3,c,2024-01-03")  # the source forgets, the data does not
    second = problem.collect()
    problem.lay("exports/a.csv", "2024-01-04,4,3,c,2024-01-03")
    third = problem.collect(current_data_dvc=first)
    assert problem.rows().keys() == {"1", "2", "3", "4"} and len({first, second, third}) == 3


def test_a_version_that_a_person_made_is_where_it_starts_once(problem: "Problem", tmp_path: Path) -> None:
    problem.collect()
    mended = _by_hand(problem, tmp_path / "by-hand", "orders/mended.csv", "2024-01-01,1,99,by hand,2024-01-01")
    problem.lay("exports/a.csv", "2024-01-03,3,3,c,2024-01-03")
    assert problem.collect(current_data_dvc=mended) != mended
    assert {key: row[2] for key, row in problem.rows().items()} == {"1": "by hand", "3": "c"}
    problem.lay("exports/a.csv", "2024-01-04,4,3,d,2024-01-03")
    problem.collect(current_data_dvc=mended)  # as a schedule does, which has the same text each time
    assert problem.rows().keys() == {"1", "3", "4"} and len(problem.listed()) == 4


def _by_hand(problem: "Problem", folder: Path, name: str, *rows: str) -> str:
    """A version that was made with DVC, and pushed."""
    from tidegate.versions.repository import opened, save

    with opened(folder, problem.remote) as repository:
        lay = folder / "data" / name
        lay.parent.mkdir(parents=True)
        lay.write_text("\n".join(["at,id,price,note,updated", *rows]) + "\n")
        return save(repository, folder / "data")


def test_two_at_once_are_both_whole_and_the_next_misses_nothing(problem: "Problem") -> None:
    base = problem.collect()
    problem.lay("exports/b.csv", *(f"2024-02-01,{number},1,x,2024-02-01" for number in range(10, 400)))
    both = []
    for number in range(2):
        both.append(problem.started(current_data_dvc=base, data_dvc=problem / f"handed-{number}"))
        if not number:
            problem.lay("exports/c.csv", *(f"2024-03-01,{number},1,y,2024-03-01" for number in range(500, 900)))
    assert [process.wait() for process in both] == [0, 0]
    for number in range(2):
        assert problem.rows((problem / f"handed-{number}").read_text()).keys() >= {str(n) for n in range(10, 400)}
    problem.collect()
    assert problem.rows().keys() == {"1", "2", *(str(n) for n in [*range(10, 400), *range(500, 900)])}


def test_columns_other_than_the_contract_s_stop_it(problem: "Problem") -> None:
    problem.collect()
    (problem / "handed.dvc").unlink()
    listed = problem.listed()
    (problem / "exports/b.csv").write_text("at,id,Preis,note,updated\n2024-01-03,3,3,c,2024-01-03\n")
    line = problem.fails()
    assert line == (
        f"{problem.folder}/exports/b.csv: expected the table's columns, found no price, also Preis; "
        "correct `source` or the contract"
    )
    assert problem.listed() == listed


def test_a_file_that_is_none_stops_it_and_its_line_is_not_shown(problem: "Problem") -> None:
    (problem / "exports/b.csv").write_text('at,id,price,note,updated\n2024-01-03,3,3,"secret-value\n')
    line = problem.fails()
    assert line.startswith("source of orders: expected readable rows, found ") and "secret-value" not in line


NOT_STARTED = {
    "no rows": (
        {"requested_until": "2020-01-01"},
        "sources: expected rows for a first version of the data, found none",
    ),
    "until": ({"requested_until": "yesterday"}, "until: expected a UTC time such as 2013-03-01"),
    "offset": ({"requested_until": "2024-01-01T00:00:00+01:00"}, "until: expected a UTC time such as 2013-03-01"),
    "current_data_dvc": ({"current_data_dvc": "outs: 3"}, "data.dvc: expected one output with md5 and path"),
    "remote": ({"remote": "ftp://x/y"}, "remote: url: expected a path, or one of s3://"),
    "contract": ({"contract_yaml": "name: 3"}, "contract.yaml:1: expected all of name, purpose"),
}


@pytest.mark.parametrize("case", NOT_STARTED)
def test_a_bad_argument_is_told_and_writes_nothing(problem: "Problem", case: str) -> None:
    flags, told = NOT_STARTED[case]
    with pytest.raises(InputError) as error:
        problem.collect(**flags)
    assert str(error.value).startswith(told)
    assert problem.listed() == [] and not (problem / "handed.dvc").exists()


def test_data_that_is_a_file_takes_no_rows(problem: "Problem", tmp_path: Path) -> None:
    folder = tmp_path / "single"
    folder.mkdir()
    (folder / "data.csv").write_text("x\n1\n")
    for words in ("init --no-scm", f"remote add --default here {problem.remote}", "add data.csv", "push"):
        subprocess.run([sys.executable, "-m", "dvc", *words.split(), "--quiet"], cwd=folder, check=True)
    text = (folder / "data.csv.dvc").read_text()
    with pytest.raises(InputError, match=r"^data\.dvc: expected a folder of files, found a file"):
        problem.collect(current_data_dvc=text)


def test_a_version_that_was_lost_or_garbled_is_told(problem: "Problem") -> None:
    problem.collect()
    entry = Path(problem.remote, "tidegate/versions", problem.listed()[0])
    text = entry.read_text()
    entry.write_text(text.replace("md5: ", "md5: f", 1))
    with pytest.raises(InputError, match=r"\.dvc: expected the text of version "):
        problem.collect()
    entry.write_text(text)
    shutil.rmtree(Path(problem.remote, "files"))
    with pytest.raises(InputError, match=r"^data\.dvc: expected its data on the DVC remote"):
        problem.collect()
