"""What is told of a training: to MLflow, with the batch's run."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from tidegate.components.train.pictures import importance_picture, learning_picture
from tidegate.contract.contract import Contract
from tidegate.documents.batch import Batch
from tidegate.documents.record import Record
from tidegate.scoring.scores import model_input
from tidegate.scoring.tasks import TASKS, Task
from tidegate.tracking import run_data
from tidegate.tracking.artifacts import Content
from tidegate.tracking.batch_runs import batch_run
from tidegate.tracking.models import log_model
from tidegate.tracking.run_data import Point
from tidegate.tracking.store import connect
from tidegate.tracking.tags import Tag


def log_training(
    contract: Contract,
    batch: Batch,
    record: Record,
    files: Mapping[str, Content],
    sample: pd.DataFrame,
) -> None:
    """Log the training with the batch's run: parameters, the learning curve, the data, pictures, the model's files."""
    client = connect()
    run_id = batch_run(client, contract.name, batch.id, {Tag.UNTIL: batch.end[:10]})
    settings = {f"model.{key}": value for key, value in record.estimator.parameters.items()}
    run_data.values(client, run_id, _params(record, settings), list(_points(record)))
    run_data.dataset(client, run_id, contract.event, batch.data, "training")
    run_data.files(client, run_id, _pictures(record, TASKS[contract.task]), "train")
    inputs = model_input(sample, record.features)
    log_model(client, run_id, contract.name, files, inputs, sample[["prediction"]], settings)


def _points(record: Record) -> Iterator[Point]:
    yield Point("train_loss", record.train_loss)
    for point in record.learning_curve:
        yield Point("learning_curve.train", point.train_loss, point.rows)
        yield Point("learning_curve.held_out", point.held_out_loss, point.rows)


def _params(record: Record, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "estimator": record.estimator.estimator,
        **settings,
        "train.from": record.from_,
        "train.to": record.to,
        "train.rows": record.rows,
        "features": len(record.features),
    }


def _pictures(record: Record, task: Task) -> dict[str, bytes]:
    return {
        "learning_curve.svg": learning_picture(record.learning_curve, task).encode(),
        "importances.svg": importance_picture(record.importances, task).encode(),
    }
