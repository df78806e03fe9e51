"""The command of train."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from tidegate import models
from tidegate.components.train.environment import environment, packages
from tidegate.components.train.hyperparameters import class_faults
from tidegate.components.train.log import log_training
from tidegate.components.train.specification import Specification, read_specification
from tidegate.components.train.text_columns import usable
from tidegate.components.train.training import Learned, Lesson, learned
from tidegate.components.train.window import lone_classes, reference_sample, training_rows, without
from tidegate.contract.contract import Contract, read_contract
from tidegate.documents.batch import Batch
from tidegate.documents.formats import read_table, write_tables
from tidegate.documents.record import MadeFrom, Record
from tidegate.process.command import Output, OutputFolder
from tidegate.scoring.scores import labels
from tidegate.scoring.seed import seed_of

REFERENCE_ROWS = 10_000


def train(
    features: Path,
    batch: Path,
    contract: Path,
    sql: Path,
    estimator: Path,
    window_days: int,
    model: Output,
    baselines: Output,
    reference: OutputFolder,
    record: Output,
) -> None:
    """Fit the estimator of model.yaml and its baselines on history, and log how that went to the batch's run."""
    promise, this = read_contract(contract), Batch.read(batch)
    seed = seed_of(this)
    specification = read_specification(estimator, promise.task).seeded(seed)
    lesson = _lesson(read_table(features, "features"), promise, this, specification, window_days)
    with _warnings_on_a_line():
        found = learned(lesson, seed, _say)
    columns = [promise.time, promise.label, *lesson.features]
    sample = reference_sample(lesson.rows, found.predicted, columns, REFERENCE_ROWS, seed)
    digests = models.save(found.model, model), models.save(found.baselines, baselines)
    training = _record(this, lesson, found, *digests)
    write_tables(reference, {"reference": sample})
    training.write(record)
    texts = {"features.sql": sql, "contract.yaml": contract, "model.yaml": estimator}
    table = reference / "reference.parquet"
    files = {"model.skops": model, **texts, "reference.parquet": table, "record.json": record}
    log_training(promise, this, training, files, sample)


def _say(line: str) -> None:
    print(line, flush=True)


@contextmanager
def _warnings_on_a_line() -> Iterator[None]:
    """What libraries warn of, such as a fit that has not converged, in our own form."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: _say(f"warning: {' '.join(str(message).split())}")
        yield


def _lesson(
    table: pd.DataFrame, promise: Contract, batch: Batch, specification: Specification, window_days: int
) -> Lesson:
    """What is learned from; tells what is not."""
    rows = training_rows(table, promise, batch.start, window_days)
    if promise.task == "multiclass":
        specification.refuse(class_faults(specification.parameters, labels(rows, promise.label, promise.task)))
    if lone := lone_classes(rows, promise):
        _say(f"warning: {promise.label}: classes of one row are left out: {', '.join(lone)}")
    rows = without(rows, promise, lone).reset_index(drop=True)
    kinds, dropped = usable(rows, batch.features, specification)
    for name, reason in dropped.items():
        _say(f"warning: {name} is dropped: {reason}; model.yaml may name a transformer for it")
    return Lesson(rows, promise, kinds, specification, dropped, lone)


def _record(batch: Batch, lesson: Lesson, trained: Learned, digest: str, baselines_digest: str) -> Record:
    times = lesson.rows[lesson.promise.time]
    return Record(
        batch=batch.id,
        data=batch.data,
        rows=len(lesson.rows),
        from_=times.iloc[0].isoformat(),
        to=times.iloc[-1].isoformat(),
        estimator=lesson.specification.part(),
        features=lesson.features,
        dropped=lesson.dropped,
        lone_classes=lesson.lone,
        digest=digest,
        baselines_digest=baselines_digest,
        train_loss=lesson.loss(trained.predicted),
        learning_curve=trained.curve,
        importances=trained.importances,
        made_from=MadeFrom(batch.start, batch.end, batch.recipe, batch.files),
        environment=environment(),
        packages=packages(),
    )
