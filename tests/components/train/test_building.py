"""Every estimator that model.yaml may name fits, predicts, and comes back from its file."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from components import models
from components.errors import InputError
from components.scoring import model_input, predict
from components.train.building import allowed, baselines, challenger, fit

kinds = {"shop": "category", "n": "number", "empty": "number", "blank": "category", "whole": "number"}
parameters: dict[str, dict[str, Any]] = {
    "HistGradientBoostingClassifier": {"max_iter": 8, "min_samples_leaf": 10, "random_state": 0},
    "RandomForestClassifier": {"n_estimators": 5, "random_state": 0},
    "ExtraTreesClassifier": {"n_estimators": 5, "random_state": 0},
    "LogisticRegression": {"C": 0.5},
    "DecisionTreeClassifier": {"max_depth": 4, "random_state": 0},
}


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


def target(rows: pd.DataFrame) -> Any:
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


@pytest.mark.parametrize("path", allowed)
def test_it_fits_predicts_and_comes_back(path: str, tmp_path: Path) -> None:
    rows = frame(800, 0)
    model = fit(challenger(specification(path), kinds), model_input(rows, kinds), target(rows))
    digest = models.save(model, tmp_path / "model.skops")
    loaded = models.load(tmp_path / "model.skops", digest)
    for given in (frame(200, 1), strange(), rows.head(1)):
        found = predict(model, given, kinds)
        assert found.shape == (len(given),)
        assert np.isfinite(found).all()
        assert ((found >= 0) & (found <= 1)).all()
        assert predict(loaded, given, kinds).tobytes() == found.tobytes()
    later = frame(400, 1)
    assert np.mean((predict(model, later, kinds) > 0.5) == target(later)) > 0.75


@pytest.mark.parametrize("path", allowed)
def test_the_same_rows_give_the_same_bytes(path: str, tmp_path: Path) -> None:
    rows = frame(300, 0)
    digests = {
        models.save(
            fit(challenger(specification(path), kinds), model_input(rows, kinds), target(rows)),
            tmp_path / "model.skops",
        )
        for _ in range(2)
    }
    assert len(digests) == 1


@pytest.mark.parametrize("only", ["number", "category"])
@pytest.mark.parametrize("path", allowed)
def test_one_kind_of_feature_is_enough(path: str, only: str, tmp_path: Path) -> None:
    own = {name: kind for name, kind in kinds.items() if kind == only}
    rows = frame(300, 0)
    model = fit(challenger(specification(path), own), model_input(rows, own), target(rows))
    models.save(model, tmp_path / "model.skops")
    assert np.isfinite(predict(models.load(tmp_path / "model.skops"), strange(), own)).all()


@pytest.mark.parametrize("names", [["shop", "blank"], ["shop"], []])
def test_boosting_predicts_the_same_without_its_inner_encoder(names: list[str]) -> None:
    own = {"n": "number", **dict.fromkeys(names, "category")}
    rows, given = frame(800, 0), pd.concat([frame(300, 1), strange()])
    whole = challenger(specification(allowed[0]), own).fit(model_input(rows, own), target(rows))
    stripped = fit(challenger(specification(allowed[0]), own), model_input(rows, own), target(rows))
    assert (whole[-1]._preprocessor is not None) == bool(names)
    assert stripped[-1]._preprocessor is None
    assert predict(stripped, given, own).tobytes() == predict(whole, given, own).tobytes()


def test_rare_categories_share_a_place() -> None:
    rows = frame(3000, 0).assign(shop=[f"s{number % 900}" for number in range(3000)])
    model = fit(challenger(specification(allowed[0]), kinds), model_input(rows, kinds), target(rows))
    assert np.isfinite(predict(model, strange(), kinds)).all()


def test_the_baselines_are_the_share_and_a_line(tmp_path: Path) -> None:
    rows = frame(800, 0)
    made = {name: fit(model, model_input(rows, kinds), target(rows)) for name, model in baselines(kinds).items()}
    digest = models.save(made, tmp_path / "baselines.skops")
    loaded = models.load(tmp_path / "baselines.skops", digest)
    assert list(loaded) == ["dummy", "linear"]
    assert predict(loaded["dummy"], strange(), kinds) == pytest.approx(target(rows).mean())
    assert predict(loaded["linear"], strange(), kinds).tobytes() == predict(made["linear"], strange(), kinds).tobytes()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"estimator": "sklearn.svm.SVC"}, r"model\.yaml: estimator: expected one of .*, found 'sklearn\.svm\.SVC'"),
        ({"estimator": "os.system"}, r"model\.yaml: estimator: expected one of"),
        ({"parameters": {}}, r"model\.yaml: estimator: .*found None"),
        ({"estimator": ["a"]}, r"model\.yaml: estimator: "),
        (None, r"model\.yaml: expected names with values, found NoneType"),
        ([1], r"model\.yaml: expected names with values, found list"),
        (specification(allowed[0], depth=3), r"model\.yaml: parameters: expected hyper-parameters of Hist.*depth"),
        (specification(allowed[0], max_iter=-1), r"model\.yaml: parameters: .*max_iter"),
        (specification(allowed[0], max_iter="many"), r"model\.yaml: parameters: .*max_iter"),
        ({"estimator": allowed[0], "parameters": 5}, r"model\.yaml: parameters: expected hyper-parameters of Hist"),
        ({"estimator": allowed[0], "parameters": [1]}, r"model\.yaml: parameters: expected hyper-parameters of Hist"),
    ],
)
def test_a_specification_that_makes_no_estimator_is_one_line(given: Any, told: str) -> None:
    with pytest.raises(InputError, match=f"^{told}") as caught:
        challenger(given, kinds)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "extra"), [(allowed[1], {"bootstrap": False, "oob_score": True}), (allowed[0], {"max_bins": 10})]
)
def test_what_only_fitting_refuses_is_one_line_too(path: str, extra: dict[str, Any]) -> None:
    rows = frame(300, 0)
    made = challenger(specification(path, **extra), kinds)
    with pytest.raises(InputError, match=r": expected an estimator that fits, found .*; mend model\.yaml$") as caught:
        fit(made, model_input(rows, kinds), target(rows))
    assert "\n" not in str(caught.value)
