"""Every estimator that model.yaml may name fits, predicts, and comes back from its file."""

import json
import warnings
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from tests.tiers import large
from tidegate import models
from tidegate.components.train.encoding import FOR_NUMBERS
from tidegate.components.train.estimator_pipeline import baselines, challenger
from tidegate.components.train.estimators import ALLOWED, CLASSIFIERS, REGRESSORS, named
from tidegate.components.train.fit import fit
from tidegate.components.train.specification import Specification, parse_specification
from tidegate.process.errors import InputError
from tidegate.scoring.scores import labels as labels_of
from tidegate.scoring.scores import metrics, model_input, predict

kinds = {
    "shop": "category",
    "n": "number",
    "empty": "number",
    "blank": "category",
    "whole": "number",
    "yes": "category",
    "same": "category",
    "flat": "number",
    "note": "words",
}
parameters: dict[str, dict[str, Any]] = {
    "HistGradientBoostingClassifier": {"max_iter": 3, "learning_rate": 0.3, "min_samples_leaf": 10, "random_state": 0},
    "RandomForestClassifier": {"n_estimators": 3, "random_state": 0},
    "ExtraTreesClassifier": {"n_estimators": 3, "random_state": 0},
    "LogisticRegression": {"C": 0.5},
    "GradientBoostingClassifier": {"n_estimators": 3, "learning_rate": 0.3, "random_state": 0},
    "DecisionTreeClassifier": {"max_depth": 4, "random_state": 0},
    "ExtraTreeClassifier": {"min_samples_leaf": 5, "max_features": None, "random_state": 0},
    "HistGradientBoostingRegressor": {"max_iter": 4, "learning_rate": 0.5, "min_samples_leaf": 10, "random_state": 0},
    "RandomForestRegressor": {"n_estimators": 3, "random_state": 0},
    "ExtraTreesRegressor": {"n_estimators": 3, "random_state": 0},
    "GradientBoostingRegressor": {"n_estimators": 4, "learning_rate": 0.5, "random_state": 0},
    "LinearRegression": {},
    "Ridge": {"alpha": 0.5},
    "Lasso": {"alpha": 0.01},
    "ElasticNet": {"alpha": 0.01},
    "DecisionTreeRegressor": {"max_depth": 4, "random_state": 0},
    "ExtraTreeRegressor": {"min_samples_leaf": 5, "random_state": 0},
    "SGDClassifier": {"loss": "log_loss", "random_state": 0},
    "GaussianNB": {},
    "MLPClassifier": {"hidden_layer_sizes": [8], "max_iter": 60, "learning_rate_init": 0.01, "random_state": 0},
    "BayesianRidge": {},
    "HuberRegressor": {"epsilon": 3.0},
    "PoissonRegressor": {"alpha": 0.1},
    "GammaRegressor": {"alpha": 0.1},
    "TweedieRegressor": {"power": 1.5, "alpha": 0.1, "link": "log"},
    "SGDRegressor": {"random_state": 0},
    "MLPRegressor": {"hidden_layer_sizes": [8], "solver": "lbfgs", "random_state": 0},
}
positive = ("PoissonRegressor", "GammaRegressor", "TweedieRegressor")  # their link is the logarithm
ROWS = large(800, 300)
cases = [(task, path) for task, paths in ALLOWED.items() for path in paths]
sides = ("apple pear", "plum cherry", "grape", "", None)


@cache
def frame(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    made = pd.DataFrame(
        {
            "shop": random.choice([f"s{number}" for number in range(40)], rows).astype(object),
            "n": random.normal(size=rows),
            "empty": np.nan,
            "blank": None,
            "whole": random.integers(0, 5, rows),
            "yes": random.random(rows) < 0.5,
            "same": "always",
            "flat": 3.0,
            "note": random.choice(np.array(sides, dtype=object), rows),
        }
    )
    made.loc[random.random(rows) < 0.1, "shop"] = None
    made.loc[random.random(rows) < 0.1, "n"] = np.nan
    return made


def target(rows: pd.DataFrame, task: str = "binary", path: str = "") -> Any:
    known, near = rows["n"].fillna(0), (rows["shop"] < "s2").fillna(False)
    if path.endswith(positive):
        return np.exp(known.to_numpy() / 2 + 3)
    if task == "regression":
        return 1000 * known.to_numpy() + 500 * near.to_numpy(np.float64)
    noise = np.random.default_rng(len(rows)).normal(0, 0.3, len(rows))
    if task == "multiclass":
        return np.array(["high", "low", "middle"])[np.digitize(known + noise, [-0.4, 0.4])]
    return (known + near > 0.3).to_numpy(np.float64)


def specification(path: str, task: str = "binary", **extra: Any) -> Specification:
    """What model.yaml says when it names an estimator with the parameters above and others."""
    given = parameters[path.rsplit(".", 1)[1]] | extra
    return parse_specification(json.dumps({"estimator": path, "parameters": given}), task)


def fitted(
    path: str, task: str = "binary", rows: int = ROWS, own: Any = kinds, weight: Any = None, **extra: Any
) -> Any:
    given = frame(rows, 0)
    made = challenger(specification(path, task, **extra), own)
    return fit(made, model_input(given, own), target(given, task, path), weight)


@cache
def usual(path: str, task: str = "binary") -> Any:
    """The model that several tests ask, each of which leaves it as it is."""
    return fitted(path, task)


def back(model: Any, folder: Path) -> Any:
    """A model as it comes back from its file, through the checked loader."""
    return models.load(folder / "model.skops", models.save(model, folder / "model.skops"))


@cache
def strange() -> pd.DataFrame:
    """Rows unlike those that were learnt from: unseen categories, nothing known at all, huge numbers."""
    rows = frame(50, 2).copy()
    rows.loc[:9, ["shop", "same", "note"]] = "never seen"
    rows["yes"] = rows["yes"].astype(object)
    rows.loc[10:19] = None
    rows.loc[20:24, "n"] = 1e12
    rows.loc[25:29, "n"] = -np.inf
    rows["empty"], rows["blank"] = 1.0, "text"
    return rows


@pytest.mark.parametrize(("task", "path"), cases)
def test_it_fits_predicts_and_comes_back(task: str, path: str, tmp_path: Path) -> None:
    model = usual(path, task)
    loaded = back(model, tmp_path)
    for given in (frame(200, 1), strange(), frame(1, 0)):
        found: Any = np.asarray(predict(model, given, kinds, task))
        assert found.shape == ((len(given), 3) if task == "multiclass" else (len(given),))
        assert np.isfinite(found).all()
        assert task == "regression" or ((found >= 0) & (found <= 1)).all()
        assert np.asarray(predict(loaded, given, kinds, task)).tobytes() == found.tobytes()
    later = frame(400, 1)
    scored = metrics(target(later, task, path), predict(model, later, kinds, task), task)
    assert all(np.isfinite(list(scored.values())))
    assert scored["r2" if task == "regression" else "roc_auc"] > 0.7


@pytest.mark.parametrize(("task", "path"), cases)
def test_weights_are_learned_from(task: str, path: str, tmp_path: Path) -> None:
    weight = np.where(frame(ROWS, 0)["n"] > 0, 50.0, 0.1)
    made = usual(path, task), back(fitted(path, task, weight=weight), tmp_path)
    plain, weighted = (np.asarray(predict(model, frame(300, 1), kinds, task)) for model in made)
    assert np.isfinite(weighted).all()
    assert not np.array_equal(plain, weighted)


@pytest.mark.parametrize("name", kinds)
@pytest.mark.parametrize(("task", "path"), cases)
def test_one_feature_alone_is_enough(task: str, path: str, name: str, tmp_path: Path) -> None:
    own = {name: kinds[name]}
    loaded = back(fitted(path, task, 200, own), tmp_path)
    if path.endswith("GaussianNB") and name in ("empty", "blank", "shop", "same", "flat"):  # one indicator, always 1
        with pytest.raises(
            InputError, match=r"^predictions of GaussianNB: expected a number for each row, found none"
        ):
            predict(loaded, strange(), own, task)
        return
    assert np.isfinite(np.asarray(predict(loaded, strange(), own, task))).all()


@pytest.mark.parametrize("path", [path for path in CLASSIFIERS if "class_weight" in named(path)._get_param_names()])
@pytest.mark.parametrize(
    ("task", "class_weight"),
    [
        ("binary", "balanced"),
        ("binary", "{0: 1, 1: 9}"),
        ("binary", "{false: 1, true: 9}"),
        ("multiclass", "balanced"),
        ("multiclass", "{low: 9, middle: 1, high: 1}"),
    ],
)
def test_class_weights_pass_through(task: str, class_weight: Any, path: str, tmp_path: Path) -> None:
    rows, given = frame(ROWS, 0), json.dumps(parameters[path.rsplit(".", 1)[1]])[1:-1]
    text = f"estimator: {path}\nparameters: {{class_weight: {class_weight}, {given}}}"
    made = challenger(parse_specification(text, task), kinds)
    found = back(fit(made, model_input(rows, kinds), target(rows, task)), tmp_path)
    first, second = (np.asarray(predict(model, rows, kinds, task)) for model in (usual(path, task), found))
    assert not np.array_equal(first, second)


def test_class_weights_of_classes_that_yaml_takes_for_numbers() -> None:
    rows = frame(ROWS, 0).assign(grade=lambda made: (made["n"].fillna(0) > 0).astype(int))
    made = challenger(specification(CLASSIFIERS[1], "multiclass", class_weight={0: 1, 1: 5}), kinds)
    model = fit(made, model_input(rows, kinds), labels_of(rows, "grade", "multiclass"))
    assert list(model.classes_) == ["0", "1"]


@pytest.mark.parametrize(("task", "path"), cases)
def test_the_same_rows_give_the_same_bytes(task: str, path: str, tmp_path: Path) -> None:
    made = usual(path, task), fitted(path, task)
    assert len({models.save(model, tmp_path / "model.skops") for model in made}) == 1


@pytest.mark.parametrize("names", [["shop", "blank"], ["shop"], []])
def test_boosting_predicts_the_same_without_its_inner_encoder(names: list[str]) -> None:
    own = {"n": "number", **dict.fromkeys(names, "category")}
    rows, given = frame(ROWS, 0), pd.concat([frame(300, 1), strange()])
    whole = challenger(specification(CLASSIFIERS[0]), own).fit(model_input(rows, own), target(rows))
    stripped = fitted(CLASSIFIERS[0], own=own)
    assert (whole[-1]._preprocessor is not None) == bool(names)
    assert stripped[-1]._preprocessor is None
    first, second = (np.asarray(predict(model, given, own, "binary")) for model in (stripped, whole))
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize(
    ("task", "path", "extra"),
    [
        ("binary", "sklearn.linear_model.SGDClassifier", {"loss": "modified_huber"}),
        ("binary", "sklearn.linear_model.SGDClassifier", {"average": True, "early_stopping": True}),
        ("binary", CLASSIFIERS[0], {"early_stopping": True, "scoring": "accuracy"}),
        ("multiclass", CLASSIFIERS[0], {"early_stopping": True, "scoring": "neg_log_loss"}),
        ("multiclass", "sklearn.neural_network.MLPClassifier", {"early_stopping": True, "solver": "sgd"}),
        ("regression", "sklearn.neural_network.MLPRegressor", {"solver": "adam", "learning_rate_init": 0.5}),
        ("regression", "sklearn.linear_model.TweedieRegressor", {"power": 0, "link": "identity"}),
        ("regression", "sklearn.linear_model.SGDRegressor", {"loss": "epsilon_insensitive", "average": True}),
        ("regression", REGRESSORS[0], {"loss": "quantile", "quantile": 0.9}),
    ],
)
def test_what_only_training_needs_is_taken_out(task: str, path: str, extra: dict[str, Any], tmp_path: Path) -> None:
    model = fitted(path, task, **extra)
    found, again = (np.asarray(predict(known, strange(), kinds, task)) for known in (model, back(model, tmp_path)))
    assert found.tobytes() == again.tobytes()


@pytest.mark.parametrize("how", [*FOR_NUMBERS, None])
@pytest.mark.parametrize(
    "path", [CLASSIFIERS[0], "sklearn.linear_model.LogisticRegression", "sklearn.naive_bayes.GaussianNB"]
)
def test_numbers_are_transformed_as_named(path: str, how: str | None, tmp_path: Path) -> None:
    transformers = {} if how is None else {"n": how, "whole": "standard"}
    given = {"estimator": path, "parameters": parameters[path.rsplit(".", 1)[1]], "transformers": transformers}
    made = challenger(parse_specification(json.dumps(given), "binary"), kinds)
    rows = frame(ROWS, 0)
    model = back(fit(made, model_input(rows, kinds), target(rows)), tmp_path)
    assert np.isfinite(np.asarray(predict(model, strange(), kinds, "binary"))).all()
    names = [name for name, _, columns in model[0].transformers_ if columns != "note" and "n" in columns]
    assert names == [how or "number"]


def test_quantiles_take_the_sting_out_of_what_is_far_away() -> None:
    rows = frame(ROWS, 0)
    far = rows.assign(n=1e9)
    path, own = "sklearn.linear_model.LogisticRegression", {"n": "number"}
    spread = []
    for transformers in ({}, {"n": "quantile"}):
        made = challenger(
            parse_specification(json.dumps({"estimator": path, "transformers": transformers}), "binary"), own
        )
        model = fit(made, model_input(rows, own), target(rows))
        highest = rows.assign(n=rows["n"].max())
        spread.append(float(predict(model, far, own, "binary")[0]) - float(predict(model, highest, own, "binary")[0]))
    assert spread[0] > 0
    assert spread[1] == 0


@pytest.mark.parametrize(
    "path", [CLASSIFIERS[0], "sklearn.linear_model.LogisticRegression", "sklearn.ensemble.RandomForestClassifier"]
)
def test_words_are_learned_from(path: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    late = random.random(600) < 0.5
    note = [f"number {index} {'arrived late' if one else 'came in time'}" for index, one in enumerate(late)]
    rows, own = pd.DataFrame({"note": note}), {"note": "words"}
    model = back(fit(challenger(specification(path), own), model_input(rows, own), late.astype(float)), tmp_path)
    asked = pd.DataFrame({"note": ["NUMBER 7001 Arrived LATE!", "number 7002 came in time", None, ""]})
    found = np.asarray(predict(model, asked, own, "binary"))
    assert found[0] > 0.7 > 0.3 > found[1]
    assert found[2] == found[3]


def test_a_model_of_words_holds_no_word(tmp_path: Path) -> None:
    models.save(fitted("sklearn.linear_model.LogisticRegression", own={"note": "words"}), tmp_path / "model.skops")
    with zipfile.ZipFile(tmp_path / "model.skops") as found:
        assert not [name for name in found.namelist() if b"cherry" in found.read(name)]


def test_rare_categories_share_a_place() -> None:
    rows = frame(3000, 0).assign(shop=[f"s{number % 900}" for number in range(3000)])
    model = fit(challenger(specification(CLASSIFIERS[0]), kinds), model_input(rows, kinds), target(rows))
    assert np.isfinite(predict(model, strange(), kinds, "binary")).all()


def test_the_baselines_are_the_share_and_a_line(tmp_path: Path) -> None:
    rows = frame(ROWS, 0)
    made = {
        name: fit(model, model_input(rows, kinds), target(rows)) for name, model in baselines(kinds, "binary").items()
    }
    digest = models.save(made, tmp_path / "baselines.skops")
    loaded = models.load(tmp_path / "baselines.skops", digest)
    assert list(loaded) == ["dummy", "linear"]
    assert predict(loaded["dummy"], strange(), kinds, "binary") == pytest.approx(target(rows).mean())
    before, after = (np.asarray(predict(known["linear"], strange(), kinds, "binary")) for known in (made, loaded))
    assert before.tobytes() == after.tobytes()


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_the_baselines_of_other_tasks(task: str, tmp_path: Path) -> None:
    rows = frame(ROWS, 0)
    given = model_input(rows, kinds), target(rows, task)
    made = {name: fit(model, *given) for name, model in baselines(kinds, task).items()}
    models.save(made, tmp_path / "baselines.skops")
    loaded = models.load(tmp_path / "baselines.skops")
    found = np.asarray(predict(loaded["dummy"], strange(), kinds, task))
    shares = pd.Series(given[1]).value_counts(normalize=True).sort_index() if task == "multiclass" else given[1].mean()
    assert found == pytest.approx(np.broadcast_to(shares, found.shape))
    assert metrics(given[1], predict(loaded["linear"], rows, kinds, task), task) != metrics(
        given[1], predict(loaded["dummy"], rows, kinds, task), task
    )


@pytest.mark.parametrize(
    ("path", "extra"), [(CLASSIFIERS[1], {"bootstrap": False, "oob_score": True}), (CLASSIFIERS[0], {"max_bins": 10})]
)
def test_what_only_fitting_refuses_is_one_line_too(path: str, extra: dict[str, Any]) -> None:
    line = r": expected an estimator that fits, found .*; correct model\.yaml$"
    with pytest.raises(InputError, match=line) as caught:
        fitted(path, rows=300, **extra)
    assert "\n" not in str(caught.value)


def trained(task: str, path: str, place: Path) -> str:
    """The digest of an estimator and the baselines that learned from rows enough for several threads."""
    random = np.random.default_rng(0)
    rows = pd.DataFrame(random.normal(size=(20000, 60)), columns=[f"n{index}" for index in range(60)])
    number = np.exp((rows["n0"] * rows["n1"] + rows["n2"]).to_numpy() / 3)
    answers = number if task == "regression" else (number > 1).astype(float)
    own = dict.fromkeys(map(str, rows), "number")
    text = f"estimator: {path}\nparameters: {{{'max_iter: 4' if 'MLP' in path else ''}}}"
    made = {"own": challenger(parse_specification(text, task).seeded(1), own), **baselines(own, task)}
    with warnings.catch_warnings(action="ignore"):
        return models.save({name: fit(model, rows, answers) for name, model in made.items()}, place)


linear = ("LogisticRegression", "BayesianRidge", "HuberRegressor", "PoissonRegressor", "MLPRegressor")


@pytest.mark.parametrize(
    ("task", "path"), [case for case in cases if case[0] != "multiclass" and case[1].endswith(linear)]
)
def test_threads_leave_no_trace_in_the_bytes(task: str, path: str, tmp_path: Path) -> None:
    found = set()
    for threads in (1, 2):
        with threadpool_limits(threads):
            assert {pool["num_threads"] for pool in threadpool_info()} == {threads}
            found.add(trained(task, path, tmp_path / "model.skops"))
    assert len(found) == 1
