"""A saved model is the same bytes for the same state, and predicts bit for bit what it predicted before."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from tidegate import models
from tidegate.process.errors import ModelError

root = Path(__file__).parents[3]
frame = pd.DataFrame(
    {
        "number": np.random.default_rng(0).normal(size=300),
        "count": np.random.default_rng(1).integers(0, 9, 300).astype(float),
        "kind": np.random.default_rng(2).choice(list("xyz"), 300),
        "place": np.random.default_rng(3).choice(["p", "q", "r", "s"], 300, p=[0.49, 0.49, 0.01, 0.01]),
    }
)
frame.loc[::17, "number"] = np.nan
labels: dict[str, Any] = {
    "boolean": (frame["count"] > 4).to_numpy(),
    "integer": (frame["count"] > 4).to_numpy().astype(int),
    "text": np.array(["low", "middle", "high"])[(frame["count"] // 3).astype(int).clip(0, 2)],
    "number": frame["count"].to_numpy() * 1.5,
}

classifiers = [
    HistGradientBoostingClassifier(max_iter=5, max_features=0.5, random_state=0),
    HistGradientBoostingClassifier(max_iter=5, early_stopping=True, random_state=0),
    RandomForestClassifier(3, random_state=0),
    ExtraTreesClassifier(3, random_state=0),
    GradientBoostingClassifier(n_estimators=4, random_state=0),
    GradientBoostingClassifier(n_estimators=4, init="zero", subsample=0.5, random_state=0),
    LogisticRegression(),
    DecisionTreeClassifier(max_leaf_nodes=7, random_state=0),
    ExtraTreeClassifier(random_state=0),
    DummyClassifier(),
    GaussianNB(),
    SGDClassifier(loss="log_loss", random_state=0),
    MLPClassifier((4,), solver="lbfgs", max_iter=30, random_state=0),
]
regressors = [
    HistGradientBoostingRegressor(max_iter=5, random_state=0),
    HistGradientBoostingRegressor(max_iter=5, loss="quantile", quantile=0.3, random_state=0),
    HistGradientBoostingRegressor(max_iter=5, loss="poisson", random_state=0),
    RandomForestRegressor(3, random_state=0),
    ExtraTreesRegressor(3, random_state=0),
    GradientBoostingRegressor(n_estimators=4, random_state=0),
    GradientBoostingRegressor(n_estimators=4, loss="huber", random_state=0),
    LinearRegression(),
    Ridge(),
    Lasso(),
    ElasticNet(),
    DecisionTreeRegressor(random_state=0),
    ExtraTreeRegressor(random_state=0),
    DummyRegressor(),
    BayesianRidge(),
    PoissonRegressor(),
    TweedieRegressor(power=0),
    TweedieRegressor(power=1.5),
    SGDRegressor(random_state=0),
    MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", max_iter=30, random_state=0),
]
cases = [(estimator, label) for estimator in classifiers for label in ("boolean", "integer", "text")]
cases += [(estimator, "number") for estimator in regressors]


def prepared(estimator: Any) -> Pipeline:
    numbers = Pipeline([("impute", SimpleImputer(add_indicator=True)), ("scale", StandardScaler())])
    columns = ColumnTransformer(
        [
            ("ordinal", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["kind"]),
            ("onehot", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["kind", "place"]),
            ("rare", OneHotEncoder(drop="first", min_frequency=20, sparse_output=False), ["place"]),
            ("numbers", numbers, ["number"]),
            ("robust", RobustScaler(), ["count"]),
            ("range", MinMaxScaler(), ["count"]),
            ("quantile", QuantileTransformer(n_quantiles=20), ["count"]),
            ("rest", "passthrough", ["count"]),
        ]
    )
    return Pipeline([("columns", columns), ("estimator", estimator)])


def predictions(model: Any) -> Any:
    return getattr(model, "predict_proba", model.predict)(frame)


@pytest.mark.parametrize(("estimator", "label"), cases, ids=lambda case: case if isinstance(case, str) else str(case))
def test_predicts_the_same_bits_and_saves_the_same_bytes_after_a_load(
    estimator: Any, label: str, tmp_path: Path
) -> None:
    model = prepared(estimator).fit(frame, labels[label])
    digest = models.save(model, tmp_path / "first.skops")
    loaded = models.load(tmp_path / "first.skops", digest)
    assert predictions(loaded).tobytes() == predictions(model).tobytes()
    assert models.save(loaded, tmp_path / "second.skops") == digest


def test_a_dict_of_estimators_keeps_its_names_and_order(tmp_path: Path) -> None:
    baselines = {name: DummyRegressor(strategy=name).fit([[0], [1]], [1, 2]) for name in ("median", "mean")}
    models.save(baselines, tmp_path / "baselines.skops")
    assert list(models.load(tmp_path / "baselines.skops")) == ["median", "mean"]


training = """
import sys
from pathlib import Path
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
from tidegate import models
x = np.random.default_rng(0).normal(size=(3000, 6))
y = x[:, 0] * x[:, 1] + x[:, 2]
text = np.array(["a", "b", "c"])[np.digitize(y, [-1, 1])]
forest = RandomForestClassifier(5, random_state=0)
encoded = Pipeline([("encode", OneHotEncoder(sparse_output=False)), ("forest", forest)])
print(models.save({
    "two": HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(x, y > 0),
    "many": HistGradientBoostingClassifier(max_iter=5, random_state=0).fit(x, text),
    "number": HistGradientBoostingRegressor(max_iter=20, random_state=0).fit(x, y),
    "forest": encoded.fit(text.reshape(-1, 1), y > 0),
}, Path(sys.argv[1])))
"""


def test_threads_and_hash_seeds_leave_no_trace_in_the_bytes(tmp_path: Path) -> None:
    digests = []
    for threads, seed in (("1", "0"), ("2", "1"), ("4", "2")):
        path = tmp_path / f"{threads}.skops"
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)}
        command = [sys.executable, "-c", training, str(path)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        digests.append(done.stdout.strip())
        assert models.digest(path.read_bytes()) == digests[-1]
    assert len(set(digests)) == 1


def test_an_address_that_a_vectoriser_saw_leaves_no_trace_in_the_bytes(tmp_path: Path) -> None:
    digests = set()
    for address in (1, 2):
        vectoriser = HashingVectorizer(n_features=8)
        vectoriser._stop_words_id = address
        digests.add(models.save(vectoriser, tmp_path / "model.skops"))
    assert len(digests) == 1
    loaded, given = models.load(tmp_path / "model.skops"), ["one two", "", "two"]
    assert (loaded.transform(given) != HashingVectorizer(n_features=8).transform(given)).nnz == 0


def test_another_state_has_another_digest(tmp_path: Path) -> None:
    models_fitted = [Ridge().fit([[0], [1]], [0, slope]) for slope in (1, 1 + 1e-15)]
    assert len({models.save(model, tmp_path / "model.skops") for model in models_fitted}) == 2


def test_a_model_that_could_not_be_loaded_is_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    x = np.array([[0.0], [1.0]] * 30)
    native = HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]).fit(x, x.ravel())
    for model in (native, Pipeline([("dummy", DummyRegressor())], memory="cache"), {"answer": 42}, lambda: None):
        with pytest.raises(ModelError) as caught:
            models.save(model, path)
        assert "\n" not in str(caught.value)
        assert not list(tmp_path.iterdir())
