"""The command of train."""

import io
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from components import models
from components.command import run
from components.contract import Contract, read_contract
from components.formats import read_json, read_table, read_yaml, write_json, write_tables
from components.scoring import labels, losses, mean, model_input, predict, weights
from components.tasks import tasks
from components.tracking import logs
from components.tracking.models import log_model
from components.tracking.runs import batch_run
from components.tracking.store import connect
from components.train.building import baselines as simple_models
from components.train.building import challenger, fit
from components.train.learning import importances, learning_curve, split_tail
from components.train.pictures import importance_picture, learning_picture
from components.train.texts import usable
from components.train.window import reference_sample, training_rows

reference_rows = 10_000


def train(
    features: Path,
    batch: Path,
    contract: Path,
    sql: Path,
    estimator: Path,
    window_days: int,
    model: Path,
    baselines: Path,
    reference: Path,
    record: Path,
) -> None:
    """Fit the estimator of model.yaml and its baselines on history, and log how that went to the batch's run."""
    promise, this, specification = read_contract(contract), read_json(batch), read_yaml(estimator)
    seed = int(this["id"][:8], 16)
    rows = training_rows(read_table(features, "features"), promise, this["start"], window_days)
    challenger(specification, this["features"], promise.task)  # what model.yaml gets wrong is told first
    kinds, dropped = usable(rows, this["features"], specification)
    for name, reason in dropped.items():
        print(f"warning: {name} is dropped: {reason}; model.yaml may name a transformer for it", flush=True)
    head, tail = split_tail(rows, promise.time)
    curve, held_out = learning_curve(
        lambda: challenger(specification, kinds, promise.task),
        head,
        tail,
        promise,
        kinds,
        lambda line: print(line, flush=True),
    )
    found = importances(held_out, tail, promise, kinds, seed)
    inputs, target = model_input(rows, kinds), labels(rows, promise.label, promise.task)
    weight = weights(rows, promise.weight)
    fitted = fit(challenger(specification, kinds, promise.task), inputs, target, weight)
    simple = {name: fit(made, inputs, target, weight) for name, made in simple_models(kinds, promise.task).items()}
    predicted = predict(fitted, rows, kinds, promise.task)
    sample = reference_sample(rows, predicted, [promise.time, promise.label, *kinds], reference_rows, seed)
    document = {
        "batch": this["id"],
        "data": this["data"],
        "rows": len(rows),
        "from": rows[promise.time].iloc[0].isoformat(),
        "to": rows[promise.time].iloc[-1].isoformat(),
        "estimator": specification,
        "features": kinds,
        **({"dropped": dropped} if dropped else {}),
        "digest": models.save(fitted, model),
        "baselines_digest": models.save(simple, baselines),
        "train_loss": mean(losses(target, predicted, promise.task), weight),
        "learning_curve": curve,
        "importances": found,
        "environment": _environment(),
    }
    write_tables(reference, {"reference": sample})
    write_json(record, document)
    _log(
        promise,
        this,
        document,
        {
            "model.skops": model,
            "features.sql": sql,
            "contract.yaml": contract,
            "model.yaml": estimator,
            "reference.parquet": reference / "reference.parquet",
            "record.json": record,
        },
        sample,
    )


def _environment() -> dict[str, str]:
    """What else the bytes of a model depend on."""
    packages = {name: version(name) for name in ("scikit-learn", "numpy", "scipy", "pandas", "skops")}
    return {"python": platform.python_version(), **packages}


def _log(
    contract: Contract,
    batch: Mapping[str, Any],
    record: Mapping[str, Any],
    files: Mapping[str, Path],
    sample: pd.DataFrame,
) -> None:
    client = connect()
    run_id = batch_run(client, contract.name, batch["id"], {"tidegate.until": batch["end"][:10]})
    settings = {f"model.{key}": value for key, value in (record["estimator"].get("parameters") or {}).items()}
    logs.params(
        client,
        run_id,
        {
            "estimator": record["estimator"]["estimator"],
            **settings,
            "train.from": record["from"],
            "train.to": record["to"],
            "train.rows": record["rows"],
            "features": len(record["features"]),
        },
    )
    logs.metrics(client, run_id, {"train_loss": record["train_loss"]})
    for point in record["learning_curve"]:
        curve = {"learning_curve.train": point["train_loss"], "learning_curve.held_out": point["held_out_loss"]}
        logs.metrics(client, run_id, curve, step=point["rows"])
    logs.dataset(client, run_id, contract.event, batch["data"], "training")
    pictures = {
        "learning_curve.png": learning_picture(record["learning_curve"], tasks[contract.task]),
        "importances.png": importance_picture(record["importances"], tasks[contract.task]),
    }
    logs.files(client, run_id, {name: _png(figure) for name, figure in pictures.items()}, "train")
    inputs = model_input(sample, record["features"])
    log_model(client, run_id, contract.name, files, inputs, sample[["prediction"]], settings)


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()


if __name__ == "__main__":
    run(train)
