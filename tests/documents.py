"""Documents that are right, for tests to change."""

from dataclasses import replace
from typing import Any

from tidegate.documents.batch import Batch, Recipe
from tidegate.documents.findings import BrokenPromise, ColumnFindings, Findings, TableFindings
from tidegate.documents.manifest import Edges, Example, IngestedTable, Manifest
from tidegate.documents.record import Environment, Estimator, LearningPoint, MadeFrom, Record
from tidegate.documents.release import Release
from tidegate.documents.verdict import CheckResult, ModelMetrics, Policy, Question, SliceResult, Verdict

RECIPE = Recipe(contract="c" * 64, sql="5" * 64, estimator="e" * 64, window_days=365)
BATCH = Batch(
    id="d0855ff9d5721423",
    name="flights",
    data="d" * 32 + ".dir",
    start="2013-03-04T00:00:00",
    end="2013-04-01T00:00:00",
    rows=25_000,
    labelled_rows=24_100,
    history_rows=50_000,
    history_labelled_rows=49_000,
    features={"distance": "number"},
    recipe=RECIPE,
    files={"flights.csv": "f" * 32},
)
RECORD = Record(
    batch="b" * 16,
    data=BATCH.data,
    rows=50_000,
    from_="2013-01-01T10:00:00",
    to="2013-03-03T23:00:00",
    estimator=Estimator("sklearn.linear_model.LogisticRegression", {"C": 1.0}),
    features=BATCH.features,
    digest=f"sha256:{'0' * 64}",
    baselines_digest=f"sha256:{'1' * 64}",
    train_loss=0.5,
    learning_curve=[LearningPoint(25_000, 0.45, 0.55)],
    importances={"distance": 0.1},
    made_from=MadeFrom(BATCH.start, BATCH.end, RECIPE, BATCH.files),
    environment=Environment("3.11.7", "Linux x86_64", "a processor", "openblas", "a" * 64, "0.1.0", "e" * 64),
    packages={"numpy": "2.1.0"},
)
MANIFEST = Manifest(
    data=BATCH.data,
    until="2013-04-01",
    batch=Edges(BATCH.start, BATCH.end),
    files=BATCH.files,
    tables={
        "flights": IngestedTable(75_000, ("distance",), {"distance": Example(value="far", file="flights.csv", row=9)}),
        "planes": IngestedTable(3_000, ()),
    },
)
FINDINGS = Findings(
    accepted=False,
    max_bad_share=0.01,
    tables={
        "flights": TableFindings(
            rows=75_000,
            bad_rows=2,
            broken=(
                BrokenPromise("distance: a value of type number", 1, Example(value="far", file="flights.csv", row=9)),
                BrokenPromise("origin: no null", 1, Example(row=3)),
            ),
            unknown_columns=("colour",),
            violations=("column colour: expected one of the contract's columns, found an unknown one",),
            columns={
                "distance": ColumnFindings(0, 80.0, 4983.0, (5, 0, 2)),
                "origin": ColumnFindings(1, different=2, most=(("EWR", 0.6), ("JFK", 0.4))),
                "tailnum": ColumnFindings(0, different=3002),
            },
        )
    },
)
POLICY = Policy(margin=0.0, slice_rows=200, calibration=0.1, leak=0.99)
QUESTION = Question(challenger=f"sha256:{'c' * 64}", policy=POLICY)
CHECK = CheckResult(
    name="champion",
    passed=True,
    reason="better than the champion: log loss -0.0320 [-0.0500, -0.0100]",
    number=-0.032,
    interval=(-0.05, -0.01),
    rule="upper bound at most",
    limit=0.0,
)
MODELS = (
    ModelMetrics("challenger", 0.505, log_loss=0.505, brier=0.165, roc_auc=0.72, average_precision=0.45),
    ModelMetrics("champion", 0.537, log_loss=0.537, brier=0.178, roc_auc=0.7, average_precision=0.37),
    ModelMetrics("linear", 0.51, log_loss=0.51, brier=0.166, roc_auc=0.71, average_precision=0.44),
    ModelMetrics("dummy", 0.557, log_loss=0.557, brier=0.185, roc_auc=0.5, average_precision=0.25),
)
SLICE = SliceResult(
    slice="origin EWR",
    rows=8_823,
    challenger=0.535,
    champion=0.57,
    linear=0.531,
    dummy=0.608,
    difference=-0.035,
    interval=(-0.057, -0.011),
    passed=True,
)
VERDICT = Verdict(
    batch=BATCH.id,
    challenger=QUESTION.challenger,
    policy=POLICY,
    champion="1",
    accepted=True,
    reasons=(CHECK.reason,),
    rows=24_100,
    blocks=28,
    earlier_verdicts=0,
    smallest_difference=0.016,
    loss=0.505,
    loss_error=0.027,
    checks=(CHECK,),
    models=MODELS,
    slices=(SLICE,),
)
RELEASE = Release(
    batch=BATCH.id,
    name=BATCH.name,
    until="2013-04-01",
    promoted=True,
    waiting=False,
    version="2",
    champion="2",
    experiment=None,
    reason="retrained because of drift; accepted because it is better",
    verdict=VERDICT,
)


def batch_of(**changed: Any) -> Batch:
    """The batch, changed so."""
    return replace(BATCH, **changed)


def record_of(**changed: Any) -> Record:
    """The training record, changed so."""
    return replace(RECORD, **changed)


def verdict_of(**changed: Any) -> Verdict:
    """The verdict, changed so."""
    return replace(VERDICT, **changed)


def release_of(**changed: Any) -> Release:
    """The release, changed so."""
    return replace(RELEASE, **changed)
