"""Every page that a person opens, in a real browser: readable, adaptive, complete, harmless."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from selenium.webdriver import Chrome

import tidegate.commands
from tests import decisions
from tests.browsers import axe, browser, run_axe
from tests.documents import CHECK, POLICY, batch_of, verdict_of
from tidegate.commands.provenance.chart import chart
from tidegate.commands.provenance.markdown import Section
from tidegate.components.evaluate.checks import (
    Size,
    against_baseline,
    against_champion,
    calibrated,
    counted,
    in_slices,
)
from tidegate.components.evaluate.curves import curves
from tidegate.components.evaluate.page import write_verdict
from tidegate.components.evaluate.paired_difference import Difference
from tidegate.components.evaluate.pictures import intervals, panels
from tidegate.components.evaluate.slices import SliceDifference
from tidegate.components.gate.page import write_decision
from tidegate.components.gate.pictures import pictures
from tidegate.components.monitor.page import write_traffic
from tidegate.components.validate.findings import findings_of, table_findings
from tidegate.components.validate.page import TEMPLATE, values
from tidegate.components.validate.rules import MissingColumn
from tidegate.contract.contract import parse_contract
from tidegate.documents.decision import Answer, Feedback
from tidegate.documents.findings import BrokenPromise, ColumnFindings
from tidegate.documents.manifest import Example
from tidegate.documents.signal import (
    ColumnShare,
    SliceDecay,
    SliceDecayDetail,
    SliceDrift,
    SliceDriftDetail,
    TogetherDetail,
)
from tidegate.documents.traffic import Difference as RecordedDifference
from tidegate.documents.traffic import Hour, Traffic
from tidegate.documents.verdict import ModelMetrics, ModelName, SliceResult
from tidegate.pages.page import write_note, write_page
from tidegate.scoring.scores import metrics
from tidegate.scoring.tasks import TASKS, display
from tidegate.serving.hours import Known, hour

__all__ = ["browser"]
root = Path(tidegate.commands.__file__).parent
hostile = """<script>document.title = "owned"</script><img src=x onerror="document.title='owned'">"""
attribute = '" onload="document.title=`owned`" x="'
long_name = "a_very_long_name_of_a_column_that_somebody_typed" * 2
batch = batch_of(rows=26264, labelled_rows=24543)
contract = f"""
name: flights
purpose: late?
task: binary
event: flights
label: late
label_delay: 1d
horizon: 6h
block: 1d
slices: []
tables:
  flights:
    files: flights.csv
    time: time_hour
    key: [time_hour]
    columns:
      time_hour: {{type: timestamp}}
      delay: {{type: number, role: outcome, unit: min, range: [-120, 2880], nullable: true}}
      origin: {{type: text, values: [EWR, JFK, LGA]}}
      {long_name}: {{type: integer}}
"""


def _validate(path: Path, accepted: bool) -> str:
    missing = [] if accepted else [MissingColumn("origin", "a column of type text", hostile)]
    example = Example(value=attribute, file=hostile, row=3)
    broken = [BrokenPromise(f"delay: {hostile}", 7, example), BrokenPromise(f"{long_name}: no null", 2)]
    columns = {
        "time_hour": ColumnFindings(0),
        "delay": ColumnFindings(7, -20.0, 1e6, (5, 1, 0, 2)),
        long_name: ColumnFindings(0, different=12, most=((hostile, 0.5), (attribute, 0.25))),
    }
    if accepted:
        columns["origin"] = ColumnFindings(0, different=3, most=(("EWR", 0.4), (long_name, 0.3)))
    unknown = [] if accepted else [attribute, hostile]
    table = table_findings(80687, 9, broken, missing, [], unknown, 0.01, columns)
    page = values(findings_of({"flights": table}, 0.01), parse_contract(contract))
    write_page(path, TEMPLATE, f"flights {hostile}", **page)
    return (
        "Go on: the data keeps its contract, with 9 of 80,687 rows set aside"
        if accepted
        else "Stop: the data breaks its contract in 3 places"
    )


def _gate(path: Path, kind: str) -> str:
    reference, batch = decisions.frames(names=[hostile, long_name])
    kinds = {**decisions.kinds, hostile: "number", long_name: "number"}
    answers: dict[str, Answer] = {"first": "retrain", "retrain": "retrain", "cannot-tell": "cannot tell"}
    decision = decisions.decision(answers.get(kind, "keep"), **_changed(kind))
    past = decisions.past({"retrain": 18, "keep": 1, "many": 300}.get(kind, 0))
    write_decision(path, hostile, decision, pictures(reference, batch, kinds, decision.signals), past)
    return {
        "retrain": "The gate is open: retrain",
        "keep": "The gate is shut: keep the champion",
        "cannot tell": "Cannot tell: keep the champion",
    }[decision.decision]


def _changed(kind: str) -> dict[str, Any]:
    """What differs in a decision of this kind; every hostile name is somewhere in it."""
    if kind == "first":
        champion = decisions.signal("champion", "champion", "opens", reason="there is no champion yet")
        return {"champion": None, "signals": (champion,), "reasons": (champion.reason,), "would_change": ()}
    if kind == "cannot-tell":
        return {"champion": attribute, "reasons": (hostile,), "would_change": (attribute,)}
    signals = decisions.compared("shut", "shut", "shut") if kind == "many" else decisions.compared()
    if kind == "keep":
        for place in (2, 4, 11):
            signals[place] = replace(signals[place], state="cannot tell")
        columns = tuple(ColumnShare(name, 0.3, 0.2) for name in (hostile, attribute, long_name))
        signals[5] = replace(signals[5], state="opens", detail=TogetherDetail(0.7, None, columns))
        drifts = tuple(SliceDrift(name, 300, 0.5, 0.3) for name in (hostile, attribute, long_name))
        signals[6] = replace(signals[6], state="opens", detail=SliceDriftDetail("psi", drifts * 10))
        losses = tuple(SliceDecay(name, 300, 0.5, 0.3, (0.1, 0.3)) for name in (hostile, attribute, long_name))
        signals[7] = replace(signals[7], state="opens", detail=SliceDecayDetail(losses))
        signals += [decisions.feature(name, 0.01, 0.0, chance=None) for name in (hostile, attribute, long_name)]
    if kind == "many":
        signals += [decisions.feature(f"{long_name}_{place}", 0.01, 0.0) for place in range(500)]
    feedback = (
        Feedback("batch", attribute, "wrong", "", hostile, "2013-06-01", hostile),
        Feedback("ignore", long_name, "", "2013-09-01", "ann", "2013-06", long_name),
    )
    compared = decisions.decision("keep", signals).compared
    return {"signals": tuple(signals), "feedback": feedback, "compared": compared}


def _predicted(task: str, champion: bool) -> tuple[Any, dict[ModelName, Any]]:
    """Labels and what each model predicts; the champion knows a class less."""
    random = np.random.default_rng(0)
    truth = random.uniform(0.02, 0.7, 20000)
    if task == "regression":
        label = 1e4 * truth + random.normal(0, 900, len(truth))
        other, linear, dummy = 8e3 * truth, 9e3 * truth, np.full(len(truth), label.mean())
        return label, {"challenger": 1e4 * truth, "champion": other, "linear": linear, "dummy": dummy}
    label = (random.uniform(size=len(truth)) < truth).astype(np.float64)
    predicted: dict[ModelName, Any] = {"challenger": truth}
    if champion:
        predicted["champion"] = np.sqrt(truth)
    predicted |= {"linear": truth * 0.9, "dummy": np.full(len(truth), label.mean())}
    if task == "multiclass":
        names = np.where(label == 1, "late", np.where(random.uniform(size=len(truth)) < 0.3, hostile, "punctual"))
        columns = {"late": 1.0, "punctual": 0.7, hostile: 0.3}
        many: dict[ModelName, Any] = {
            name: pd.DataFrame(
                {key: value if key == "late" else (1 - value) * share for key, share in columns.items()}
            )
            for name, value in predicted.items()
        }
        many["champion"] = many["champion"].drop(columns=hostile)
        return names, many
    return label, predicted


def _evaluate(path: Path, accepted: bool, champion: str | None, task: str = "binary", many: int = 0) -> str:
    label, predicted = _predicted(task, champion is not None)
    gap = Difference(-0.0321, -0.0427, -0.0219) if accepted else Difference(0.001, -0.004, 0.0065)
    checks = [against_champion(gap, 0.005, TASKS[task], Size(11904, 28.0))] if champion else []
    linear = Difference(0.0022, -0.0021, 0.0064) if accepted else Difference(0.1, 0.05, 0.2)
    checks += [against_baseline("linear", linear, TASKS[task])]
    checks.append(against_baseline("dummy", Difference(-0.0524, -0.0686, -0.0371), TASKS[task]))
    parts = {
        "origin EWR": SliceDifference(-0.01, (-0.02, 0.004)),
        attribute: SliceDifference(0.1, None if accepted else (0.01, 0.2)),
    }
    held = in_slices(parts, "champion" if champion else "dummy", 0.005, TASKS[task])
    checks += [held] if held else []
    checks += [calibrated(Difference(0.01, 0.0, 0.02), 0.15), counted("hostile rows", 0, "fine", hostile)]
    checks.append(counted(f"behaviour: {hostile}", 0 if accepted else 1, "fine", attribute))
    loss = TASKS[task].loss
    scores = {name: metrics(label, values, task) for name, values in predicted.items()}
    models = tuple(ModelMetrics(name, own[loss], **own) for name, own in scores.items())
    losses = {each.model: each.loss for each in models}
    slices = [
        SliceResult(slice=name, rows=9000, **losses, difference=mean, interval=interval, passed=not interval)
        for name, (mean, interval) in parts.items()
    ]
    slices += [replace(slices[0], slice=f"{long_name} {number}") for number in range(many)]
    verdict = verdict_of(
        policy=replace(POLICY, margin=0.005),
        champion=champion,
        accepted=accepted,
        reasons=(*(check.reason for check in checks if check.passed == accepted), hostile),
        rows=len(label),
        earlier_verdicts=0 if accepted else 2,
        smallest_difference=0.0123 if champion else None,
        checks=tuple(checks),
        models=models,
        slices=tuple(slices),
        least_probability=1e-4,
        notes=(hostile, attribute),
    )
    promise = replace(parse_contract(contract), name=hostile, task=task)
    write_verdict(path, promise, batch, verdict, panels(task, label, predicted))
    if accepted:
        return "Accepted: the challenger may serve"
    return "Refused: the champion stays" if champion else "Refused: there is still no champion"


def _history(path: Path, turns: int) -> str:
    """A champion per turn, each promoted for hostile reasons."""
    metrics = dict.fromkeys(TASKS["binary"].metrics, 0.5)
    rows = [
        {
            "kind": "promotion",
            "from": str(turn) if turn else None,
            "to": str(turn + 1),
            "when": "2013-03-01T00:00:00+00:00",
            "who": attribute,
            "why": hostile if turn else long_name,
            "data": "bf6e0059346aa128fdd415cde8b8940c.dir" if turn else None,
            "commit": "c0ffee",
            "metrics": metrics if turn else {},
            "serves": turn == turns - 1,
        }
        for turn in range(turns)
    ]
    judged = [
        {"tidegate.until": f"2013-{turn + 3:02}-01", "challenger.log_loss": f"{0.5 + turn / 90}"}
        | ({"champion.log_loss": f"{0.6 - turn / 70}"} if turn else {})
        for turn in range(turns)
    ]
    waits = {"version": "9", "holds": False, "verdict": {"reasons": [hostile, long_name]}}
    task = TASKS["binary"]
    values = {"rows": rows, "waiting": [waits], "name": "flights", "task": task, "chart": chart(judged, task)}
    write_page(path, root / "reviewing/history.html", "flights: history of champions", display=display, **values)
    return f"flights: version {turns} serves" if turns else "flights: nothing serves yet"


def _card(path: Path) -> str:
    sections = [
        Section("Purpose", (hostile, attribute)),
        Section("Data", (), ("file", "MD5"), ((long_name, "bf6e0059346aa128fdd415cde8b8940c"), (hostile, "-"))),
    ]
    write_page(path, root / "provenance/card.html", "flights version 2: model card", sections=sections)
    return "flights version 2: model card"


beside = ("gate.html", "a/gate.html", "a/evidently.html", "x/#/experiments/1/runs/2")


def _review(path: Path) -> str:
    """Batches that were decided for hostile reasons, one of them judged."""
    judged = {"who": hostile, "said": "wrong", "why": long_name}
    row = {
        "batch": attribute,
        "rows": "26264",
        "reasons": hostile,
        "verdict": "refused",
        "verdict_reasons": long_name,
        "challenger_loss": "0.5123",
        "champion_loss": "0.5001",
        "champion": "1",
        "experiment": hostile,
        "run": beside[3],
        "feedback": judged,
        "gate": beside[1],
        "evidently": beside[2],
    }
    quiet = {"verdict": "", "feedback": None, "gate": None, "evidently": None, "run": None, "experiment": ""}
    found = [
        {**row, **({} if turn % 2 else quiet), "until": f"2013-{turn + 1:02}-01", "decision": said}
        for turn, said in enumerate(["cannot tell", "retrain", "keep"])
    ]
    asked = {"rows": "123", "reasons": hostile, "champion": attribute, "end": "2013-04-08T00:00:00"}
    windows = [
        {**asked, "decision": "retrain", "started": long_name, "page": beside[1]},
        {**asked, "decision": "keep", "started": "", "page": None},
    ]
    values = {"rows": found, "windows": windows, "name": "flights", "task": TASKS["binary"]}
    write_page(path, root / "reviewing/review.html", "flights: batches", **values)
    return "flights: 3 batches were decided"


def _traffic(path: Path, hours: int) -> str:
    """Requests of some hours, one of them without any, to features with hostile names."""
    random, names = np.random.default_rng(0), {hostile: "number", long_name: "category", "delay": "number"}
    reference = pd.DataFrame({hostile: random.normal(size=90), "delay": random.normal(size=90), "prediction": 0.4})
    record = SimpleNamespace(features=names, importances=dict.fromkeys(names, 0.3))
    champion: Any = SimpleNamespace(
        contract=SimpleNamespace(task="binary"),
        record=record,
        verdict=SimpleNamespace(loss=0.4),
        reference=reference.assign(**{long_name: attribute}),
    )
    known = Known({long_name: frozenset({attribute})})
    every = []
    for number in range(hours):
        rows = 0 if number == hours // 2 else 40
        frame = reference.head(rows).assign(**{long_name: [attribute, hostile] * (rows // 2)})
        start = datetime(2013, 4, 1) + timedelta(hours=number)
        own = hour(start, rows, frame, names, known, "binary") if rows else Hour(start.isoformat(), 0)
        every.append(replace(own, labelled_rows=rows, loss=0.5) if rows else own)
    traffic = Traffic(
        hostile,
        "77" * 8,
        attribute,
        "2013-04-01T00:00:00",
        "2013-04-02T00:00:00",
        40 * (hours - 1),
        {attribute: 40, long_name: 7},
        tuple(every),
        offline_rows=3 * hours,
        differences=(RecordedDifference(hostile, 0.5, 1.5), RecordedDifference(long_name, 0.1, None)),
        metrics={"log_loss": 0.5, "roc_auc": 0.7},
        notes=(hostile,),
    )
    write_traffic(path, traffic, decisions.decision("keep"), champion)
    return "The gate is shut: keep the champion"


def _note(path: Path) -> str:
    write_note(path, "Evidently has compared nothing", hostile)
    return "Evidently has compared nothing"


pages: Mapping[str, tuple[Any, ...]] = {
    "note": (_note,),
    "history": (_history, 6),
    "history-none": (_history, 0),
    "history-two": (_history, 2),
    "card": (_card,),
    "review": (_review,),
    "traffic": (_traffic, 24),
    "traffic-long": (_traffic, 24 * 14),
    "validate-accepted": (_validate, True),
    "validate-refused": (_validate, False),
    "gate-retrain": (_gate, "retrain"),
    "gate-keep": (_gate, "keep"),
    "gate-first": (_gate, "first"),
    "gate-cannot-tell": (_gate, "cannot-tell"),
    "gate-many": (_gate, "many"),
    "evaluate-accepted": (_evaluate, True, "1"),
    "evaluate-refused": (_evaluate, False, attribute),
    "evaluate-first": (_evaluate, False, None),
    "evaluate-multiclass": (_evaluate, True, "1", "multiclass"),
    "evaluate-many": (_evaluate, True, "1", "binary", 5000),
    "evaluate-regression": (_evaluate, True, "1", "regression"),
}


@pytest.fixture(scope="session", params=pages)
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """One page and the decision that it must begin with."""
    write, *arguments = pages[request.param]
    path = tmp_path_factory.mktemp("pages") / "report.html"
    return path, write(path, *arguments)


def _show(browser: Chrome, path: Path, width: int = 1100, theme: str = "light") -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    )
    browser.get(path.as_uri())


def _log(browser: Chrome, kind: str) -> list[dict[str, Any]]:
    """What the browser has noted since it was last asked."""
    return list(browser.get_log(kind))  # type: ignore[no-untyped-call]


def test_a_cooldown_that_is_over_is_no_limit_passed(tmp_path: Path) -> None:
    _gate(tmp_path / "gate.html", "keep")
    text = (tmp_path / "gate.html").read_text()
    assert 'cooldown <span class="state shut">over</span>' in text and 'aria-label="cooldown' not in text
    assert 'aria-label="age: 62, within 180"' in text


def test_the_file_is_small_escaped_and_needs_nothing_else(page: tuple[Path, str]) -> None:
    text = page[0].read_text()
    assert len(text.encode()) < 300_000
    assert "<script" not in text and "<img" not in text
    assert not re.search(r"(?i)https?:|@import|url\(|\bsrc=|<iframe|<object", unescape(text).replace(hostile, ""))
    assert set(re.findall(r'href="([^"]*)"', text)) <= {"data:,", "evidently.html", *beside}


def test_no_script_may_run(browser: Chrome, page: tuple[Path, str], tmp_path: Path) -> None:
    injected = "<main onclick='document.title = `owned`'><script>document.title = 'owned'</script>"
    (tmp_path / "page.html").write_text(page[0].read_text().replace("<main>", injected))
    _show(browser, tmp_path / "page.html")
    browser.execute_script("document.querySelector('main').click()")
    assert browser.title != "owned"
    _log(browser, "browser")  # that the scripts were refused


def test_hostile_text_is_shown_as_text(browser: Chrome, page: tuple[Path, str]) -> None:
    _show(browser, page[0])
    assert browser.title != "owned"
    assert browser.execute_script("return document.querySelectorAll('script, img, [onload], [onerror]').length") == 0
    assert hostile in browser.execute_script("return document.body.textContent")


def test_the_browser_has_nothing_to_complain_or_to_fetch(browser: Chrome, page: tuple[Path, str]) -> None:
    for kind in ("browser", "performance"):
        _log(browser, kind)
    _show(browser, page[0])
    assert _log(browser, "browser") == []
    events = [json.loads(entry["message"])["message"] for entry in _log(browser, "performance")]
    asked = {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}
    assert {url for url in asked if not url.startswith("data:")} == {page[0].as_uri()}


def test_the_decision_comes_first(browser: Chrome, page: tuple[Path, str]) -> None:
    _show(browser, page[0])
    headings = browser.execute_script("return [...document.querySelectorAll('h1')].map(item => item.textContent)")
    assert headings == [page[1]]
    first = browser.execute_script("return document.querySelector('main').firstElementChild.tagName")
    assert first == "H1"


@pytest.mark.parametrize("width", [360, 768, 1100])
def test_nothing_is_wider_than_the_screen(browser: Chrome, page: tuple[Path, str], width: int) -> None:
    _show(browser, page[0], width)
    assert browser.execute_script("return [innerWidth, document.documentElement.scrollWidth]") == [width, width]


@pytest.mark.parametrize(("write", "tables"), [("evaluate-accepted", 2), ("history", 1)])
def test_a_phone_shows_whole_tables(browser: Chrome, tmp_path: Path, write: str, tables: int) -> None:
    draw, *arguments = pages[write]
    draw(tmp_path / "report.html", *arguments)
    _show(browser, tmp_path / "report.html", 360)
    beyond = "return [...document.querySelectorAll('.scroll')].map(item => item.scrollWidth - item.clientWidth)"
    assert browser.execute_script(beyond) == [0] * tables


find_overlaps = """
const found = [];
for (const picture of document.querySelectorAll('svg')) {
  const texts = [...picture.querySelectorAll('text')].filter(text => text.textContent.trim());
  const boxes = texts.map(text => [text.textContent, text.getBoundingClientRect()]);
  boxes.forEach(([one, a], place) => boxes.slice(place + 1).forEach(([other, b]) => {
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (across > 1 && down > 3) found.push([one, other]);
  }));
}
return found;
"""


@pytest.mark.parametrize("width", [390, 1100])
def test_no_two_texts_of_a_picture_overlap(browser: Chrome, page: tuple[Path, str], width: int) -> None:
    _show(browser, page[0], width)
    assert browser.execute_script(find_overlaps) == []


read_texts = """
const shown = [...document.querySelectorAll('body *')].filter(item =>
  [...item.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
return shown.map(item => {
  const style = getComputedStyle(item);
  const painted = [...(function* () { for (let at = item; at; at = at.parentElement) yield at; })()]
    .map(at => getComputedStyle(at).backgroundColor).find(colour => !colour.startsWith('rgba(0, 0, 0, 0'));
  return [item.tagName, item.closest('svg') ? style.fill : style.color, painted, item.textContent.trim().slice(0, 40)];
});
"""
read_marks = """
const paper = getComputedStyle(document.body).backgroundColor;
return [...document.querySelectorAll('.curve, .axis, .limit, .good-mark, .bad-mark')].map(item =>
  [item.getAttribute('class'), getComputedStyle(item).stroke, paper, '']);
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_stand_out_in_both_themes(browser: Chrome, page: tuple[Path, str], theme: str) -> None:
    _show(browser, page[0], theme=theme)
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (_luminance(background) < 0.2) == (theme == "dark")
    texts = browser.execute_script(read_texts)
    text = page[0].read_text()
    headings = {"H1", "H2"} if "<h2" in text else {"H1"}
    of_tables = {"TH", "TD", "CAPTION"} if "<table" in text else set()
    assert headings | of_tables <= {text[0] for text in texts}
    assert [text for text in texts if _contrast(text[1], text[2]) < 4.5] == []
    assert [mark for mark in browser.execute_script(read_marks) if _contrast(mark[1], mark[2]) < 3] == []


def test_tables_and_pictures_say_what_they_are(browser: Chrome, page: tuple[Path, str]) -> None:
    _show(browser, page[0])
    wrong = browser.execute_script("""return [
      ...document.querySelectorAll('table:not(:has(> caption)), th:not([scope])'),
      ...document.querySelectorAll('svg:not([aria-label], [aria-hidden])'),
      ...[...document.querySelectorAll('svg[aria-label]')].filter(item => item.getAttribute('role') !== 'img'),
    ].map(item => item.outerHTML)""")
    assert wrong == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1100])
def test_axe_finds_nothing_serious(browser: Chrome, page: tuple[Path, str], width: int, theme: str) -> None:
    _show(browser, page[0], width, theme)
    browser.execute_script(axe)
    assert browser.execute_async_script(run_axe) == []


def test_axe_sees_what_is_wrong(browser: Chrome, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<title>t</title><p style='color: #ccc'>hardly to be read <img src=x>")
    _show(browser, tmp_path / "page.html")
    browser.execute_script(axe)
    found = {name for name, _ in browser.execute_async_script(run_axe)}
    assert {"color-contrast", "html-has-lang", "image-alt"} <= found


def test_curves_run_from_corner_to_corner_and_follow_the_rows() -> None:
    label = np.array([0.0, 0.0, 1.0, 1.0] * 50)
    perfect, useless = np.where(label == 1, 0.9, 0.1), np.full(len(label), 0.5)
    roc, calibration, precise = curves(label, {"challenger": perfect, "dummy": useless})
    assert precise.lines == {"challenger": [(0, 1), (1, 1), (1, 0.5)], "dummy": [(0, 0.5), (1, 0.5)]}
    assert roc.lines == {"challenger": [(0, 0), (0, 1), (1, 1)], "dummy": [(0, 0), (1, 1)]}
    assert calibration.lines == {"challenger": [(0.1, 0), (0.9, 1)], "dummy": [(0.5, 0.5)]}


def test_a_first_row_that_is_wrong_is_no_precision_of_zero() -> None:
    label, values = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.9, 0.8, 0.7, 0.1])
    line = curves(label, {"challenger": values})[2].lines["challenger"]
    assert line == [(0, 0.5), (0.5, 0.5), (1, 0.6667), (1, 0.5)]


def test_pictures_of_many_classes_stay_on_their_axes_and_know_what_a_model_does_not() -> None:
    label, predicted = _predicted("multiclass", True)
    roc, calibration, precise = panels("multiclass", label, predicted)
    for panel in (roc, calibration, precise):
        assert all(0 <= value <= 1 for line in panel.lines.values() for point in line for value in point)
    assert list(roc.lines) == ["challenger", "champion", "linear", "dummy"]
    wanted, found = zip(*calibration.lines["challenger"], strict=True)
    assert wanted == pytest.approx(found, abs=0.05)


def test_pictures_of_numbers_are_drawn_to_scale() -> None:
    label, predicted = np.arange(100.0), np.arange(100.0) + 10
    seen, sizes = panels("regression", label, {"challenger": predicted})
    (first, *_, last), ticks = seen.points, {tick["text"]: tick["at"] for tick in seen.x_ticks}
    assert (*first, *last) == pytest.approx((10 / 109, 0, 1, 99 / 109), abs=1e-4)
    assert ticks["50"] == pytest.approx(50 / 109, abs=1e-4)
    assert len(seen.lines["challenger"]) == 10
    assert {y for _, y in sizes.lines["challenger"]} == {1.0}
    constant = panels("regression", np.ones(5), {"challenger": np.ones(5)})
    assert constant[0].points[0] == (0.5, 0.5)


@pytest.mark.parametrize(
    ("mean", "lower", "upper", "limit"),
    [
        (-0.03, -0.04, -0.02, 0.0),
        (0.01, -0.01, 0.03, 0.005),
        (-3.0, -4.0, -2.0, 0.5),
        (0.0, 0.0, 0.0, 0.0),
    ],
)
def test_intervals_keep_their_order_within_the_picture(mean: float, lower: float, upper: float, limit: float) -> None:
    found = intervals([replace(CHECK, limit=limit, number=mean, interval=(lower, upper))])
    row = found.rows[0]
    assert 0 <= row.lower <= row.mean <= row.upper <= 1
    assert (row.upper <= row.limit) == (upper <= limit)
    assert (row.mean < found.zero) == (mean < 0)
    assert 2 <= len(found.ticks) <= 6
    assert all(0 <= tick["at"] <= 1 for tick in found.ticks)


def _contrast(first: str, second: str) -> float:
    dark, light = sorted((_luminance(first), _luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance of a CSS rgb() as WCAG defines it."""
    channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
