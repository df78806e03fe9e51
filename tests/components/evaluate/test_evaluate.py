"""The verdict with a real store: the same rows for every model, the champion fed by its own query."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from components import models
from components.evaluate.pictures import panels
from components.scoring import labels, losses, predict

if TYPE_CHECKING:
    from tests.components.conftest import World

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
        labels(rows, "returned"), predict(model, rows, {"shop": "category", "price": "number", "rate": "number"})
    )
    assert trained.json("verdict")["loss"] == pytest.approx(loss.mean(), rel=1e-12)


def test_weights_count_in_the_verdict_and_in_its_pictures(stored: "World") -> None:
    stored.edit("contract.yaml", ("label_delay: 1d", "label_delay: 1d\nweight: size"))
    stored.edit("features.sql", ("rates.rate\n", "rates.rate, 1 + 9 * (orders.id % 2) AS size\n"))
    stored.run("featurize", "gate", "train", "evaluate")
    table = stored.table("features/features")
    rows = table[(table["split"] == "batch") & table["returned"].notna()]
    label, size = labels(rows, "returned"), rows["size"].to_numpy()
    predicted = predict(models.load(stored / "model.skops"), rows, stored.json("record")["features"])
    assert stored.json("verdict")["loss"] == pytest.approx(np.average(losses(label, predicted), weights=size))
    page, lines = (stored / "evaluate.html").read_text(), panels("binary", label, {"challenger": predicted}, size)
    assert "each counts by its size" in page
    for panel in lines:
        assert "".join(f"{x},{y} " for x, y in panel["lines"]["challenger"]) in page


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
    found: Any = trained.function("evaluate")(**flags)
    own = {name: value for name, value in scores(trained)["challenger"].items() if name not in ("model", "loss")}
    assert found == {"metrics": {"accepted": 1, **own}, "curves": trained.json("curves")}
    assert list(trained.json("curves")) == ["confidenceMetrics"]


def test_kubeflow_shows_the_champion_beside_the_challenger(judged: "World") -> None:
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
        world.run("featurize")
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
