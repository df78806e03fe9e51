"""The command of train."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import Any

import pandas as pd

from tidegate import models
from tidegate.components.train.environment import environment, packages
from tidegate.components.train.hyperparameters import class_faults
from tidegate.components.train.log import log_training
from tidegate.components.train.specification import Specification, parse_specification
from tidegate.components.train.text_columns import usable
from tidegate.components.train.training import Trained, TrainingSet, train_on
from tidegate.components.train.window import lone_classes, reference_sample, training_rows, without
from tidegate.contract.contract import Contract, parse_contract
from tidegate.documents.batch import Batch
from tidegate.documents.digests import check
from tidegate.documents.formats import read_table, read_text, write_tables
from tidegate.documents.record import MadeFrom, Record
from tidegate.process.command import Output, OutputFolder
from tidegate.scoring.scores import answers, labels, predict
from tidegate.scoring.seed import seed_of
from tidegate.tables.recipe import FILES, read_batch
from tidegate.tracking.artifacts import Content

REFERENCE_ROWS = 10_000
LONGEST_WARNING = 160
CURES = {"ConvergenceWarning": "raise max_iter in model.yaml"}


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
    texts = {"contract": read_text(contract), "sql": read_text(sql), "estimator": read_text(estimator)}
    promise = parse_contract(texts["contract"], str(contract))
    specification = parse_specification(texts["estimator"], promise.task, str(estimator))
    this = read_batch(batch, texts, window_days)
    check(this.digests, features=features)
    specification = specification.seeded(seed := seed_of(this))
    table = read_table(features, "features")
    training_set = _training_set(table, promise, this, specification, window_days)
    with _warnings_once():
        trained = train_on(training_set, seed, _print_line)
    columns = [promise.time, promise.label, *training_set.features]
    sample = reference_sample(table, training_set.rows, promise.time, columns, REFERENCE_ROWS, seed)
    sample = sample.assign(prediction=answers(predict(trained.model, sample, training_set.features, promise.task)))
    digests = models.save(trained.model, model), models.save(trained.baselines, baselines)
    training = _record(this, training_set, trained, *digests)
    write_tables(reference, {"reference": sample})
    training.write(record)
    files: dict[str, Content] = {FILES[part]: text for part, text in texts.items()}
    table_file = reference / "reference.parquet"
    files |= {"model.skops": model, "reference.parquet": table_file, "record.json": record}
    log_training(promise, this, training, files, sample)


def _print_line(line: str) -> None:
    print(line, flush=True)


@contextmanager
def _warnings_once() -> Iterator[None]:
    """What libraries warn of, such as a fit that has not converged, in our own form and once for all fits."""
    kinds: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *_: Any) -> None:
        kind = re.sub(r"[\d.]+", "", str(message))  # the fits differ in their numbers
        if kind not in kinds:
            kinds.add(kind)
            cure = CURES.get(category.__name__, "see its parameters in model.yaml")
            _print_line(f"warning: {shorten(str(message), LONGEST_WARNING, placeholder=' …').rstrip('.')}; {cure}")

    with warnings.catch_warnings():
        warnings.showwarning = show  # type: ignore[assignment]
        yield


def _training_set(
    table: pd.DataFrame, promise: Contract, batch: Batch, specification: Specification, window_days: int
) -> TrainingSet:
    """What is learned from; tells what is not."""
    rows = training_rows(table, promise, batch.start, window_days)
    if promise.task == "multiclass":
        specification.refuse(class_faults(specification.parameters, labels(rows, promise.label, promise.task)))
    if lone := lone_classes(rows, promise):
        _print_line(f"warning: {promise.label}: classes of one row are left out: {', '.join(lone)}")
    rows = without(rows, promise, lone).reset_index(drop=True)
    kinds, dropped = usable(rows, batch.features, specification)
    for name, reason in dropped.items():
        _print_line(f"warning: {name} is dropped: {reason}; model.yaml may name a transformer for it")
    return TrainingSet(rows, promise, kinds, specification, dropped, lone)


def _record(batch: Batch, training_set: TrainingSet, trained: Trained, digest: str, baselines_digest: str) -> Record:
    times = training_set.rows[training_set.promise.time]
    return Record(
        batch=batch.id,
        data=batch.data,
        rows=len(training_set.rows),
        from_=times.iloc[0].isoformat(),
        to=times.iloc[-1].isoformat(),
        estimator=training_set.specification.part(),
        features=training_set.features,
        dropped=training_set.dropped,
        lone_classes=training_set.lone,
        digest=digest,
        baselines_digest=baselines_digest,
        reference="all rows",
        train_loss=training_set.loss(trained.predicted),
        learning_curve=trained.curve,
        importances=trained.importances,
        made_from=MadeFrom(batch.start, batch.end, batch.recipe, batch.files),
        environment=environment(),
        packages=packages(),
    )
