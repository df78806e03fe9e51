"""Chooses the first estimator: a linear model or gradient boosting, by their loss on the latest rows of the file."""

from typing import Any

import duckdb
import pandas as pd

from tidegate.components.train.estimator_pipeline import challenger
from tidegate.components.train.fit import fit
from tidegate.components.train.specification import parse_specification
from tidegate.contract.contract import quoted
from tidegate.scoring.scores import labels, least_known, losses, model_input, predict
from tidegate.tables.engine import cast

MOST_ROWS = 20_000
TAIL_SHARE = 0.25
BOOSTING = """\
estimator: sklearn.ensemble.HistGradientBoosting{}
parameters:
  learning_rate: 0.06
  max_iter: 150
  max_leaf_nodes: 15
  random_state: 0
"""
LINEAR = """\
estimator: sklearn.linear_model.{}
parameters:
  {}: 1.0
  random_state: 0
"""


def candidates(task: str) -> list[str]:
    """The candidate texts of model.yaml, the simplest first."""
    if task == "regression":
        return [LINEAR.format("Ridge", "alpha"), BOOSTING.format("Regressor")]
    return [LINEAR.format("LogisticRegression", "C"), BOOSTING.format("Classifier")]


def typed_view(connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, dict[str, Any]]) -> None:
    """Make the drafted rows a view `name` in their types, as features.sql finds them."""
    values = ", ".join(f"{cast(quoted(column), kind['type'])} AS {quoted(column)}" for column, kind in columns.items())
    connection.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS SELECT {values} FROM drafted")


def labelled_rows(connection: duckdb.DuckDBPyConnection, sql: str, time: str, label: str, task: str) -> pd.DataFrame:
    """The latest labelled rows as features.sql gives them, in the order of time."""
    text = "::VARCHAR" if task == "multiclass" else ""
    answer = (
        f"SELECT * REPLACE ({quoted(label)}{text} AS {quoted(label)}) FROM ({sql}) WHERE {quoted(label)} IS NOT NULL"
    )
    latest = f"{answer} ORDER BY {quoted(time)} DESC LIMIT {MOST_ROWS}"
    return connection.execute(f"SELECT * FROM ({latest}) ORDER BY {quoted(time)}").df()


def best(rows: pd.DataFrame, features: dict[str, str], label: str, task: str) -> str:
    """The text of model.yaml whose model has the least loss on the last quarter of the rows."""
    cut = int(len(rows) * (1 - TAIL_SHARE))
    head, tail = rows.iloc[:cut], rows.iloc[cut:]
    if head[label].nunique() < 2:
        return candidates(task)[0]
    mean_losses = {}
    for text in candidates(task):
        model = challenger(parse_specification(text, task), features)
        fitted = fit(model, model_input(head, features), labels(head, label, task))
        predicted = predict(fitted, tail, features, task)
        mean_losses[text] = losses(labels(tail, label, task), predicted, task, least_known(len(head))).mean()
    return min(mean_losses, key=lambda text: float(mean_losses[text]))
