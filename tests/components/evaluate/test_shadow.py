"""With `deploy.shadow` the verdict's page compares the challenger with recorded answers; it decides nothing."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator

from tests.servers.programs import s3
from tidegate import models
from tidegate.components.evaluate.pictures import distributions
from tidegate.components.evaluate.recorded import beside
from tidegate.components.evaluate.shadow import shadow
from tidegate.documents.record import Record
from tidegate.documents.shadow import Shadow
from tidegate.documents.verdict import Verdict
from tidegate.process import limits
from tidegate.scoring.scores import predict
from tidegate.serving.options import Settings
from tidegate.serving.recorded_prediction import Prediction
from tidegate.serving.recorder import Recorder
from tidegate.serving.recordings import FEATURE, OURS, Recordings, newest
from tidegate.tracking.champion import Champion, load_champion
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

Fails = Callable[..., list[str]]
BEGIN = datetime(2024, 5, 9, 22)
KINDS = {"shop": "category", "price": "number", "rate": "number"}


def champion() -> Champion:
    version = load_champion(connect(), "toy", ())
    assert version is not None
    return version


def record(
    place: Path | str,
    version: Champion,
    requests: int = 40,
    begin: datetime = BEGIN,
    features: Mapping[str, str] = KINDS,
) -> None:
    """Let the server's recorder write requests, one a minute, of two rows each of the reference sample."""
    written = replace(version, record=replace(version.record, features=features))
    recorder = Recorder(Settings("", "accept", 1000, 1000, 10, str(place), 1.0, 10), print)
    for number in range(requests):
        frame = version.reference.iloc[number * 2 : number * 2 + 2]
        columns = {name: [None if v != v else v for v in frame[name].tolist()] for name in features}
        answer, moment = version.predict(frame), begin + timedelta(minutes=number)
        recorder.add(Prediction(f"r{number:03}", moment, written, "features", {}, columns, answer))
    recorder.flush()


def section(page: Path) -> str:
    return page.read_text().partition("Beside the champion, on recorded requests")[2]


def evaluated(world: "World", place: Path | str) -> Shadow:
    world.run("evaluate", shadow=True, recordings=str(place))
    result = Verdict.read(world / "verdict.json").shadow
    assert result is not None
    return result


def test_the_challenger_is_asked_what_the_champion_was(judged: "World", capsys: pytest.CaptureFixture[str]) -> None:
    before, version, asked = judged.json("verdict"), champion(), judged / "asked"
    record(asked, version)
    result = evaluated(judged, asked)
    found, rows = result.comparison, version.reference.iloc[:80]
    assert found is not None
    model = models.load(judged / "model.skops")
    own, other = np.asarray(version.predict(rows)), np.asarray(predict(model, rows, KINDS, "binary"))
    assert (found.requests, found.rows, result.versions) == (40, 80, {"1": 80})
    assert (found.start, found.end) == ("2024-05-09T22:00:00", "2024-05-09T22:39:00")
    assert found.differing == pytest.approx(((own >= 0.5) != (other >= 0.5)).mean())
    assert found.mean == pytest.approx((other - own).mean()) and found.mean != 0
    assert found.absolute == pytest.approx(abs(other - own).mean())
    assert [each.value for each in found.quantiles] == pytest.approx(
        [*np.quantile(other - own, [each.share for each in found.quantiles])]
    )
    for each in found.largest:
        place = 2 * int(each.request[1:]) + each.row
        assert (each.champion, each.challenger) == pytest.approx((own[place], other[place]))
    sizes = [abs(each.challenger - each.champion) for each in found.largest]
    assert sizes == pytest.approx(sorted(abs(other - own), reverse=True)[:10])
    assert (
        sum(each.champion for each in found.distribution) == sum(each.challenger for each in found.distribution) == 80
    )
    line = "asked 40 requests (80 rows) that version 1 answered"
    assert result.lines == (line,) and f"shadow: {line}\n" in capsys.readouterr().out
    after = judged.json("verdict")
    assert {name: value for name, value in after.items() if name != "shadow"} == before, "it decides nothing"
    Draft202012Validator(Verdict.schema()).validate(after)


def test_the_page_says_it_and_draws_it(judged: "World") -> None:
    record(judged / "asked", champion())
    assert section(judged / "evaluate.html") == ""
    result = evaluated(judged, judged / "asked")
    assert result.comparison is not None
    page = section(judged / "evaluate.html")
    assert "This informs and decides nothing" in page and result.lines[0] in page
    panel = distributions(result.comparison)
    for line in panel.lines.values():
        assert "".join(f"{x},{y} " for x, y in line) in page
    assert f"{result.comparison.mean:+.4g}".replace("-", "−") in page
    for row in result.comparison.largest:
        assert row.request in page


def test_the_release_and_the_registry_keep_the_verdict(judged: "World") -> None:
    record(judged / "asked", champion())
    result = evaluated(judged, judged / "asked")
    judged.run("deploy")
    assert judged.json("release")["verdict"]["shadow"] == json.loads(json.dumps(result.document()))
    for name in ("verdict.json", "evaluate.html"):
        (judged / name).unlink()
    judged.run("evaluate", shadow=True, recordings=str(judged / "elsewhere"))
    assert Verdict.read(judged / "verdict.json").shadow == result, "a released batch keeps its verdict"


def test_without_the_parameter_nothing_is_read(judged: "World") -> None:
    record(judged / "asked", champion())
    before = (judged / "verdict.json").read_bytes()
    judged.run("evaluate", shadow=False, recordings=str(judged / "asked"))
    assert (judged / "verdict.json").read_bytes() == before


def test_before_the_first_champion_nothing_is_compared(trained: "World") -> None:
    result = beside(None, "asked", trained / "model.skops", Record.read(trained / "record.json"), "binary")
    assert result.lines == ("nothing is compared: no version serves yet",)


def test_the_same_recordings_give_the_same_bytes(judged: "World") -> None:
    record(judged / "asked", champion())
    evaluated(judged, judged / "asked")
    before = {name: (judged / name).read_bytes() for name in ("verdict.json", "evaluate.html")}
    evaluated(judged, judged / "asked")
    assert {name: (judged / name).read_bytes() for name in before} == before


def test_no_private_column_is_shown(judged: "World") -> None:
    record(judged / "asked", champion())
    evaluated(judged, judged / "asked")
    for name in ("verdict.json", "evaluate.html"):
        text = (judged / name).read_text()
        assert "secret-" not in text and "customer" not in text


def asked_at(world: "World", place: Path | str) -> Shadow:
    """What evaluate does with recordings."""
    record_ = Record.read(world / "record.json")
    return beside(champion(), str(place), world / "model.skops", record_, "binary")


class Spoiled:
    """Ways in which recordings do not do, and what is told of each."""

    @staticmethod
    def none(asked: Path) -> str:
        return f"nothing is compared: {asked}: expected recorded predictions, found nothing; "

    @staticmethod
    def empty(asked: Path) -> str:
        asked.mkdir()
        return f"nothing is compared: {asked}: expected recorded predictions, found nothing; "

    @staticmethod
    def a_file(asked: Path) -> str:
        asked.write_text("no folder")
        return f"nothing is compared: {asked}: expected recorded predictions, found nothing; "

    @staticmethod
    def no_rows(asked: Path) -> str:
        (asked / "hour=2024-05-09T22").mkdir(parents=True)
        return "nothing is compared: no recorded prediction of version 1"

    @staticmethod
    def another_version(asked: Path) -> str:
        record(asked, replace(champion(), version="7"))
        return "nothing is compared: no recorded prediction of version 1"

    @staticmethod
    def no_features(asked: Path) -> str:
        version = champion()
        fewer = {name: kind for name, kind in version.record.features.items() if name != "rate"}
        record(asked, version, features=fewer)
        return "nothing is compared: version 1 recorded no such features as the challenger has: rate"

    @staticmethod
    def another_kind(asked: Path) -> str:
        features: dict[str, Any] = {FEATURE + "shop": ["north"], FEATURE + "price": ["dear"], FEATURE + "rate": [1.0]}
        write(asked, **features)
        return "nothing is compared: version 1 recorded no such features as the challenger has: price"

    @staticmethod
    def another_task(asked: Path) -> str:
        write(asked, prediction=["late"])
        return "nothing is compared: no recorded prediction of version 1"

    @staticmethod
    def no_number(asked: Path) -> str:
        features: dict[str, Any] = {FEATURE + "shop": ["north"], FEATURE + "price": [1.0], FEATURE + "rate": [1.0]}
        write(asked, **features, prediction=[float("nan")])
        return "nothing is compared: recorded predictions that are no numbers"


def write(asked: Path, name: str = "one", **columns: Any) -> Path:
    """A recorded file of one row; columns override."""
    values = {"request": ["a"], "row": [0], "time": [BEGIN], "version": ["1"], "prediction": [0.5]} | columns
    arrays = {name: pa.array(given, OURS.get(name)) for name, given in values.items()}
    path = asked / f"hour={BEGIN:%Y-%m-%dT%H}" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(arrays), path)
    return path


@pytest.mark.parametrize("case", [name for name in vars(Spoiled) if not name.startswith("_")])
def test_recordings_that_do_not_do_are_one_line_and_no_failed_verdict(case: str, judged: "World") -> None:
    asked = judged / "asked"
    line = getattr(Spoiled, case)(asked)
    result = asked_at(judged, asked)
    assert result.comparison is None and result.lines[0].startswith(line), result.lines


def test_no_place_is_one_line_and_no_failed_verdict(judged: "World") -> None:
    before = judged.json("verdict")
    result = evaluated(judged, "")
    assert result.lines == ("nothing is compared: serve.record is empty: nothing is recorded",)
    assert judged.json("verdict") == before | {"shadow": json.loads(json.dumps(result.document()))}
    assert result.lines[0] in section(judged / "evaluate.html")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for place in range(4, len(content) // 2):
        content[place] ^= 0x55
    path.write_bytes(bytes(content))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), path)


def ages_away(path: Path) -> None:
    write(path.parents[1], path.stem, time=pa.array([2**62], pa.timestamp("us")))


@pytest.mark.parametrize("damage", [truncated, flipped, emptied, foreign, ages_away])
def test_a_damaged_file_is_left_out_and_said(damage: Callable[[Path], None], judged: "World") -> None:
    record(judged / "asked", champion())
    damage(write(judged / "asked", "bad"))
    result = asked_at(judged, judged / "asked")
    assert result.comparison is not None and result.comparison.rows == 80
    assert result.lines[1:] == ("left out: 1 file that is damaged, or of another form",)


def test_other_features_than_the_rest_of_the_version_are_left_out(judged: "World") -> None:
    record(judged / "asked", champion())
    write(judged / "asked", "narrow")
    found = newest(str(judged / "asked"), "1", "binary")
    assert found.damaged == 1


def test_another_version_is_counted_and_left_out(judged: "World") -> None:
    version = champion()
    record(judged / "asked", version)
    record(judged / "asked", replace(version, version="7"), requests=3, begin=BEGIN - timedelta(hours=2))
    result = asked_at(judged, judged / "asked")
    assert result.versions == {"1": 80, "7": 6}
    assert result.lines[1:] == ("left out: 6 rows of version 7",)


def test_another_query_is_said(judged: "World") -> None:
    record(judged / "asked", champion())
    judged.edit("features.sql", ("rates.rate\n", "rates.rate + 1 AS rate\n"))
    judged.run("featurize", "gate", "train", window_days=39, mode="always")
    result = asked_at(judged, judged / "asked")
    assert result.comparison is not None
    assert result.lines[1:] == ("features.sql has changed: the challenger was given what the champion's computes",)


def test_the_newest_rows_within_bounds(judged: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    version, asked = champion(), judged / "asked"
    record(asked, version, requests=3)
    record(asked, version, requests=3, begin=BEGIN + timedelta(hours=5))
    record(asked, version, requests=3, begin=BEGIN + timedelta(hours=limits.SHADOW_HOURS + 6))
    found = newest(str(asked), "1", "binary")
    assert [*dict.fromkeys(found.rows["time"].to_pylist())][-1] == BEGIN + timedelta(hours=limits.SHADOW_HOURS + 6)
    monkeypatch.setattr(limits, "SHADOW_HOURS", limits.SHADOW_HOURS + 1)
    assert len(newest(str(asked), "1", "binary").rows) == 12
    monkeypatch.setattr(limits, "SHADOW_ROWS", 8)
    rows = newest(str(asked), "1", "binary").rows
    assert len(rows) == 8
    assert rows["time"].to_pylist() == sorted(rows["time"].to_pylist(), reverse=True)
    monkeypatch.setattr(limits, "SHADOW_FILES", 1)
    assert len(newest(str(asked), "1", "binary").rows) == 6
    monkeypatch.setattr(limits, "SHADOW_BYTES", 10)
    assert newest(str(asked), "1", "binary").damaged == 1


def test_from_an_s3_prefix(judged: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with s3("bucket") as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        place = "s3://bucket/asked/"
        assert "found nothing" in asked_at(judged, place).lines[0]
        record(place, champion())
        found = evaluated(judged, place).comparison  # by the whole step
        assert found is not None and found.rows == 80


def test_a_store_that_is_away_is_one_line(judged: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SHADOW_SECONDS", 3.0)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-key")
    result = evaluated(judged, "s3://user:hidden-key@bucket/asked/")
    assert result.lines[0].startswith("nothing is compared: ") and ": expected an answer, found " in result.lines[0]
    assert "hidden-key" not in (judged / "verdict.json").read_text() + (judged / "evaluate.html").read_text()


class Planted:
    """A model that says what was planted."""

    def __init__(self, answers: Any, classes: Any = None) -> None:
        self.answers, self.classes_ = np.array(answers), classes

    def predict(self, _: pd.DataFrame) -> Any:
        return self.answers

    predict_proba = predict


def recorded(**columns: Any) -> Recordings:
    count = len(columns["prediction"])
    usual = {
        "request": [f"r{row}" for row in range(count)],
        "row": [0] * count,
        "time": [BEGIN] * count,
        "version": ["1"] * count,
        FEATURE + "x": [1.0] * count,
    }
    values: Mapping[str, Any] = usual | columns
    return Recordings(pa.table({name: pa.array(given) for name, given in values.items()}), {"1": count}, 0)


def test_of_numbers_the_value_is_compared() -> None:
    given = recorded(prediction=[1.0, 2.0, 3.0])
    found = shadow(given, "1", Planted([1.0, 4.0, 3.5]), {"x": "number"}, "regression", True).comparison
    assert found is not None and found.differing is None
    assert (found.mean, found.absolute) == (2.5 / 3, 2.5 / 3)
    assert [(each.request, each.champion, each.challenger) for each in found.largest[:2]] == [
        ("r1", 2.0, 4.0),
        ("r2", 3.0, 3.5),
    ]
    assert (found.distribution[0].start, found.distribution[-1].end) == (1.0, 4.0)


@pytest.mark.parametrize("value", [0.0, 5.0, -1e150, 1e30])
def test_one_value_has_a_picture_too(value: float) -> None:
    found = shadow(
        recorded(prediction=[value] * 3), "1", Planted([value] * 3), {"x": "number"}, "regression", True
    ).comparison
    assert found is not None
    assert sum(each.champion for each in found.distribution) == 3
    assert {y for _, y in distributions(found).lines["challenger"]} == {0.0, 1.0}


def test_of_many_classes_that_of_the_champion_is_compared() -> None:
    maps = pa.array([[("a", 0.7), ("b", 0.3)], [("a", 0.4), ("b", 0.6)]], pa.map_(pa.string(), pa.float64()))
    given = recorded(prediction=["a", "b"], probabilities=maps)
    model = Planted([[0.2, 0.1, 0.7], [0.1, 0.9, 0.0]], ["a", "b", "c"])
    found = shadow(given, "1", model, {"x": "number"}, "multiclass", True).comparison
    assert found is not None and found.differing == 0.5
    assert [(each.champion, each.challenger) for each in found.largest] == [(0.7, 0.2), (0.6, 0.9)]


def test_a_class_that_the_challenger_does_not_know_has_probability_zero() -> None:
    maps = pa.array([[("a", 1.0)]], pa.map_(pa.string(), pa.float64()))
    given = recorded(prediction=["a"], probabilities=maps)
    found = shadow(given, "1", Planted([[1.0]], ["b"]), {"x": "number"}, "multiclass", True).comparison
    assert found is not None and found.largest[0].challenger == 0.0 and found.differing == 1.0
