"""The files of a problem drafted from files as other people write them: they run, or one line says why not."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tidegate.commands.draft.problem_files import begin
from tidegate.commands.draft.sniffed import spelling
from tidegate.contract.contract import Contract, parse_contract
from tidegate.process.errors import InputError

ROWS = 240
TIMES = pd.date_range("2024-01-01", periods=ROWS, freq="6h")
RANDOM = np.random.default_rng(0)
NUMBER = RANDOM.normal(50, 10, ROWS).round(2)
ANSWER = np.where(RANDOM.random(ROWS) < 0.3, "yes", "no")


@pytest.fixture
def drafted(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[Contract, dict[str, str]]]:
    """The contract and the files of a problem that `begin` drafts; it has run them over the file itself."""

    def made(
        file: Path, label: str = "y", time: str = "at", key: str = "", names: str = ""
    ) -> tuple[Contract, dict[str, str]]:
        begin(file, label, time, key, names)
        document: Any = json.loads(capsys.readouterr().out)
        return parse_contract(document["files"]["contract.yaml"]), document["files"]

    return made


Drafted = Callable[..., tuple[Contract, dict[str, str]]]


def written(path: Path, columns: dict[str, Any], separator: str = ",", encoding: str = "utf-8") -> Path:
    pd.DataFrame(columns).to_csv(path, index=False, sep=separator, encoding=encoding)
    return path


@pytest.mark.parametrize(
    ("spell", "form"),
    [
        ("%Y/%m/%d %H:%M", ""),
        ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M"),
        ("%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M %p"),
        ("%d.%m.%y %H.%M", "%d.%m.%y %H.%M"),
        ("%b %d %Y", "%b %d %Y"),
        ("%B %d, %Y", "%B %d, %Y"),
        ("%b-%d-%Y", "%b-%d-%Y"),
        ("%s", "epoch seconds"),
        ("%s000", "epoch milliseconds"),
        ("%Y%m%d", "%Y%m%d"),
    ],
)
def test_times_are_read_as_they_are_written(spell: str, form: str, tmp_path: Path, drafted: Drafted) -> None:
    columns = {"at": TIMES.strftime(spell), "n": np.arange(ROWS) * 7 % 1000, "x": NUMBER, "y": ANSWER}
    contract, files = drafted(written(tmp_path / "events.csv", columns))
    at = contract.tables["events"].columns["at"]
    assert (at.type, at.format) == ("timestamp", form)
    assert not form or f"# check this: such as {TIMES[0].strftime(spell)}" in files["contract.yaml"]


def test_days_and_months_are_told_apart_by_the_order_of_the_rows(tmp_path: Path, drafted: Drafted) -> None:
    """No day is above 12: in the order of the file the months go up, and the days begin again."""
    days = [f"{day:02}/{month:02}/2024" for month in range(1, 13) for day in range(1, 13)]
    number = np.arange(len(days) * 2)
    columns = {"at": days * 2, "n": number, "x": np.sin(number), "y": number % 3 == 0}
    columns["at"] = sorted(columns["at"], key=lambda day: (day[3:5], day[:2]))
    contract, _ = drafted(written(tmp_path / "events.csv", columns))
    assert contract.tables["events"].columns["at"].format == "%d/%m/%Y"


def test_a_time_of_several_columns(tmp_path: Path, drafted: Drafted) -> None:
    columns = {"Date": TIMES.strftime("%d/%m/%Y"), "Time": TIMES.strftime("%H.%M.%S"), "x": NUMBER, "y": ANSWER}
    contract, _ = drafted(written(tmp_path / "events.csv", columns, ";"), time="Date,Time")
    table = contract.tables["events"]
    at = table.columns["Date_Time"]
    assert (table.delimiter, table.time, at.made_of) == (";", "Date_Time", ("Date", "Time"))
    assert at.format == "%d/%m/%Y %H.%M.%S"
    columns = {part: getattr(TIMES, part) for part in ("year", "month", "day", "hour")} | {"x": NUMBER, "y": ANSWER}
    contract, _ = drafted(written(tmp_path / "parts.csv", columns), time="year,month,day,hour")
    assert contract.tables["parts"].columns["year_month_day_hour"].format == "%Y %m %d %H"


@pytest.mark.parametrize(
    ("texts", "separator", "form", "missing", "kind"),
    [
        ([f"{n:,.2f}" for n in NUMBER * 1001], ",", "1,234.5", (), "number"),
        ([f"{int(n * 100):,}" for n in NUMBER], ",", "1,234.5", (), "integer"),
        ([str(n).replace(".", ",") for n in NUMBER], ";", "1234,5", (), "number"),
        ([f"{n:,.2f}".translate(str.maketrans(",.", ".,")) for n in NUMBER * 1001], ";", "1.234,5", (), "number"),
        ([f"${n:,.2f}" for n in NUMBER * 1001], ",", "$1,234.5", (), "number"),
        ([f"-${n}" for n in NUMBER], ",", "$1234.5", (), "number"),
        ([f"{n}%" for n in NUMBER], ",", "1234.5%", (), "number"),
        ([f"{int(n)} %" for n in NUMBER], ",", "1234.5 %", (), "integer"),
        ([f"{n:,.2f} €".translate(str.maketrans(",.", ".,")) for n in NUMBER * 1001], ";", "1.234,5 €", (), "number"),
        (["N/A", *(f"£ {n}" for n in NUMBER[1:])], ",", "£1234.5", (), "number"),
        (["inf", *map(str, NUMBER[1:])], ",", "", ("inf",), "number"),
        (["-999"] * 9 + [str(abs(n)) for n in NUMBER[9:]], ",", "", (-999,), "number"),
        (["-200"] * 9 + [str(n).replace(".", ",") for n in NUMBER[9:]], "\t", "1234,5", (-200,), "number"),
        (["error"] + [str(n) for n in NUMBER[1:]], ",", "", ("error",), "number"),
        ([f"{n:03}" for n in range(ROWS)], ",", "", (), "text"),
        ([str(2**63 + n) for n in range(ROWS)], ",", "", (), "text"),
        ([str(-n % 7) for n in range(ROWS)], ",", "", (), "integer"),
    ],
)
def test_a_number_stays_a_number(
    texts: list[str], separator: str, form: str, missing: tuple[str, ...], kind: str, tmp_path: Path, drafted: Drafted
) -> None:
    columns = {"at": TIMES, "z": NUMBER.round(), "v": texts, "y": ANSWER}
    contract, _ = drafted(written(tmp_path / "events.csv", columns, separator))
    column = contract.tables["events"].columns["v"]
    assert (column.type, column.format, column.missing) == (kind, form, missing)


def test_usual_spellings_of_missing_values_are_found(tmp_path: Path, drafted: Drafted) -> None:
    numbers = [("?", "NA", "")[row % 3] if row < 30 else str(row % 90) for row in range(ROWS)]
    contract, _ = drafted(written(tmp_path / "events.csv", {"at": TIMES, "v": numbers, "x": NUMBER, "y": ANSWER}))
    table = contract.tables["events"]
    assert (table.missing, table.columns["v"].type) == (("NA", "?", ""), "integer")


def test_the_types_of_parquet_are_believed(tmp_path: Path, drafted: Drafted) -> None:
    number = np.where(np.arange(ROWS) % 9 == 0, np.nan, NUMBER)
    columns = {
        "at": pa.array(TIMES),
        "whole": pa.array(np.where(np.isnan(number), np.nan, np.arange(ROWS) % 50)),
        "v": pa.array(np.where(np.arange(ROWS) % 50 == 1, np.inf, number)),
        "big": pa.array(np.arange(ROWS, dtype="uint64") + np.uint64(2**63)),
        "code": pa.array([str(row % 10) for row in range(ROWS)]),
        "y": pa.array(ANSWER),
    }
    pq.write_table(pa.table(columns), tmp_path / "events.parquet")
    contract, _ = drafted(tmp_path / "events.parquet")
    found = contract.tables["events"].columns
    kinds = {name: found[name].type for name in columns}
    assert kinds == {
        "at": "timestamp", "whole": "number", "v": "number", "big": "text", "code": "text", "y": "text"
    }  # fmt: skip
    assert found["whole"].nullable and found["v"].missing == ("inf",)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_encodings_are_found(encoding: str, tmp_path: Path, drafted: Drafted) -> None:
    columns = {"at": TIMES, "größe (cm)": NUMBER, "stadt": np.where(NUMBER > 50, "Köln", "Zürich"), "y": ANSWER}
    contract, _ = drafted(written(tmp_path / "events.csv", columns, "|", encoding))
    table = contract.tables["events"]
    assert list(table.columns) == list(columns)
    assert table.encoding == {"latin-1": "windows-1252", "utf-16": "utf-16"}.get(encoding, "utf-8")


@pytest.mark.parametrize(
    "name", ["null.csv", "true.csv", "1.csv", "events[1].csv", "drafted.csv", "a b #.csv", "é{}.csv"]
)
def test_a_file_may_have_any_name(name: str, tmp_path: Path, drafted: Drafted) -> None:
    contract, _ = drafted(written(tmp_path / name, {"at": TIMES, "x": NUMBER, "y": ANSWER}))
    assert list(tmp_path.glob(contract.tables[contract.event].files)) == [tmp_path / name]


def test_columns_may_have_any_name(tmp_path: Path, drafted: Drafted) -> None:
    names = [
        'a"b',
        "c.d",
        "[e]",
        "select",
        "ü ß",
        "x" * 10_000,
        "%s {0}",
        "#",
        "it's",
        "a: b",
        "null",
        "é",
        "É",
        "1",
        "",
    ]
    columns = {name: np.roll(NUMBER, place) for place, name in enumerate(names)}
    contract, _ = drafted(written(tmp_path / "events.csv", {"at": TIMES, **columns, "y": ANSWER}))
    found = contract.tables["events"].columns
    assert set(names) - set(found) == {"x" * 10_000, ""}
    assert found["x" * 60 + "_"].made_of == ("x" * 10_000,)
    assert "column_16" in found


def test_names_that_tidegate_uses_itself_are_the_users_too(tmp_path: Path, drafted: Drafted) -> None:
    columns = {"at": TIMES, "Split": NUMBER, "prediction": ANSWER}
    contract, _ = drafted(written(tmp_path / "events.csv", columns), label="prediction")
    assert contract.label == "prediction_"
    made_of = {name: column.made_of for name, column in contract.tables["events"].columns.items()}
    assert made_of == {"at": (), "Split_": ("Split",), "prediction_": ("prediction",)}


@pytest.mark.parametrize(
    ("words", "positive", "doubt"),
    [
        (("Y", "N"), "'Y'", False),
        (("yes", "no"), "'yes'", False),
        (("NO", "Yes"), "'Yes'", False),
        (("fail", "PASS"), "'PASS'", False),
        (("1", "0"), "1", False),
        (("good", "bad"), "'bad'", True),
        (("1", "2"), "2", True),
    ],
)
def test_the_affirmative_answer_is_asked_for(
    words: tuple[str, str], positive: str, doubt: bool, tmp_path: Path, drafted: Drafted
) -> None:
    """The first word is the more frequent one."""
    answers = np.where(ANSWER == "yes", words[1], words[0])
    contract, files = drafted(written(tmp_path / "events.csv", {"at": TIMES, "x": NUMBER, "y": answers}))
    assert f"events.y = {positive} AS y" in files["features.sql"]
    assert ("-- check this: " in files["features.sql"]) == doubt
    found = contract.tables["events"].columns["y"].values or ()
    assert sorted(map(str, found)) == sorted(words)


def test_answers_in_several_spellings_are_two(tmp_path: Path, drafted: Drafted) -> None:
    answers = [("Yes", "no", "yes ", "No")[row % 4] for row in RANDOM.integers(0, 4, ROWS)]
    contract, files = drafted(written(tmp_path / "events.csv", {"at": TIMES, "x": NUMBER, "y": answers}))
    assert contract.task == "binary"
    assert contract.tables["events"].columns["y"].values == ("No", "Yes", "no", "yes ")
    assert "lower(trim(events.y)) = 'yes' AS y" in files["features.sql"]


@pytest.mark.parametrize(
    ("times", "batch", "window"),
    [
        (pd.date_range("2004-01-01", periods=240, freq="MS"), (1400, 1500), 30_000),
        (pd.date_range("2004-01-01", periods=7300, freq="D"), (200, 201), 1000),
        (pd.date_range("2024-01-01", periods=2000, freq="h"), (20, 28), None),
        (pd.date_range("2020-01-01", periods=300, freq="W"), (410, 430), 7000),
    ],
)
def test_windows_are_as_long_as_the_events_are_rare(
    times: pd.DatetimeIndex,
    batch: tuple[int, int],
    window: int | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    number = RANDOM.normal(size=len(times)).round(3)
    file = written(
        tmp_path / "events.csv", {"at": times, "x": number, "y": number + RANDOM.normal(size=len(times)) > 0}
    )
    begin(file, "y", "at", "", "")
    params = json.loads(capsys.readouterr().out)["params"]
    days = int(params["ingest"]["batch_days"])
    assert batch[0] <= days <= batch[1]
    assert int(params.get("train", {"window_days": 0})["window_days"]) >= (window or 0) * 0.9
    assert ("train" in params) == (window is not None)
    assert int(params["gate"].get("max_age_days", 365)) >= 2 * days


def test_too_few_labelled_rows_before_the_batch_are_told(tmp_path: Path) -> None:
    answers = [*[None] * 120, *ANSWER[120:]]
    file = written(tmp_path / "events.csv", {"at": TIMES, "x": NUMBER, "y": answers})
    with pytest.raises(
        InputError, match=r"found history: expected at least 100 labelled rows of several answers, found "
    ):
        begin(file, "y", "at", "", "")


def test_what_cannot_be_drafted_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the draft lacks: it is read back before anything is written."""
    file = written(tmp_path / "events.csv", {"at": TIMES, "x": NUMBER, "y": ANSWER})
    monkeypatch.setattr("tidegate.commands.draft.problem_files._files", lambda file: "other*.csv")
    with pytest.raises(InputError) as caught:
        begin(file, "y", "at", "", "")
    assert re.fullmatch(
        rf"{re.escape(str(file))}: expected data of which a problem can be drafted, found other\*\.csv: .*; write .*",
        str(caught.value),
    )


def unlabelled(columns: dict[str, Any], share: float = 0.4) -> dict[str, Any]:
    """The answers lack in a share of the rows."""
    lost = np.random.default_rng(5).random(ROWS) < share
    return {"at": TIMES, "x": NUMBER, **columns, "y": pd.Series(ANSWER).mask(lost)}


@pytest.mark.parametrize(
    "number",
    [
        np.arange(ROWS) + 1000,
        np.arange(ROWS)[::-1],
        np.sort(RANDOM.choice(np.arange(ROWS * 3 // 2), ROWS, replace=False)),
        RANDOM.permutation(ROWS),
        np.cumsum(RANDOM.integers(1, 100, ROWS)),
    ],
    ids=["consecutive", "backwards", "gaps", "shuffled", "wide gaps"],
)
def test_numbers_of_rows_are_no_features_though_labels_lack(number: Any, tmp_path: Path, drafted: Drafted) -> None:
    # A key of its own: otherwise the number would be the key, and a key is no feature anyway.
    columns = {"code": [f"k{index}" for index in RANDOM.permutation(ROWS)], "serial": number}
    _, files = drafted(written(tmp_path / "events.csv", unlabelled(columns)), key="code")
    assert "-- Left out: serial (the number of the row)." in files["features.sql"]


def test_a_distinct_measurement_is_a_feature(tmp_path: Path, drafted: Drafted) -> None:
    columns = {
        "code": [f"k{index}" for index in RANDOM.permutation(ROWS)],
        "height": RANDOM.choice(10**6, ROWS, replace=False),
    }
    _, files = drafted(written(tmp_path / "events.csv", unlabelled(columns)), key="code")
    assert "    events.height\n" in files["features.sql"]


def test_what_is_constant_is_constant_in_all_rows(tmp_path: Path, drafted: Drafted) -> None:
    columns = unlabelled({"code": [f"k{index}" for index in range(ROWS)], "always": "a"})
    columns["state"] = np.where(pd.isna(columns["y"]), "open", "closed")
    _, files = drafted(written(tmp_path / "events.csv", columns), key="code")
    assert "-- Left out: always (the same in every row)." in files["features.sql"]
    told = "-- check this: state is the same in every labelled row, and differs in the others\n"
    assert told in files["features.sql"] and "events.state" in files["features.sql"]


def test_columns_that_tell_the_label_together_or_by_being_filled_are_to_be_checked(
    tmp_path: Path, drafted: Drafted
) -> None:
    late, fee = (ANSWER == "yes").astype(float), RANDOM.normal(20, 5, ROWS).round(2)
    told = (ANSWER == "yes") & (RANDOM.random(ROWS) < 0.7)
    reason = pd.Series(RANDOM.choice(["rain", "snow"], ROWS)).where(told)
    columns = {"at": TIMES, "x": NUMBER, "fee": fee, "total": (fee + late).round(2), "reason": reason, "y": ANSWER}
    _, files = drafted(written(tmp_path / "events.csv", columns))
    for words in ("fee and total together tell the label", "reason is filled almost only where the label is true"):
        assert f"-- check this: {words}: known before the event?\n" in files["features.sql"]
    honest = {"at": TIMES, "x": NUMBER, "fee": fee, "y": ANSWER}
    assert "check this" not in drafted(written(tmp_path / "honest.csv", honest))[1]["features.sql"]


def test_many_rows_of_few_moments_are_a_batch_of_enough_moments(tmp_path: Path, drafted: Drafted) -> None:
    """Twenty firms, one row a year each: the batch is the last eight years, the twelve before are learned from."""
    years = np.repeat(np.arange(1990, 2010), 20)
    firm = np.tile(np.arange(20), 20)
    noise = np.random.default_rng(1).normal(size=len(years))
    columns = {"year": years, "firm": [f"firm {n}" for n in firm], "x": noise, "y": noise * 3 + firm}
    _, files = drafted(written(tmp_path / "firms.csv", columns), time="year")
    assert "%Y" in files["contract.yaml"]


def test_a_file_in_a_folder_that_dvc_ignores_is_read(tmp_path: Path, drafted: Drafted) -> None:
    """Until it is copied to data/, a file is wherever a person keeps it."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvcignore").write_text("/exports\n*.csv\n")
    (tmp_path / "exports").mkdir()
    columns = {"at": TIMES.strftime("%Y-%m-%d %H:%M"), "x": NUMBER, "y": ANSWER}
    contract, _ = drafted(written(tmp_path / "exports/events.csv", columns))
    assert set(contract.tables["events"].columns) == {"at", "x", "y"}


@pytest.mark.parametrize("classes", [2, 3])
def test_whole_numbers_with_a_decimal_point_are_classes(classes: int, tmp_path: Path, drafted: Drafted) -> None:
    """As pandas writes a column that lacks a value somewhere; one spelling may be mixed with the other."""
    answer = np.arange(ROWS) * 7 % classes
    texts = [f"{n}.0" if row % 5 else str(n) for row, n in enumerate(answer)]
    file = written(tmp_path / "events.csv", {"at": TIMES, "x": NUMBER, "y": texts})
    contract, files = drafted(file)
    assert contract.tables["events"].columns["y"].values == tuple(range(classes))
    assert ("events.y = 1 AS" in files["features.sql"]) == (classes == 2)


EVENTS = [(f"{at:%Y-%m-%dT%H:%M}", x, k, y) for at, x, k, y in zip(TIMES, NUMBER, "ab" * 120, ANSWER, strict=True)]
WRITTEN: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "names of rows": (
        "at,x,kind,y\n",
        "{row},{at},{x},{kind},{y}\n",
        "",
        {"header": "row_names"},
    ),
    "no names": ("", "{at},{x},{kind},{y}\n", "at,x,kind,y", {"header": "none"}),
    "a title": ('Station 12\n"of the, city"\n\nat;x;kind;y\n', "{at};{x};{kind};{y}\n", "", {"skip_lines": 3}),
    "a title over names of rows": (
        "Exported, by hand\nat,x,kind,y\n",
        "{row},{at},{x},{kind},{y}\n",
        "",
        {"skip_lines": 1, "header": "row_names"},
    ),
    "spaces": ("at      x     kind  y\n", '  {at}   {x:8.2f} "{kind} b"   {y}\n', "", {"delimiter": "spaces"}),
    "spaces and no names": (
        "",
        "{at}   {x:8.2f} {kind} {y}  \r\n",
        "at, x, kind, y",
        {"delimiter": "spaces", "header": "none"},
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_without_a_usual_first_line_is_read_as_it_is(
    name: str, encoding: str, tmp_path: Path, drafted: Drafted
) -> None:
    first, row, names, expected = WRITTEN[name]
    rows = [row.format(row=number, at=at, x=x, kind=kind, y=y) for number, (at, x, kind, y) in enumerate(EVENTS, 1)]
    file = tmp_path / "events.csv"
    file.write_bytes("".join([first, *rows]).encode(encoding))
    table = drafted(file, names=names)[0].tables["events"]
    assert {key: getattr(table, key) for key in expected} == expected
    assert {"at", "x", "kind", "y"} <= table.columns.keys() <= {"at", "x", "kind", "y", "column_1"}
    assert [table.columns[column].type for column in ("at", "x", "kind")] == ["timestamp", "number", "text"]


def test_a_file_without_names_has_columns_by_their_places(tmp_path: Path, drafted: Drafted) -> None:
    file = tmp_path / "events.csv"
    file.write_text("".join(f"{at},{x},{kind},{y}\n" for at, x, kind, y in EVENTS))
    contract, _ = drafted(file, "column_4", "column_1")
    assert [*contract.tables["events"].columns] == [f"column_{number}" for number in range(1, 5)]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"at": TIMES, "2019": NUMBER, "y": ANSWER}, "names"),
        ({"a": ["x", "y", "z"], "b": ["z", "x", "y"]}, "names"),
        ({"2019": [1, 2, 3], "2020": [4, 5, 6], "note": ["x", "y", "z"]}, "none"),
        ({"2019": [1, 2, 3], "2020": [4, 5, 6], "sum": [5, 7, 9]}, "names"),
    ],
)
def test_a_first_line_with_a_name_over_numbers_has_names(
    columns: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    assert spelling(written(tmp_path / "events.csv", columns)).get("header", "names") == expected


def test_a_line_with_the_name_of_the_time_has_names(tmp_path: Path) -> None:
    file = written(tmp_path / "events.csv", {"2019": [1, 2, 3], "2020": [4, 5, 6], "when": ["x", "y", "z"]})
    assert spelling(file, ["when"]) == {}


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ("at,x,,y", "--names: expected a name for each column, found none for one of them; correct it"),
        ("at,x,X,y", "--names: expected names that differ by more than upper and lower case, found 'x' and 'X'"),
    ],
)
def test_names_that_are_none_are_refused(names: str, line: str, tmp_path: Path) -> None:
    file = written(tmp_path / "events.csv", {"at": TIMES, "x": NUMBER, "k": NUMBER, "y": ANSWER})
    with pytest.raises(InputError, match=f"^{re.escape(line)}"):
        begin(file, "y", "at", "", names)


def test_a_quarter_is_no_month(tmp_path: Path) -> None:
    quarters = {"year": TIMES.year, "quarter": TIMES.quarter, "x": NUMBER, "y": ANSWER}
    file = written(tmp_path / "events.csv", quarters)
    with pytest.raises(InputError, match=r"--time: expected parts of a date .* found quarter; add the date"):
        begin(file, "y", "year,quarter", "", "")
