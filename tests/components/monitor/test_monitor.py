"""`monitor` judges recorded requests as the gate judges a batch, once per window, and shows them by the hour."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from tests import requests
from tests.toy import orders
from tidegate.components.monitor import offline
from tidegate.documents.decision import Decision
from tidegate.documents.traffic import Traffic
from tidegate.process import limits
from tidegate.process.errors import UnavailableError
from tidegate.serving.rows import Kind
from tidegate.tables.features import Window
from tidegate.tracking.champion import Champion, load_champion
from tidegate.tracking.store import connect
from tidegate.tracking.windows import runs, started, windows

if TYPE_CHECKING:
    from tests.toy import World

Fails = Callable[..., list[str]]
START, END = datetime(2024, 4, 2), datetime(2024, 4, 16)
DAYS = "14d"


def champion() -> Champion:
    version = load_champion(connect(), "toy", ())
    assert version is not None
    return version


def record(place: Path, frame: pd.DataFrame, kind: Kind = "event") -> None:
    requests.record(place, champion(), frame, kind)


def events(world: "World", start: datetime = START, end: datetime = END) -> pd.DataFrame:
    """What the champion's SQL says of the events of a time."""
    frame = champion().batch(world / "clean", Window(start, end))
    return frame[frame["at"] < end].reset_index(drop=True)


def monitored(world: "World", **given: Any) -> Decision:
    usual = {"name": "toy", "window": DAYS, "until": END.isoformat(), "tables": str(world / "clean")}
    world.run("monitor", **{**usual, "recordings": str(world / "asked"), **given})
    return Decision.read(world / "decision.json")


@pytest.fixture
def later(released: "World") -> "World":
    """A month after the promotion: the clean tables know what was asked meanwhile."""
    released.run("ingest", "validate", until="2024-05-10")
    return released


def test_requests_like_those_of_training_keep_the_champion(later: "World") -> None:
    record(later / "asked", events(later))
    decision = monitored(later)
    assert decision.decision == "keep", decision.reasons
    states = {signal.name: signal.state for signal in decision.signals}
    assert states.pop("estimated loss") == "off", "by default it opens nothing"
    assert {"decay", "drift of price", "drift of predictions"} <= states.keys() and {*states.values()} == {"shut"}
    traffic = Traffic.read(later / "traffic.json")
    assert traffic.rows == traffic.offline_rows == 14 * 12 and traffic.differences == ()
    assert len(traffic.hours) == 14 * 24 and sum(hour.rows for hour in traffic.hours) == traffic.rows
    assert traffic.metrics["log_loss"] > 0 and sum(hour.labelled_rows for hour in traffic.hours) > 100
    assert (later / "retrain").read_text() == "false"


def test_the_same_window_is_judged_once(later: "World", capsys: pytest.CaptureFixture[str]) -> None:
    record(later / "asked", events(later))
    first, before = monitored(later), later.snapshot()
    for name in ("decision.json", "gate.html", "monitor.html", "traffic.json", "retrain"):
        (later / name).unlink()
    again = monitored(later, until="2024-04-16T00:59:59", recordings="/nowhere")
    assert again == first and later.snapshot() == before
    (window,) = windows(connect(), "toy")
    assert window["tidegate.decision"] == "keep"
    monitored(later, decay=0.2)
    assert len(windows(connect(), "toy")) == 1, "another policy is another decision on the same window"


def test_requests_that_moved_open_the_gate_and_then_the_cooldown_holds_it(later: "World") -> None:
    moved = events(later)
    record(later / "asked", moved.assign(price=moved["price"] * 3))
    decision = monitored(later, cooldown_days=7, tables="")
    assert decision.retrain and any("price" in reason for reason in decision.reasons), decision.reasons
    assert (later / "retrain").read_text() == "true"
    hour = {"cooldown_days": 7, "tables": ""}
    assert monitored(later, **hour, until="2024-04-16T01:00").retrain, "nothing was started yet"
    first = windows(connect(), "toy")[0]
    started(connect(), first["run"], "a run")
    next_hour = monitored(later, **hour, until="2024-04-16T02:00")
    assert next_hour.decision == "keep" and "the gate was last open 0 days ago" in next_hour.reasons[0]
    assert monitored(later, tables="", until="2024-04-16T03:00").retrain, "without a cooldown it opens each time"


def test_a_broken_link_of_feature_and_label_opens_it_once_the_labels_are_there(released: "World") -> None:
    released.lay(orders=orders(flipped_from="2024-04-01"))
    released.run("ingest", "validate", until="2024-05-10")
    record(released / "asked", events(released))
    assert monitored(released, tables="").decision == "cannot tell", "no labels, no decay"
    decision = monitored(released, until="2024-04-16T01:00")
    assert decision.retrain and "log loss" in decision.reasons[0], decision.reasons
    hours = Traffic.read(released / "traffic.json").hours
    assert max(hour.loss for hour in hours if hour.loss is not None) > 1


def test_too_little_traffic_cannot_tell(later: "World") -> None:
    record(later / "asked", events(later).head(20))
    decision = monitored(later)
    assert decision.decision == "cannot tell" and "20 rows are too few" in decision.reasons[0]
    none = monitored(later, until="2024-03-01")
    assert none.decision == "cannot tell" and Traffic.read(later / "traffic.json").rows == 0
    assert "Cannot tell" in (later / "monitor.html").read_text()


def test_features_that_the_server_computed_otherwise_are_named(later: "World") -> None:
    asked = events(later)
    asked.loc[asked.index[:42], "rate"] += 0.5
    asked.loc[asked.index[:21], "shop"] = None
    record(later / "asked", asked)
    monitored(later)
    traffic = Traffic.read(later / "traffic.json")
    assert [(each.feature, round(each.share, 3)) for each in traffic.differences] == [("rate", 0.25), ("shop", 0.125)]
    assert traffic.differences[0].largest == pytest.approx(0.5)


def test_requests_of_features_are_judged_without_labels(later: "World") -> None:
    record(later / "asked", events(later), kind="features")
    assert monitored(later).compared is not None
    traffic = Traffic.read(later / "traffic.json")
    assert (traffic.rows, traffic.offline_rows, traffic.metrics) == (168, 0, {})


def test_each_hour_has_its_shares_and_numbers(later: "World") -> None:
    asked = events(later, START, START + timedelta(hours=4)).assign(at=pd.Timestamp(START))
    asked = pd.concat([asked] * 2, ignore_index=True).assign(price=[10.0, 20.0, float("nan"), 30.0])
    asked.loc[0, "shop"] = "west"
    record(later / "asked", asked)
    monitored(later, window="24h", until="2024-04-02T12:00")
    hour = next(hour for hour in Traffic.read(later / "traffic.json").hours if hour.rows)
    assert (hour.start, hour.rows) == ("2024-04-02T00:00:00", 4)
    price, shop = hour.features["price"], hour.features["shop"]
    assert price.numbers is not None and (price.missing, price.numbers.mean) == (0.25, 20.0)
    assert price.numbers.middle == 20.0 and price.unseen is None
    assert (shop.missing, shop.unseen, shop.numbers) == (0.0, 0.25, None)
    assert hour.prediction is not None and 0 <= hour.prediction.low <= hour.prediction.high <= 1
    assert hour.uncertain is not None and {*hour.classes} == {"true"}


def test_an_hour_of_many_files_is_counted_whole_and_kept_in_part(
    later: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MONITOR_HOUR_ROWS", 3)
    asked = events(later, START, START + timedelta(hours=4)).assign(at=pd.Timestamp(START))
    for _ in range(3):
        record(later / "asked", asked)
    assert len([*(later / "asked").rglob("*.parquet")]) == 3
    monitored(later, window="24h", until="2024-04-02T12:00")
    traffic = Traffic.read(later / "traffic.json")
    (hour,) = (hour for hour in traffic.hours if hour.rows)
    assert (hour.rows, traffic.rows, traffic.versions) == (6, 6, {"1": 6})
    assert hour.classes["true"] in (0.0, round(1 / 3, 6), round(2 / 3, 6), 1.0), "the numbers are of three rows"


def test_rows_of_events_that_the_champion_may_have_learned_from_are_left_out(later: "World") -> None:
    record(later / "asked", events(later, datetime(2024, 2, 20), datetime(2024, 3, 20)))
    monitored(later, window="30d", until="2024-03-20")
    traffic = Traffic.read(later / "traffic.json")
    assert any("the champion may have learned from" in note for note in traffic.notes)
    assert 0 < traffic.offline_rows < traffic.rows


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"window": "90m"}, "window: expected whole hours, 1h to 2160h, found 90m"),
        ({"window": "soon"}, "window: expected a number and m, h, d or w, such as 6h, found 'soon'"),
        ({"window": "0h"}, "window: expected whole hours"),
        ({"until": "tomorrow"}, "until: expected a UTC time such as 2013-03-01"),
        ({"name": "nobody"}, "nobody: expected a champion, found none yet"),
        ({"decay": -1}, "gate.decay: expected"),
        ({"recordings": "/nowhere/asked"}, "/nowhere/asked: expected recorded predictions, found nothing"),
    ],
)
def test_what_it_cannot_judge_is_one_line(released: "World", fails: Fails, given: dict[str, Any], words: str) -> None:
    usual = {"name": "toy", "window": DAYS, "until": END.isoformat(), "tables": "", "recordings": "asked"}
    (line,) = fails(released, "monitor", **{**usual, **given})
    assert line.startswith(words)
    assert runs(connect(), "toy") == [], "nothing is left of what cannot be judged"


def test_damaged_files_and_other_versions_are_counted(later: "World") -> None:
    record(later / "asked", events(later))
    (hour,) = [*(later / "asked").glob("hour=2024-04-10T0[0-4]")][:1]
    (hour / "x.parquet").write_bytes(b"PAR1 no")
    monitored(later)
    traffic = Traffic.read(later / "traffic.json")
    assert traffic.notes == ("left out: 1 file that is damaged, or of another form",)
    assert traffic.versions == {"1": 168}


def test_tables_that_do_not_answer_are_no_reason_to_decide_without_them(
    later: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    record(later / "asked", events(later))

    def away(*_: object) -> None:
        raise UnavailableError("s3://clean/", "an answer", "none", "try again")

    with monkeypatch.context() as patch, pytest.raises(UnavailableError):
        patch.setattr(offline, "find", away)
        monitored(later)
    assert windows(connect(), "toy") == []
    assert monitored(later).decision == "keep"
