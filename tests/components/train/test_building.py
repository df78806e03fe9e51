"""Every estimator that model.yaml may name fits, predicts, and comes back from its file."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from components import models
from components.errors import InputError
from components.scoring import labels as labels_of
from components.scoring import metrics, model_input, predict
from components.train.building import baselines, challenger
from components.train.estimators import allowed, classifiers, regressors
from components.train.fitting import fit

kinds = {"shop": "category", "n": "number", "empty": "number", "blank": "category", "whole": "number"}
parameters: dict[str, dict[str, Any]] = {
    "HistGradientBoostingClassifier": {"max_iter": 8, "min_samples_leaf": 10, "random_state": 0},
    "RandomForestClassifier": {"n_estimators": 5, "random_state": 0},
    "ExtraTreesClassifier": {"n_estimators": 5, "random_state": 0},
    "LogisticRegression": {"C": 0.5},
    "GradientBoostingClassifier": {"n_estimators": 8, "random_state": 0},
    "DecisionTreeClassifier": {"max_depth": 4, "random_state": 0},
    "ExtraTreeClassifier": {"min_samples_leaf": 5, "random_state": 0},
    "HistGradientBoostingRegressor": {"max_iter": 20, "min_samples_leaf": 10, "random_state": 0},
    "RandomForestRegressor": {"n_estimators": 5, "random_state": 0},
    "ExtraTreesRegressor": {"n_estimators": 5, "random_state": 0},
    "GradientBoostingRegressor": {"n_estimators": 20, "random_state": 0},
    "LinearRegression": {},
    "Ridge": {"alpha": 0.5},
    "Lasso": {"alpha": 0.01},
    "ElasticNet": {"alpha": 0.01},
    "DecisionTreeRegressor": {"max_depth": 4, "random_state": 0},
    "ExtraTreeRegressor": {"min_samples_leaf": 5, "random_state": 0},
}
cases = [(task, path) for task, paths in allowed.items() for path in paths]


def frame(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    made = pd.DataFrame(
        {
            "shop": random.choice([f"s{number}" for number in range(40)], rows).astype(object),
            "n": random.normal(size=rows),
            "empty": np.nan,
            "blank": None,
            "whole": random.integers(0, 5, rows),
        }
    )
    made.loc[random.random(rows) < 0.1, "shop"] = None
    made.loc[random.random(rows) < 0.1, "n"] = np.nan
    return made


def target(rows: pd.DataFrame, task: str = "binary") -> Any:
    if task == "regression":
        return 1000 * rows["n"].fillna(0).to_numpy() + 500 * (rows["shop"] < "s2").fillna(False).to_numpy(np.float64)
    noise = np.random.default_rng(len(rows)).normal(0, 0.3, len(rows))
    if task == "multiclass":
        return np.array(["high", "low", "middle"])[np.digitize(rows["n"].fillna(0) + noise, [-0.4, 0.4])]
    return (rows["n"].fillna(0) + (rows["shop"] < "s2").fillna(False) > 0.3).to_numpy(np.float64)


def specification(path: str, **extra: Any) -> dict[str, Any]:
    return {"estimator": path, "parameters": parameters[path.rsplit(".", 1)[1]] | extra}


def strange() -> pd.DataFrame:
    """Rows unlike those that were learnt from: unseen categories, nothing known at all, huge numbers."""
    rows = frame(50, 2)
    rows.loc[:9, "shop"] = "never seen"
    rows.loc[10:19, ["shop", "n", "whole"]] = [None, np.nan, np.nan]
    rows.loc[20:24, "n"] = 1e12
    rows["empty"], rows["blank"] = 1.0, "text"
    return rows


@pytest.mark.parametrize(("task", "path"), cases)
def test_it_fits_predicts_and_comes_back(task: str, path: str, tmp_path: Path) -> None:
    rows = frame(800, 0)
    model = fit(challenger(specification(path), kinds, task), model_input(rows, kinds), target(rows, task))
    digest = models.save(model, tmp_path / "model.skops")
    loaded = models.load(tmp_path / "model.skops", digest)
    for given in (frame(200, 1), strange(), rows.head(1)):
        found: Any = np.asarray(predict(model, given, kinds, task))
        assert found.shape == ((len(given), 3) if task == "multiclass" else (len(given),))
        assert np.isfinite(found).all()
        assert task == "regression" or ((found >= 0) & (found <= 1)).all()
        assert np.asarray(predict(loaded, given, kinds, task)).tobytes() == found.tobytes()
    later = frame(400, 1)
    scored = metrics(target(later, task), predict(model, later, kinds, task), task)
    assert scored["r2" if task == "regression" else "roc_auc"] > 0.7


@pytest.mark.parametrize(("task", "path"), cases)
def test_weights_are_learned_from(task: str, path: str) -> None:
    rows = frame(800, 0)
    weight = np.where(rows["n"] > 0, 50.0, 0.1)
    given = model_input(rows, kinds), target(rows, task)
    made = [fit(challenger(specification(path), kinds, task), *given, weighed) for weighed in (None, weight)]
    plain, weighted = (np.asarray(predict(model, frame(300, 1), kinds, task)) for model in made)
    assert not np.array_equal(plain, weighted)


@pytest.mark.parametrize("path", [path for path in classifiers if "GradientBoostingC" not in path or "Hist" in path])
@pytest.mark.parametrize(
    ("task", "class_weight"),
    [
        ("binary", "balanced"),
        ("binary", {0: 1, 1: 9}),
        ("binary", {False: 1, True: 9}),
        ("multiclass", "balanced"),
        ("multiclass", {"low": 9, "middle": 1, "high": 1}),
    ],
)
def test_class_weights_pass_through(task: str, class_weight: Any, path: str, tmp_path: Path) -> None:
    rows = frame(800, 0)
    given = model_input(rows, kinds), target(rows, task)
    plain = fit(challenger(specification(path), kinds, task), *given)
    made = fit(challenger(specification(path, class_weight=class_weight), kinds, task), *given)
    models.load(tmp_path / "model.skops", models.save(made, tmp_path / "model.skops"))
    first, second = (np.asarray(predict(model, rows, kinds, task)) for model in (plain, made))
    assert not np.array_equal(first, second)


def test_class_weights_of_classes_that_yaml_takes_for_numbers() -> None:
    rows = frame(300, 0).assign(grade=lambda made: (made["n"].fillna(0) > 0).astype(int))
    made = challenger(specification(classifiers[1], class_weight={0: 1, 1: 5}), kinds, "multiclass")
    model = fit(made, model_input(rows, kinds), labels_of(rows, "grade", "multiclass"))
    assert list(model.classes_) == ["0", "1"]


@pytest.mark.parametrize(("task", "path"), cases)
def test_the_same_rows_give_the_same_bytes(task: str, path: str, tmp_path: Path) -> None:
    rows = frame(300, 0)
    digests = {
        models.save(
            fit(challenger(specification(path), kinds, task), model_input(rows, kinds), target(rows, task)),
            tmp_path / "model.skops",
        )
        for _ in range(2)
    }
    assert len(digests) == 1


@pytest.mark.parametrize("only", ["number", "category"])
@pytest.mark.parametrize(("task", "path"), cases)
def test_one_kind_of_feature_is_enough(task: str, path: str, only: str, tmp_path: Path) -> None:
    own = {name: kind for name, kind in kinds.items() if kind == only}
    rows = frame(300, 0)
    model = fit(challenger(specification(path), own, task), model_input(rows, own), target(rows, task))
    models.save(model, tmp_path / "model.skops")
    assert np.isfinite(np.asarray(predict(models.load(tmp_path / "model.skops"), strange(), own, task))).all()


@pytest.mark.parametrize("names", [["shop", "blank"], ["shop"], []])
def test_boosting_predicts_the_same_without_its_inner_encoder(names: list[str]) -> None:
    own = {"n": "number", **dict.fromkeys(names, "category")}
    rows, given = frame(800, 0), pd.concat([frame(300, 1), strange()])
    whole = challenger(specification(classifiers[0]), own).fit(model_input(rows, own), target(rows))
    stripped = fit(challenger(specification(classifiers[0]), own), model_input(rows, own), target(rows))
    assert (whole[-1]._preprocessor is not None) == bool(names)
    assert stripped[-1]._preprocessor is None
    first, second = (np.asarray(predict(model, given, own)) for model in (stripped, whole))
    assert first.tobytes() == second.tobytes()


def test_rare_categories_share_a_place() -> None:
    rows = frame(3000, 0).assign(shop=[f"s{number % 900}" for number in range(3000)])
    model = fit(challenger(specification(classifiers[0]), kinds), model_input(rows, kinds), target(rows))
    assert np.isfinite(predict(model, strange(), kinds)).all()


def test_the_baselines_are_the_share_and_a_line(tmp_path: Path) -> None:
    rows = frame(800, 0)
    made = {name: fit(model, model_input(rows, kinds), target(rows)) for name, model in baselines(kinds).items()}
    digest = models.save(made, tmp_path / "baselines.skops")
    loaded = models.load(tmp_path / "baselines.skops", digest)
    assert list(loaded) == ["dummy", "linear"]
    assert predict(loaded["dummy"], strange(), kinds) == pytest.approx(target(rows).mean())
    before, after = (np.asarray(predict(known["linear"], strange(), kinds)) for known in (made, loaded))
    assert before.tobytes() == after.tobytes()


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_the_baselines_of_other_tasks(task: str, tmp_path: Path) -> None:
    rows = frame(800, 0)
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


def test_whatever_else_scikit_learn_has_is_refused_with_a_reason() -> None:
    from sklearn.utils import all_estimators

    for task, kind in (("binary", "classifier"), ("multiclass", "classifier"), ("regression", "regressor")):
        for name, found in all_estimators(kind):
            path = f"{'.'.join(found.__module__.split('.')[:2])}.{name}"
            if path not in allowed[task]:
                with pytest.raises(InputError, match=f"found '{path}': .*(trust|list|checks)"):
                    challenger({"estimator": path}, kinds, task)
    with pytest.raises(InputError, match="Ridge', which does not fit the task binary"):
        challenger({"estimator": "sklearn.linear_model.Ridge"}, kinds)
    assert set(classifiers).isdisjoint(regressors)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"estimator": "sklearn.svm.SVC"}, r"model\.yaml: estimator: expected one of .*, found 'sklearn\.svm\.SVC'"),
        ({"estimator": "os.system"}, r"model\.yaml: estimator: expected one of"),
        ({"parameters": {}}, r"model\.yaml: estimator: .*found None"),
        ({"estimator": ["a"]}, r"model\.yaml: estimator: "),
        (None, r"model\.yaml: expected names with values, found NoneType"),
        ([1], r"model\.yaml: expected names with values, found list"),
        (specification(classifiers[0], depth=3), r"model\.yaml: parameters: expected hyper-parameters of Hist.*depth"),
        (specification(classifiers[0], max_iter=-1), r"model\.yaml: parameters: .*max_iter"),
        (specification(classifiers[0], max_iter="many"), r"model\.yaml: parameters: .*max_iter"),
        (
            {"estimator": classifiers[0], "parameters": 5},
            r"model\.yaml: parameters: expected hyper-parameters of Hist",
        ),
        (
            {"estimator": classifiers[0], "parameters": [1]},
            r"model\.yaml: parameters: expected hyper-parameters of Hist",
        ),
    ],
)
def test_a_specification_that_makes_no_estimator_is_one_line(given: Any, told: str) -> None:
    with pytest.raises(InputError, match=f"^{told}") as caught:
        challenger(given, kinds)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "extra"), [(classifiers[1], {"bootstrap": False, "oob_score": True}), (classifiers[0], {"max_bins": 10})]
)
def test_what_only_fitting_refuses_is_one_line_too(path: str, extra: dict[str, Any]) -> None:
    rows = frame(300, 0)
    made = challenger(specification(path, **extra), kinds)
    with pytest.raises(InputError, match=r": expected an estimator that fits, found .*; mend model\.yaml$") as caught:
        fit(made, model_input(rows, kinds), target(rows))
    assert "\n" not in str(caught.value)
