"""Messages to people: one for each event, tried again, without secrets, and never in the way of a run."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest

from tests import requests
from tests.decisions import decision, signal
from tests.servers.http import serving
from tests.servers.programs import free_port, silent
from tidegate.components.gate.announcement import announce
from tidegate.documents.signal import EstimateDetail
from tidegate.documents.traffic import Traffic
from tidegate.process import limits
from tidegate.tables.features import Window
from tidegate.tracking import batch_runs
from tidegate.tracking.alerts import VARIABLE, Alert, alert
from tidegate.tracking.champion import load_champion
from tidegate.tracking.store import connect
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from tests.toy import World

MESSAGE = Alert("gate opened", "toy", "batch 2024-03-04 to 2024-04-01", "retrain", ["price drifted"])
Told = list[dict[str, Any]]


class Webhook:
    """A server that takes messages; `answers` are its next status codes, 200 after these."""

    def __init__(self) -> None:
        self.told: Told = []
        self.answers: list[int] = []
        self.lock = threading.Lock()


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    monkeypatch.setattr(limits, "ALERT_PAUSE_SECONDS", 0.01)
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with hook.lock:
                code = hook.answers.pop(0) if hook.answers else 200
                if code == 200:
                    hook.told.append(json.loads(body))
            self.send_response(code)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as port:
        monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{port}/services/T000/secret-of-the-hook")
        yield hook


@pytest.fixture
def run_id(stored: "World") -> str:
    return batch_runs.batch_run(connect(), "toy", "0" * 16, {Tag.UNTIL: "2024-04-01"})


def test_a_message_is_for_people_and_for_programs(webhook: Webhook, run_id: str) -> None:
    alert(connect(), run_id, MESSAGE, "decision.1")
    (told,) = webhook.told
    assert told["text"] == "toy, batch 2024-03-04 to 2024-04-01: gate opened. retrain: price drifted"
    assert told["reasons"] == ["price drifted"] and told["event"] == "gate opened" and told["problem"] == "toy"
    assert told["link"] is None, "a store of one machine has no page"


def test_an_event_is_told_once(webhook: Webhook, run_id: str) -> None:
    for _ in range(3):
        alert(connect(), run_id, MESSAGE, "decision.1")
    assert len(webhook.told) == 1
    alert(connect(), run_id, MESSAGE, "decision.2")
    assert len(webhook.told) == 2, "another policy is another event"


def test_of_racing_steps_one_tells(webhook: Webhook, run_id: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        [*pool.map(lambda _: alert(connect(), run_id, MESSAGE, "decision.1"), range(8))]
    assert len(webhook.told) == 1


@pytest.mark.parametrize("answers", [[503], [500, 429]])
def test_it_is_tried_again(webhook: Webhook, run_id: str, answers: list[int]) -> None:
    webhook.answers = answers
    alert(connect(), run_id, MESSAGE, "decision.1")
    assert len(webhook.told) == 1


@pytest.mark.parametrize(
    ("answers", "left", "words"),
    [
        ([500] * 5, 5 - limits.ALERT_ATTEMPTS, "the webhook answers 500"),
        ([404, 200], 1, "the webhook answers 404"),
        ([302, 200], 1, "the webhook answers 302"),
    ],
)
def test_what_does_not_arrive_is_a_warning(
    webhook: Webhook, run_id: str, answers: list[int], left: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    webhook.answers = answers
    alert(connect(), run_id, MESSAGE, "decision.1")
    assert capsys.readouterr().err == f"warning: nobody was told that gate opened: {words}\n"
    assert len(webhook.answers) == left and not webhook.told


def test_nobody_there_and_nobody_that_answers(
    webhook: Webhook, run_id: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(limits, "ALERT_SECONDS", 0.3)
    with silent() as port:
        for number, place in enumerate((free_port(), port)):
            monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{place}/secret-of-the-hook")
            alert(connect(), run_id, MESSAGE, f"decision.{number}")
            said = capsys.readouterr().err
            assert said.startswith("warning: nobody was told that gate opened: ") and "secret" not in said


def test_an_address_that_others_can_read_is_not_used(
    run_id: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "http://hooks.example.org/services/secret-of-the-hook")
    alert(connect(), run_id, MESSAGE, "decision.1")
    said = capsys.readouterr().err
    assert "expected https, because credentials are sent" in said and "secret-of-the-hook" not in said


def test_no_secret_is_told(webhook: Webhook, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "token-of-the-shop")
    reasons = ["the token-of-the-shop was refused"]
    alert(connect(), run_id, Alert("verdict refused", "toy", "x", "refused", reasons), "1")
    assert "token-of-the-shop" not in json.dumps(webhook.told)


def test_without_an_address_nothing_is_asked(run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    alert(connect(), run_id, MESSAGE, "decision.1")
    assert not any("alert" in key for key in connect().get_run(run_id).data.params)


def test_the_gate_and_the_verdict_tell_what_happened(webhook: Webhook, released: "World") -> None:
    released.run("ingest", "validate", "featurize", until="2024-05-10")
    released.run("gate", mode="always")
    released.run("gate", mode="always")
    released.run("train", "evaluate", margin=-1.0)
    released.run("evaluate", margin=-1.0)
    assert [(told["event"], told["problem"]) for told in webhook.told] == [
        ("gate opened", "toy"),
        ("verdict refused", "toy"),
    ]
    assert webhook.told[1]["reasons"] and "refused" in webhook.told[1]["text"]


def test_a_champion_that_is_old_is_told_where_a_brake_holds_the_gate(webhook: Webhook, released: "World") -> None:
    released.run("ingest", "validate", "featurize", until="2024-05-10")
    released.run("gate", max_age_days=1, cooldown_days=300)
    assert [told["event"] for told in webhook.told] == ["champion old"]
    assert "learned from nothing newer" in webhook.told[0]["text"]


def test_a_window_tells_of_dropped_predictions_and_of_silence(webhook: Webhook, released: "World") -> None:
    released.run("ingest", "validate", until="2024-05-10")
    champion = load_champion(connect(), "toy", ())
    assert champion is not None
    days = [datetime(2024, 4, day) for day in (2, 3, 4)]
    asked = champion.batch(released / "clean", Window(*days[:2])).query("at < @days[1]").reset_index(drop=True)
    requests.record(released / "asked", champion, asked, most=10_000)
    given: dict[str, str] = {"name": "toy", "window": "24h", "recordings": str(released / "asked"), "tables": ""}
    for day in (*days[1:], days[1]):
        released.run("monitor", **given, until=day.isoformat())
    assert [told["event"] for told in webhook.told] == ["predictions dropped", "traffic stopped"]
    dropped = Traffic.read(released / "traffic.json").dropped
    recorded = len(asked) - dropped
    assert 0 < dropped < len(asked)
    assert webhook.told[0]["reasons"] == [
        f"{dropped} rows from 2024-04-02 00:00 to 2024-04-03 00:00 are not recorded, {recorded} are"
    ]
    assert f"Not recorded: {dropped} rows" in (released / "monitor.html").read_text()


@pytest.mark.parametrize(
    ("interval", "events"), [((0.01, 0.2), ["estimated loss rose"]), ((-0.01, 0.2), []), (None, [])]
)
def test_an_estimate_that_certainly_rose_is_told(
    webhook: Webhook, run_id: str, interval: tuple[float, float] | None, events: list[str]
) -> None:
    detail = EstimateDetail(0.6, None, 0.5, interval, ())
    signals = [signal("estimated loss", "estimate", "off", 0.1, None, reason="it is estimated at 0.6", detail=detail)]
    announce(connect(), run_id, "toy", decision("cannot tell", signals), "decision.1")
    assert [told["event"] for told in webhook.told] == events
    assert all(told["reasons"] == ["it is estimated at 0.6"] for told in webhook.told)


def test_an_experiment_tells_nobody(webhook: Webhook, released: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "try")
    released.run("ingest", "validate", "featurize", until="2024-05-10")
    released.run("gate", mode="always")
    assert webhook.told == []
