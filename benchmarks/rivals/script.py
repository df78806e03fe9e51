"""The rival of `benchmarks/cycle.py`: one turn as a data scientist writes it, in one script and one process.

It reads the CSV files, joins them by the problem's features.sql, compares the batch with history by Evidently, fits
the same estimator and both baselines, scores them on the batch, logs to MLflow and registers the model. It has no
contract, no check of significance, no journal and no record of what it was made from.
"""

import argparse
from pathlib import Path
from typing import Any

import duckdb
import mlflow
import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

REFERENCE_ROWS = 10_000
KEYS = ("time_hour", "carrier", "flight", "late")


def features(folder: Path) -> pd.DataFrame:
    """The rows of features.sql over the files in data/."""
    with duckdb.connect() as connection:
        for path in (folder / "data").glob("*.csv"):
            connection.execute(
                f"CREATE VIEW {path.stem} AS SELECT * FROM read_csv('{path}', nullstr = ['NA', ''], sample_size = -1)"
            )
        return connection.execute((folder / "features.sql").read_text(encoding="utf-8")).df()


def models(categories: list[str], numbers: list[str]) -> dict[str, Any]:
    """The estimator of model.yaml and two baselines."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=200)
    boosting = HistGradientBoostingClassifier(
        learning_rate=0.06,
        max_iter=150,
        max_leaf_nodes=8,
        min_samples_leaf=300,
        l2_regularization=10.0,
        random_state=0,
        categorical_features=list(range(len(categories))),
    )
    indicators = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20)
    scaled = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    linear = LogisticRegression(C=0.1, max_iter=200)
    return {
        "challenger": make_pipeline(make_column_transformer((codes, categories), ("passthrough", numbers)), boosting),
        "linear": make_pipeline(make_column_transformer((indicators, categories), (scaled, numbers)), linear),
        "dummy": DummyClassifier(strategy="prior"),
    }


def turn(folder: Path, until: str, days: int) -> None:
    """Train on what is older than the batch, score on the batch, log and register."""
    table = features(folder)
    table["time_hour"] = table["time_hour"].dt.tz_localize(None)
    table = table[table["time_hour"] < until]
    inputs = [name for name in table if name not in KEYS]
    categories = [name for name in inputs if not pd.api.types.is_numeric_dtype(table[name])]
    numbers = [name for name in inputs if name not in categories]
    table[numbers] = table[numbers].astype("float64")
    batch_rows = table["time_hour"] >= pd.Timestamp(until) - pd.Timedelta(days=days)
    history, batch = table[~batch_rows], table[batch_rows]
    definition = DataDefinition(categorical_columns=categories, numerical_columns=numbers)
    sample = history.sample(min(REFERENCE_ROWS, len(history)), random_state=0)
    sides = (Dataset.from_pandas(side[inputs], data_definition=definition) for side in (batch, sample))
    Report([DataDriftPreset()]).run(*sides).save_html(str(folder / "drift.html"))
    labelled, scored = (rows.dropna(subset=["late"]) for rows in (history, batch))
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'plain.db'}")
    mlflow.set_experiment("plain")
    with mlflow.start_run():
        for name, model in models(categories, numbers).items():
            model.fit(labelled[inputs], labelled["late"].astype(bool))
            predicted = model.predict_proba(scored[inputs])[:, 1]
            label = scored["late"].astype(bool)
            for metric in (log_loss, brier_score_loss, roc_auc_score, average_precision_score):
                mlflow.log_metric(f"{name}_{metric.__name__}", metric(label, predicted))
            if name == "challenger":
                mlflow.sklearn.log_model(
                    model, name="model", registered_model_name="plain", serialization_format="cloudpickle"
                )
        mlflow.log_artifact(str(folder / "drift.html"))


def main() -> None:
    """Run one turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="the folder of the problem")
    parser.add_argument("--until", required=True)
    parser.add_argument("--days", type=int, default=28)
    arguments = parser.parse_args()
    turn(arguments.folder, arguments.until, arguments.days)


if __name__ == "__main__":
    main()
