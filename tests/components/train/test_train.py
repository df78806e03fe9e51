"""Training with a real store: the same bytes again, a record of how, and only history."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import sklearn

from tidegate import models
from tidegate.scoring.scores import predict
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

Fails = Callable[..., list[str]]
outputs = ("model.skops", "baselines.skops", "reference/reference.parquet", "record.json")


def test_trained_again_everything_is_the_same_bytes_and_logged_once(trained: "World") -> None:
    before = {name: (trained / name).read_bytes() for name in outputs}
    for name in outputs:
        (trained / name).unlink()
    trained.run("train")
    assert {name: (trained / name).read_bytes() for name in outputs} == before
    client = connect()
    experiment = client.get_experiment_by_name("toy")
    assert experiment
    assert len(client.search_logged_models([experiment.experiment_id])) == 1
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.params["model.max_iter"] == "30"
    assert run.data.metrics["train_loss"] == trained.json("record")["train_loss"]
    assert {info.path for info in client.list_artifacts(run.info.run_id, "train")} == {
        "train/learning_curve.svg",
        "train/importances.svg",
    }


def test_the_record_says_how_it_was_made(trained: "World") -> None:
    record, batch = trained.json("record"), trained.json("batch")
    assert (record["batch"], record["data"], record["features"]) == (batch["id"], batch["data"], batch["features"])
    assert (record["rows"], record["from"], record["to"]) == (756, "2024-01-01T00:00:00", "2024-03-03T22:00:00")
    assert record["digest"] == models.digest((trained / "model.skops").read_bytes())
    assert record["baselines_digest"] == models.digest((trained / "baselines.skops").read_bytes())
    assert [point["rows"] for point in record["learning_curve"]] == [75, 151, 302, 604]
    assert next(iter(record["importances"])) == "price"
    assert record["estimator"]["parameters"]["max_iter"] == 30
    assert set(record["environment"]) == {"python", "system", "cpu", "blas", "lock", "tidegate", "wheel"}
    assert re.fullmatch("[0-9a-f]{64}", record["environment"]["lock"]) and "openblas" in record["environment"]["blas"]
    assert record["packages"]["scikit-learn"] == sklearn.__version__ and len(record["packages"]) > 50
    assert record["made_from"]["files"] == trained.json("manifest")["files"]
    assert record["made_from"]["recipe"]["window_days"] == 365


def test_the_reference_is_of_the_time_that_the_model_learned_from(trained: "World") -> None:
    assert trained.json("record")["reference"] == "all rows"
    reference, table = trained.table("reference/reference"), trained.table("features/features")
    assert list(reference) == ["at", "returned", "shop", "price", "rate", "prediction"]
    history = table[table["split"] == "history"]
    assert set(reference["at"]) == set(history["at"])
    model = models.load(trained / "model.skops", trained.json("record")["digest"])
    again = predict(model, reference, trained.json("record")["features"], "binary")
    assert np.array_equal(again, reference["prediction"])


def test_the_batch_teaches_nothing(trained: "World") -> None:
    before = (trained / "model.skops").read_bytes()
    table = trained.table("features/features")
    batch = table["split"] == "batch"
    table.loc[batch, "price"] = 0.0
    table.loc[batch, "returned"] = True
    table.to_parquet(trained / "features/features.parquet")
    trained.vouch()
    trained.run("train")
    assert (trained / "model.skops").read_bytes() == before
    table.loc[~batch, "price"] += 1
    table.to_parquet(trained / "features/features.parquet")
    trained.vouch()
    trained.run("train")
    assert (trained / "model.skops").read_bytes() != before


def test_a_shorter_window_learns_from_fewer_rows(trained: "World") -> None:
    trained.run("featurize", window_days=20)
    trained.run("train", window_days=20)
    assert (trained.json("record")["rows"], trained.json("record")["from"]) == (240, "2024-02-13T00:00:00")


@pytest.mark.parametrize(
    ("change", "days", "told"),
    [
        (
            ("max_iter: 30", "max_iter: none"),
            365,
            "model.yaml:2: parameters.max_iter: expected an int in the range [1, inf), found 'none'; correct it",
        ),
        (("max_iter: 30", "max_bins: 2, max_iter: 30"), 365, None),
        (("sklearn.ensemble.Hist", "my.own.Hist"), 365, "model.yaml:1: estimator: expected one of"),
        (
            ("max_iter", "max_iter"),
            8,
            "history of 8 days before 2024-03-04T00:00:00: expected at least 100 labelled rows, "
            "found 96; set train.window_days to 9 or more",
        ),
    ],
)
def test_what_cannot_be_trained_is_one_line_and_no_output(
    change: tuple[str, str], days: int, told: str | None, stored: "World", fails: Fails
) -> None:
    stored.edit("model.yaml", change)
    stored.run("featurize", window_days=days)
    if told is None:  # two bins are enough for two shops
        stored.run("train", window_days=days)
        return
    (line,) = fails(stored, "train", window_days=days)
    assert told in line
    assert not [name for name in outputs if (stored / name).exists()]


def test_a_model_yaml_that_is_no_yaml_is_told_before_training(stored: "World", fails: Fails) -> None:
    stored.edit("model.yaml", ("estimator: ", "- "))
    (line,) = fails(stored, "featurize")
    assert line.startswith("model.yaml:2: expected YAML, found")


def test_words_are_learned_from_in_every_step(stored: "World") -> None:
    words = "'parcel ' || orders.id || CASE WHEN abs(orders.price - 50) > 10 THEN ' heavy' ELSE ' light' END"
    stored.edit("features.sql", ("orders.shop,", f"CASE WHEN orders.id % 50 > 0 THEN {words} END AS note,"))
    stored.run("featurize", "gate", "train")
    assert stored.json("record")["dropped"] == {"note": "free text: 741 different values in 741 rows"}
    (stored / "model.yaml").write_text((stored / "model.yaml").read_text() + "transformers: {note: words}\n")
    stored.run("featurize", "gate", "train", "evaluate", "deploy")
    assert stored.json("record")["features"] == {"note": "words", "price": "number", "rate": "number"}
    assert stored.json("record")["importances"]["note"] > 0.1
    assert stored.json("release")["promoted"]
    stored.run("ingest", "validate", "featurize", "gate", "train", "evaluate", until="2024-04-29", mode="always")
    signals = stored.json("decision")["signals"]
    assert {one["column"] for one in signals if one["signal"] == "features"} == {"price", "rate"}
    assert stored.json("verdict")["champion"] == "1"


def test_a_missing_random_state_is_recorded(stored: "World") -> None:
    stored.edit("model.yaml", (", random_state: 0", ""))
    stored.run("featurize", "gate", "train")
    seed = stored.json("record")["estimator"]["parameters"]["random_state"]
    assert seed == int(stored.json("batch")["id"][:8], 16)
    before = (stored / "model.skops").read_bytes()
    stored.run("train")
    assert (stored / "model.skops").read_bytes() == before


def test_infinite_labels_are_none(stored: "World", fails: Fails) -> None:
    stored.edit("contract.yaml", ("task: binary", "task: regression"))
    stored.edit("model.yaml", ("Classifier", "Regressor"))
    stored.edit("features.sql", ("orders.kept_days < 14", "CASE WHEN orders.id > 9 THEN 1e308 * 10 ELSE 1 END"))
    stored.run("ingest", "validate", "featurize")
    (line,) = fails(stored, "train")
    assert "expected at least 100 labelled rows, found 9 in 756 rows; look at the label's SQL" in line


def test_what_libraries_warn_of_is_one_line_with_a_cure(stored: "World", capsys: pytest.CaptureFixture[str]) -> None:
    (stored / "model.yaml").write_text(
        "estimator: sklearn.neural_network.MLPClassifier\nparameters: {max_iter: 2, hidden_layer_sizes: [3]}\n"
    )
    stored.run("featurize", "gate", "train")
    told = capsys.readouterr()
    (line,) = [line for line in told.out.splitlines() if line.startswith("warning: ")]
    assert line.startswith("warning: Stochastic Optimizer: Maximum iterations (2) reached")
    assert line.endswith("; raise max_iter in model.yaml") and len(line) < 250
    assert "Warning" not in told.err


def test_a_long_warning_is_cut(stored: "World", capsys: pytest.CaptureFixture[str]) -> None:
    (stored / "model.yaml").write_text(
        "estimator: sklearn.linear_model.LogisticRegression\nparameters: {max_iter: 1}\n"
    )
    stored.run("featurize", "gate", "train")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning: ")]
    assert "failed to converge" in line and line.endswith(" …; raise max_iter in model.yaml") and len(line) < 250


def test_private_values_are_not_even_in_the_store(trained: "World") -> None:
    assert not [
        path
        for path in trained.folder.rglob("*")
        if path.is_file() and "data" not in path.parts and b"secret-" in path.read_bytes()
    ]
    assert "customer" not in pd.read_parquet(trained / "reference/reference.parquet")
