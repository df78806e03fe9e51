"""The steps as Kubeflow components: the ports of `components/<step>/__main__.py`, in Kubeflow's types."""

from collections.abc import Mapping
from typing import Any

from kfp import dsl
from kfp.dsl import HTML, Artifact, ClassificationMetrics, Dataset, Input, Metrics, Model, Output, OutputPath

IMAGE = "tidegate/steps:latest"


def _step(name: str, ports: Mapping[str, Any], metadata: bool = False) -> dsl.ContainerSpec:
    """The command line of step `name`; with `metadata` it receives the file for the numbers in Kubeflow's UI."""
    args = [word for port, value in ports.items() for word in (f"--{port}", getattr(value, "path", value))]
    return dsl.ContainerSpec(
        image=IMAGE,
        # The cluster ignores the image's ENTRYPOINT.
        command=["tidegate", "step", name],
        args=args + ["--executor-input", "{{$}}"] * metadata,
    )


@dsl.container_component
def collect(
    current_data_dvc: str,
    contract_yaml: str,
    remote: str,
    fetch: bool,
    requested_until: str,
    scheduled: str,
    created: str,
    repository: str,
    commit: str,
    data_dvc: OutputPath(str),  # type: ignore[valid-type]
    until: OutputPath(str),  # type: ignore[valid-type]
) -> dsl.ContainerSpec:
    """Add new rows of the sources to the newest version of the data, or pass on the current version."""
    return _step("collect", locals())


@dsl.container_component
def pull(
    data_dvc: str,
    contract_yaml: str,
    features_sql: str,
    model_yaml: str,
    remote: str,
    data: Output[Artifact],
    contract: Output[Artifact],
    sql: Output[Artifact],
    estimator: Output[Artifact],
) -> dsl.ContainerSpec:
    """Fetch one version of the data, and write the problem's files as artifacts."""
    return _step("pull", locals())


@dsl.container_component
def ingest(
    data: Input[Artifact],
    contract: Input[Artifact],
    until: str,
    batch_days: int,
    tables: Output[Dataset],
    manifest: Output[Artifact],
) -> dsl.ContainerSpec:
    """Read the raw files into one Parquet file per table, in a total order."""
    return _step("ingest", locals())


@dsl.container_component
def validate(
    tables: Input[Dataset],
    manifest: Input[Artifact],
    contract: Input[Artifact],
    max_bad_share: float,
    publish: str,
    clean: Output[Dataset],
    quarantine: Output[Dataset],
    findings: Output[Artifact],
    report: Output[HTML],
) -> dsl.ContainerSpec:
    """Check the tables against the contract: bad rows go to quarantine, a schema violation stops the run."""
    return _step("validate", locals())


@dsl.container_component
def featurize(
    clean: Input[Dataset],
    manifest: Input[Artifact],
    findings: Input[Artifact],
    contract: Input[Artifact],
    sql: Input[Artifact],
    estimator: Input[Artifact],
    window_days: int,
    features: Output[Dataset],
    batch: Output[Artifact],
) -> dsl.ContainerSpec:
    """Compute features from the clean tables by SQL, and mark the rows of the batch."""
    return _step("featurize", locals())


@dsl.container_component
def gate(
    clean: Input[Dataset],
    features: Input[Dataset],
    batch: Input[Artifact],
    contract: Input[Artifact],
    mode: str,
    off: str,
    sample_rows: int,
    minimum_rows: int,
    false_alarm_rate: float,
    minimum_effect: float,
    prediction_drift: float,
    label_drift: float,
    decay: float,
    together: float,
    slice_drift: float,
    estimate: float,
    max_age_days: int,
    cooldown_days: int,
    max_refused: int,
    refused_days: int,
    sign: str,
    target: str,
    service: str,
    decision: Output[Artifact],
    drift: Output[Artifact],
    evidently: Output[HTML],
    gate: Output[HTML],
    signals: Output[Metrics],
    retrain: OutputPath(bool),  # type: ignore[valid-type]
) -> dsl.ContainerSpec:
    """Decide by drift tests against the champion's training data whether to train a challenger."""
    return _step("gate", locals(), metadata=True)


@dsl.container_component
def train(
    features: Input[Dataset],
    batch: Input[Artifact],
    contract: Input[Artifact],
    sql: Input[Artifact],
    estimator: Input[Artifact],
    window_days: int,
    model: Output[Model],
    baselines: Output[Model],
    reference: Output[Dataset],
    record: Output[Artifact],
) -> dsl.ContainerSpec:
    """Fit the challenger and the baselines on the history."""
    return _step("train", locals())


@dsl.container_component
def evaluate(
    clean: Input[Dataset],
    features: Input[Dataset],
    batch: Input[Artifact],
    contract: Input[Artifact],
    model: Input[Model],
    baselines: Input[Model],
    record: Input[Artifact],
    margin: float,
    slice_rows: int,
    calibration: float,
    leak: float,
    sign: str,
    shadow: bool,
    recordings: str,
    verdict: Output[Artifact],
    report: Output[HTML],
    metrics: Output[Metrics],
    curves: Output[ClassificationMetrics],
) -> dsl.ContainerSpec:
    """Compare the challenger with the champion on the batch, on which neither was trained."""
    return _step("evaluate", locals(), metadata=True)


@dsl.container_component
def deploy(
    contract: Input[Artifact],
    sql: Input[Artifact],
    estimator: Input[Artifact],
    batch: Input[Artifact],
    decision: Input[Artifact],
    model: Input[Model],
    reference: Input[Dataset],
    record: Input[Artifact],
    verdict: Input[Artifact],
    approval: str,
    sign: str,
    target: str,
    service: str,
    canary_percent: int,
    watch_seconds: int,
    release: Output[Artifact],
) -> dsl.ContainerSpec:
    """Register the challenger and, if the verdict accepts it, make it the champion."""
    return _step("deploy", locals())


@dsl.container_component
def predict(
    name: str,
    version: str,
    source: str,
    target: str,
    tables: str,
    unknown: str,
    skip_bad: bool,
    sign: str,
    moment: str,
    answered: Output[Artifact],
) -> dsl.ContainerSpec:
    """Predict the rows of a file with the champion."""
    return _step("predict", locals())


@dsl.container_component
def monitor(
    name: str,
    window: str,
    until: str,
    recordings: str,
    tables: str,
    mode: str,
    off: str,
    sample_rows: int,
    minimum_rows: int,
    false_alarm_rate: float,
    minimum_effect: float,
    prediction_drift: float,
    label_drift: float,
    decay: float,
    together: float,
    slice_drift: float,
    estimate: float,
    max_age_days: int,
    cooldown_days: int,
    max_refused: int,
    refused_days: int,
    sign: str,
    decision: Output[Artifact],
    gate: Output[HTML],
    traffic: Output[Artifact],
    report: Output[HTML],
    retrain: OutputPath(bool),  # type: ignore[valid-type]
) -> dsl.ContainerSpec:
    """Judge what the champion was asked in a window by the gate's own logic."""
    return _step("monitor", locals())
