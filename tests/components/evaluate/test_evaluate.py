"""The verdict with a real store: the same rows for every model, the champion fed by its own query."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from tests.toy import forking
from tidegate import models
from tidegate.components.evaluate.contestants import predictions
from tidegate.components.evaluate.evaluation import labelled
from tidegate.components.evaluate.pictures import panels
from tidegate.contract.contract import read_contract
from tidegate.documents.batch import Batch
from tidegate.documents.formats import read_table
from tidegate.documents.record import Record
from tidegate.documents.verdict import Verdict
from tidegate.scoring.scores import labels, losses, predict
from tidegate.tracking.batch_runs import runs_about
from tidegate.tracking.champion import load_champion
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

Fails = Callable[..., list[str]]
outputs = ("verdict.json", "metrics.json", "curves.json", "evaluate.html")


def scores(world: "World") -> dict[str, dict[str, float]]:
    return {item["model"]: item for item in world.json("verdict")["models"]}


def test_the_first_challenger_is_judged_by_the_baselines(trained: "World") -> None:
    found = trained.json("verdict")
    assert (found["accepted"], found["champion"], found["rows"], found["blocks"]) == (True, None, 325, 28)
    names = ["linear", "dummy", "calibration", "leak", "hostile rows", "server"]
    assert [check["name"] for check in found["checks"]] == names
    assert list(scores(trained)) == ["challenger", "linear", "dummy"]
    assert trained.json("metrics")["challenger"]["log_loss"] == found["loss"]


def test_the_loss_is_that_of_the_labelled_rows_of_the_batch(trained: "World") -> None:
    table = trained.table("features/features")
    rows = table[(table["split"] == "batch") & table["returned"].notna()]
    model = models.load(trained / "model.skops")
    loss = losses(
        labels(rows, "returned", "binary"),
        predict(model, rows, {"shop": "category", "price": "number", "rate": "number"}, "binary"),
        "binary",
    )
    assert trained.json("verdict")["loss"] == pytest.approx(loss.mean(), rel=1e-12)


def test_weights_count_in_the_verdict_and_in_its_pictures(stored: "World") -> None:
    stored.edit("contract.yaml", ("label_delay: 1d", "label_delay: 1d\nweight: size"))
    stored.edit("features.sql", ("rates.rate\n", "rates.rate, 1 + 9 * (orders.id % 2) AS size\n"))
    stored.run("ingest", "validate", "featurize", "gate", "train", "evaluate")
    table = stored.table("features/features")
    rows = table[(table["split"] == "batch") & table["returned"].notna()]
    label, size = labels(rows, "returned", "binary"), rows["size"].to_numpy()
    predicted = predict(models.load(stored / "model.skops"), rows, stored.json("record")["features"], "binary")
    assert stored.json("verdict")["loss"] == pytest.approx(
        np.average(losses(label, predicted, "binary"), weights=size)
    )
    page, lines = (stored / "evaluate.html").read_text(), panels("binary", label, {"challenger": predicted}, size)
    assert "each counts by its size" in page
    for panel in lines:
        assert "".join(f"{x},{y} " for x, y in panel.lines["challenger"]) in page


def test_a_challenger_that_learned_what_changed_is_accepted_over_the_champion(judged: "World") -> None:
    found = judged.json("verdict")
    assert (found["accepted"], found["champion"]) == (True, "1")
    assert found["reasons"][0].startswith("better than the champion: log loss -")
    assert list(scores(judged)) == ["challenger", "champion", "linear", "dummy"]
    assert scores(judged)["champion"]["log_loss"] - found["loss"] == pytest.approx(-found["checks"][0]["number"])
    page = (judged / "evaluate.html").read_text()
    assert "Accepted: the challenger may serve" in page
    assert "version 1" in page


def test_a_challenger_that_learned_nothing_new_is_refused(released: "World") -> None:
    released.run("ingest", "validate", "featurize", until="2024-04-29")
    released.edit("model.yaml", ("max_iter: 30", "max_iter: 1"))
    released.run("featurize", "gate", "train", "evaluate", mode="always")
    found = released.json("verdict")
    assert not found["accepted"]
    assert found["reasons"][0].startswith("worse than the champion: log loss +")
    assert released.json("metrics")["accepted"] == 0


def test_a_challenger_compared_with_itself_differs_by_nothing(released: "World") -> None:
    released.run("ingest", "validate", "featurize", until="2024-04-29")
    batch = released.json("batch")
    made_from = {key: batch[key] for key in ("start", "end", "recipe", "files")}
    released.rewrite("record", batch=batch["id"], made_from=made_from)
    released.run("evaluate")  # model.skops is still the one that became version 1
    check = released.json("verdict")["checks"][0]
    assert (check["number"], check["interval"], check["passed"]) == (0.0, [0.0, 0.0], True)
    assert scores(released)["challenger"] | {"model": ""} == scores(released)["champion"] | {"model": ""}


def test_the_champion_is_fed_by_its_own_query(judged: "World") -> None:
    before = scores(judged)["champion"]
    judged.edit("features.sql", ("orders.shop, orders.price, rates.rate", "abs(orders.price - 50) AS distance"))
    judged.run("featurize", "gate", "train", "evaluate", window_days=39, mode="always")
    assert judged.json("batch")["features"] == {"distance": "number"}
    assert scores(judged)["champion"] == before
    assert judged.json("verdict")["accepted"]


def test_the_table_is_read_where_the_champion_s_own_query_says_the_same(judged: "World") -> None:
    batch, promise = Batch.read(judged / "batch.json"), read_contract(judged / "contract.yaml")
    own = load_champion(connect(), "toy", ())
    assert own and own.has_features_of(promise, batch)
    rows = labelled(read_table(judged / "features", "features"), promise, batch)
    paths = {name: judged.path("evaluate", name) for name in ("model", "baselines")}
    record = Record.read(judged / "record.json")
    by_table = predictions(own, rows, {**paths, "clean": judged / "nowhere"}, promise, batch, record)
    another = replace(batch, recipe=replace(batch.recipe, sql="another"))
    by_query = predictions(own, rows, {**paths, "clean": judged / "clean"}, promise, another, record)
    assert np.array_equal(np.asarray(by_table["champion"]), np.asarray(by_query["champion"]))
    for other in (replace(batch, features={**batch.features, "price": "category"}), replace(batch, features={})):
        assert not own.has_features_of(promise, other)


def test_a_champion_that_saw_the_batch_is_no_judge(released: "World", fails: Fails) -> None:
    released.run("ingest", "validate", "featurize", "gate", "train", until="2024-03-04", mode="always")
    before = released.snapshot()
    (line,) = fails(released, "evaluate")
    assert line == (
        "champion version 1: expected rows before 2024-02-05T00:00:00 only in its training, found rows up to "
        "2024-03-03T22:00:00; move ingest.until past them"
    )
    assert released.snapshot() == before


def test_a_champion_of_another_task_is_no_judge(released: "World", fails: Fails) -> None:
    released.edit("contract.yaml", ("task: binary", "task: multiclass"))
    released.run("ingest", "validate", "featurize", "gate", "train", until="2024-04-29", mode="always")
    (line,) = fails(released, "evaluate")
    assert line == (
        "champion version 1: expected the task multiclass of contract.yaml, found binary; "
        "give the new problem another name in contract.yaml"
    )


def test_a_released_batch_keeps_its_verdict(released: "World") -> None:
    before = {name: (released / name).read_bytes() for name in outputs}
    for name in outputs:
        (released / name).unlink()
    released.run("evaluate")  # against the champion that it has become, it would be another
    assert {name: (released / name).read_bytes() for name in outputs} == before


def test_the_metrics_are_shown_by_kubeflow(trained: "World") -> None:
    flags = trained.flags("evaluate")
    with forking():
        found: Any = trained.function("evaluate")(**flags)
    own = {name: value for name, value in scores(trained)["challenger"].items() if name not in ("model", "loss")}
    assert found == {"metrics": {"accepted": 1, **own}, "curves": trained.json("curves")}
    assert list(trained.json("curves")) == ["confidenceMetrics"]


def test_kubeflow_shows_the_champion_beside_the_challenger(judged: "World") -> None:
    with forking():
        found: Any = judged.function("evaluate")(**judged.flags("evaluate"))
    assert found["metrics"]["champion.log_loss"] == scores(judged)["champion"]["log_loss"]


def spoil(world: "World", case: str) -> dict[str, Any]:
    if case == "bytes":
        data = (world / "model.skops").read_bytes()
        (world / "model.skops").write_bytes(data[:-1] + b"x")
    elif case == "baselines":
        (world / "baselines.skops").write_bytes((world / "model.skops").read_bytes())
    elif case == "labels":
        world.edit("contract.yaml", ("label_delay: 1d", "label_delay: 9w"))
        world.run("ingest", "validate", "featurize")
        batch = world.json("batch")
        made_from = world.json("record")["made_from"] | {"recipe": batch["recipe"]}
        world.rewrite("record", batch=batch["id"], made_from=made_from)
    return {}


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("bytes", "model.skops: expected sha256:"),
        ("baselines", "baselines.skops: expected sha256:"),
        (
            "labels",
            "batch 2024-03-04 to 2024-04-01: returned: expected labelled rows of both outcomes, found 0 rows of 0",
        ),
    ],
)
def test_what_cannot_be_judged_is_one_line(case: str, told: str, trained: "World", fails: Fails) -> None:
    spoil(trained, case)
    before = trained.snapshot()
    (line,) = fails(trained, "evaluate")
    assert told in line
    assert trained.snapshot() == before


def test_a_verdict_keeps_its_schema(trained: "World", judged: "World") -> None:
    validator = Draft202012Validator(Verdict.schema())
    for world in (trained, judged):
        validator.validate(world.json("verdict"))
        assert Verdict.read(world / "verdict.json").document().items() <= world.json("verdict").items()
    changed = trained.json("verdict") | {"checks": [{"name": "champion", "passed": True}]}
    assert not validator.is_valid(changed)


def test_a_challenger_that_saw_the_batch_is_not_judged(trained: "World", fails: Fails) -> None:
    for change, place, found in (
        ({"to": "2024-03-04T00:00:00"}, "challenger: expected ", "rows up to 2024-03-04T00:00:00"),
        ({"to": 5}, "record.json: to: expected a valid string", "found 5"),
    ):
        trained.rewrite("record", **change)
        (line,) = fails(trained, "evaluate")
        assert place in line and found in line


def test_judging_again_gives_the_same_bytes(trained: "World") -> None:
    before = {name: (trained / name).read_bytes() for name in outputs}
    trained.run("evaluate")
    assert {name: (trained / name).read_bytes() for name in outputs} == before


def test_rows_that_decided_before_are_counted_and_shown(trained: "World") -> None:
    assert trained.json("verdict")["earlier_verdicts"] == 0
    assert "No earlier verdict has used them." in (trained / "evaluate.html").read_text()
    trained.run("evaluate", margin=0.5)
    trained.edit("model.yaml", ("max_iter: 30", "max_iter: 29"))
    trained.run("featurize", "gate", "train", "evaluate")  # another batch, with the same rows
    assert trained.json("verdict")["earlier_verdicts"] == 2
    assert "They were used for 2 earlier verdicts" in (trained / "evaluate.html").read_text()


def test_size_and_latency_are_logged_and_in_no_file(trained: "World") -> None:
    (run,) = [run for run in runs_about(connect(), "toy") if "challenger.bytes" in run.data.metrics]
    assert run.data.metrics["challenger.bytes"] == (trained / "model.skops").stat().st_size
    for name in ("load", "one_row", "golden"):
        assert run.data.metrics[f"challenger.{name}_milliseconds"] > 0
    files = "".join((trained / name).read_text() for name in outputs)
    assert "milliseconds" not in files and "bytes" not in files


def test_a_behaviour_that_is_promised_is_held_against_the_challenger(trained: "World") -> None:
    tests = """\
behaviour:
  usual prices stay:
    {test: minimum, given: {price: 50}, at_most: 0.5}
  unusual prices come back:
    {test: direction, feature: price, values: [50, 65, 80], effect: up, tolerance: 0.05}
  shops are alike:
    {test: invariance, feature: shop, values: [north, south], tolerance: 0.01}
tables:
"""
    trained.edit("contract.yaml", ("tables:\n", tests))
    trained.run("ingest", "validate", "featurize", "gate", "train", "evaluate")
    found = trained.json("verdict")
    passed = {item["name"]: item["passed"] for item in found["checks"] if item["name"].startswith("behaviour: ")}
    assert passed == {
        "behaviour: usual prices stay": True,
        "behaviour: unusual prices come back": True,
        "behaviour: shops are alike": False,  # the south does send more back
    }
    assert not found["accepted"]
    assert found["reasons"] == [item["reason"] for item in found["checks"] if not item["passed"]]
    assert "fails 'shops are alike': predictions move by 0." in found["reasons"][0]


def test_a_behaviour_of_a_feature_that_there_is_none_of_stops_before_training(world: "World", fails: Fails) -> None:
    test = "behaviour: {a: {test: invariance, feature: prices, values: [1, 2]}}\ntables:\n"
    world.edit("contract.yaml", ("tables:\n", test))
    world.run("ingest", "validate")
    (line,) = fails(world, "featurize")
    assert line.startswith("contract.yaml: behaviour.a: expected a feature (shop, price, rate), found 'prices'")


def permuted(world: "World") -> None:
    table = world.table("features/features")
    history = table["split"] == "history"
    shuffled = table.loc[history, "returned"].sample(frac=1, random_state=0)
    table.loc[history, "returned"] = shuffled.to_numpy()
    table.to_parquet(world / "features/features.parquet")
    world.vouch()


def test_a_challenger_of_permuted_labels_is_refused(released: "World") -> None:
    released.run("ingest", "validate", "featurize", "gate", until="2024-04-29", mode="always")
    permuted(released)
    released.run("train", "evaluate")
    found = released.json("verdict")
    assert not found["accepted"]
    failed = [item["name"] for item in found["checks"] if not item["passed"]]
    assert failed[:3] == ["champion", "linear", "dummy"] or failed[:2] == ["champion", "dummy"]
    assert found["reasons"][0].startswith("worse than the champion")


def test_a_leaked_column_is_refused_by_its_name(stored: "World") -> None:
    """Somebody forgot that the days are known only after the event, and blurred them enough to pass featurize."""
    stored.run("gate")
    table = stored.table("features/features")
    days = np.where(table["returned"].fillna(False).astype(bool), 7.0, 30.0)
    table["blurred"] = days + np.random.default_rng(0).normal(0, 2, len(table))
    table.to_parquet(stored / "features/features.parquet")
    stored.rewrite("batch", features=stored.json("batch")["features"] | {"blurred": "number"})
    stored.vouch()
    stored.run("train", "evaluate")
    found = stored.json("verdict")
    assert [item["name"] for item in found["checks"] if not item["passed"]] == ["leak"]
    assert found["reasons"][0].startswith("a feature tells the label, as a leak does: blurred explains ")
