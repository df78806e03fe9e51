"""model.yaml: what it may say, and each mistake on a line of its own with the line of the file."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from sklearn.utils import all_estimators

from tidegate.components.train.estimators import ALLOWED, CLASSIFIERS, REGRESSORS, named
from tidegate.components.train.hyperparameters import class_faults
from tidegate.components.train.specification import Specification, parse_specification, read_specification
from tidegate.process.errors import InputError

FOREST = "estimator: sklearn.ensemble.RandomForestClassifier\n"
BOOSTING = "estimator: sklearn.ensemble.HistGradientBoostingClassifier\n"


def refusal(text: str, task: str = "binary") -> list[str]:
    """The lines with which model.yaml is refused."""
    with pytest.raises(InputError) as caught:
        parse_specification(text, task)
    return str(caught.value).splitlines()


def test_what_is_right_is_read() -> None:
    text = FOREST + "parameters: {n_estimators: 5, max_depth: null, n_jobs: 2}\ntransformers: {subject: words}\n"
    found = parse_specification(text, "binary")
    assert found.estimator == "sklearn.ensemble.RandomForestClassifier"
    assert found.parameters == {"n_estimators": 5, "max_depth": None, "n_jobs": 2}
    assert found.transformers == {"subject": "words"}
    assert found.unfitted().get_params()["n_estimators"] == 5
    assert found.part().transformers == {"subject": "words"}
    assert json.loads(json.dumps(found.part().document())) == found.part().document()


@pytest.mark.parametrize("rest", ["", "parameters:\n", "parameters: {}\ntransformers:\n", "# a remark\n"])
def test_nothing_said_is_nothing_asked(rest: str) -> None:
    found = parse_specification(FOREST + rest, "binary")
    assert (found.parameters, found.transformers) == ({}, {})
    assert found.part().document() == {"estimator": "sklearn.ensemble.RandomForestClassifier"}


@pytest.mark.parametrize(
    ("text", "seed"),
    [
        (FOREST, 7),
        (FOREST + "parameters: {random_state: null}", 7),
        (FOREST + "parameters: {random_state: 3}", 3),
        (FOREST + "parameters: {random_state: 0}", 0),
        ("estimator: sklearn.naive_bayes.GaussianNB", None),
    ],
)
def test_a_missing_random_state_is_the_seed_of_the_batch(text: str, seed: int | None) -> None:
    found = parse_specification(text, "binary").seeded(7)
    assert found.parameters.get("random_state") == seed
    assert found.part().parameters.get("random_state") == seed
    assert parse_specification(FOREST, "binary").unfitted().get_params()["random_state"] is None


def test_the_file_is_named_as_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(FOREST + "parameters:\n  n_estimators: 5\n  deep: 3\n")
    with pytest.raises(InputError, match=rf"^{tmp_path}/model\.yaml:4: parameters: expected one of bootstrap, "):
        read_specification(tmp_path / "model.yaml", "binary")
    with pytest.raises(InputError, match=rf"^{tmp_path}/none\.yaml: expected a file, found nothing"):
        read_specification(tmp_path / "none.yaml", "binary")


mistakes: dict[str, tuple[str, ...]] = {
    "an empty file": (
        "",
        "1: expected names with values, found nothing",
    ),
    "a list": (
        "- estimator: x\n",
        "1: expected names with values, found .*",
    ),
    "a word": (
        "forest\n",
        "1: expected names with values, found 'forest'",
    ),
    "no estimator": (
        "parameters: {}\n",
        "1: expected all of estimator, found no estimator",
    ),
    "an empty estimator": (
        "estimator:\n",
        "1: estimator: expected a text, found nothing",
    ),
    "a number as estimator": (
        "estimator: 5\n",
        "1: estimator: expected a text, found 5",
    ),
    "an estimator as a list": (
        "estimator: [a]\n",
        r"1: estimator: expected a text, found \['a'\]",
    ),
    "an unknown key": (
        FOREST + "parameter: {}\n",
        r"2: expected one of estimator, parameters, transformers, found 'parameter' \(did you mean "
        r"'parameters'\?\)",
    ),
    "a key twice": (
        FOREST + "estimator: sklearn.ensemble.RandomForestClassifier\n",
        "2: expected YAML, found the duplicate key.*",
    ),
    "a class of another language": (
        "estimator: !!python/object:os.system x\n",
        "1: expected YAML, found the unknown tag .*",
    ),
    "a misspelled estimator": (
        "estimator: sklearn.ensemble.RandomForestClasifier\n",
        "1: estimator: expected one of sklearn.ensemble.HistGradientBoostingClassifier, .*, found "
        r"'sklearn.ensemble.RandomForestClasifier' \(did you mean "
        r"'sklearn.ensemble.RandomForestClassifier'\?\)",
    ),
    "a name without its module": (
        "estimator: RandomForestClassifier\n",
        r".*, found 'RandomForestClassifier' \(did you mean "
        r"'sklearn.ensemble.RandomForestClassifier'\?\): the .*",
    ),
    "another library": (
        "estimator: xgboost.XGBClassifier\n",
        "1: estimator: .*, found 'xgboost.XGBClassifier'.*: the checked loader knows estimators of scikit-learn only",
    ),
    "a program": (
        "estimator: os.system\n",
        ".*, found 'os.system': the checked loader knows estimators of scikit-learn only",
    ),
    "a function of scikit-learn": (
        "estimator: sklearn.metrics.log_loss\n",
        "1: estimator: .*, found 'sklearn.metrics.log_loss'.*",
    ),
    "a test of scikit-learn": (
        "estimator: sklearn.tests.test_base.MyEstimator\n",
        "1: estimator: .*, found 'sklearn.tests.test_base.MyEstimator'.*",
    ),
    "a refused estimator": (
        "# why\nestimator: sklearn.svm.SVC\n",
        "2: estimator: .*, found 'sklearn.svm.SVC': its file would hold training rows, and indices "
        "that compiled code never checks",
    ),
    "a regressor for two classes": (
        "estimator: sklearn.linear_model.Ridge\n",
        "1: estimator: .*, found 'sklearn.linear_model.Ridge', which does not fit the task binary",
    ),
    "a classifier for numbers": (
        FOREST,
        "1: estimator: expected one of sklearn.ensemble.HistGradientBoostingRegressor, .*, found "
        "'sklearn.ensemble.RandomForestClassifier', which does not fit the task regression",
        "regression",
    ),
    "parameters that are a number": (
        FOREST + "parameters: 5\n",
        "2: parameters: expected names with values, found 5",
    ),
    "parameters that are a list": (
        FOREST + "parameters:\n- max_depth\n",
        r"2: parameters: expected names with values, found \['max_depth'\]",
    ),
    "a parameter without a name": (
        FOREST + "parameters: {5: 5}\n",
        "2: parameters: expected one of .*, found 5",
    ),
    "an unknown hyper-parameter": (
        FOREST + "parameters:\n  max_dept: 3\n",
        r"3: parameters: expected one of bootstrap, .*, warm_start, found 'max_dept' \(did you mean "
        r"'max_depth'\?\)",
    ),
    "a parameter of a part": (
        FOREST + "parameters:\n  estimator__max_depth: 3\n",
        "3: parameters: expected one of bootstrap, .*, found 'estimator__max_depth'.*",
    ),
    "a value below its range": (
        FOREST + "parameters:\n  n_jobs: 1\n  n_estimators: -1\n",
        r"4: parameters.n_estimators: expected an int in the range \[1, inf\), found -1",
    ),
    "a text for a number": (
        BOOSTING + "parameters: {max_iter: many}\n",
        r"2: parameters.max_iter: expected an int in the range \[1, inf\), found 'many'",
    ),
    "an infinity": (
        BOOSTING + "parameters: {learning_rate: .inf}\n",
        "2: expected YAML, found .inf, which is not a finite number",
    ),
    "no number": (
        BOOSTING + "parameters: {learning_rate: .nan}\n",
        "2: expected YAML, found .nan, which is not a finite number",
    ),
    "a word that is none of its": (
        FOREST + "parameters: {criterion: ginny}\n",
        "2: parameters.criterion: expected a str among {.*}, found 'ginny'",
    ),
    "a list for a number": (
        FOREST + "parameters: {n_estimators: [5, 10]}\n",
        r"2: parameters.n_estimators: expected an int in the range \[1, inf\), found \[5, 10\]",
    ),
    "an estimator as a parameter": (
        "estimator: sklearn.ensemble.GradientBoostingClassifier\nparameters:\n  init: {estimator: Ridge}\n",
        "3: parameters.init: expected a number, a text, true, false or a list of those, found names with values",
    ),
    "an estimator's name as a parameter": (
        "estimator: sklearn.ensemble.GradientBoostingClassifier\nparameters:\n  init: sklearn.dummy.DummyClassifier\n",
        "3: parameters.init: expected a str among {'zero'}.*, found 'sklearn.dummy.*'",
    ),
    "a date": (
        FOREST + "parameters: {max_depth: 2024-01-01}\n",
        "2: parameters.max_depth: expected a number, a text, .*, found .*",
    ),
    "a function by its name": (
        FOREST + "parameters: {bootstrap: true, oob_score: sklearn.metrics.accuracy_score}\n",
        "2: parameters.oob_score: expected .*, found 'sklearn.metrics.accuracy_score'",
    ),
    "a warm start": (
        FOREST + "parameters: {warm_start: true}\n",
        "2: parameters.warm_start: expected nothing: every training starts afresh, found True",
    ),
    "a talkative training": (
        FOREST + "parameters: {verbose: 2}\n",
        "2: parameters.verbose: expected nothing: training tells its own progress, found 2",
    ),
    "categories by number": (
        BOOSTING + "parameters: {categorical_features: [0]}\n",
        "2: parameters.categorical_features: expected nothing: the categories are the features that "
        r"are texts, found \[0\]",
    ),
    "a loss without probabilities": (
        "estimator: sklearn.linear_model.SGDClassifier\n",
        "1: parameters.loss: expected a loss that gives probabilities, such as log_loss, found 'hinge'",
    ),
    "a weight of a third class of two": (
        FOREST + "parameters:\n  class_weight: {0: 1, 2: 5}\n",
        "3: parameters.class_weight: expected true or false, found 2",
    ),
    "a weight of a class by name": (
        FOREST + "parameters:\n  class_weight:\n    late: 5\n",
        "4: parameters.class_weight: expected true or false, found 'late'",
    ),
    "a class weight that is a word": (
        FOREST + "parameters:\n  class_weight:\n    a: 5\n    b: much\n",
        "5: parameters.class_weight.b: expected a weight above 0, found 'much'",
        "multiclass",
    ),
    "a class weight of nothing": (
        FOREST + "parameters:\n  class_weight:\n    a: 0\n",
        "4: parameters.class_weight.a: expected a weight above 0, found 0",
        "multiclass",
    ),
    "a way to weigh that there is none of": (
        FOREST + "parameters: {class_weight: balancd}\n",
        "2: parameters.class_weight: expected .*, found 'balancd'",
    ),
    "class weights for numbers": (
        "estimator: sklearn.linear_model.Ridge\nparameters: {class_weight: balanced}\n",
        "2: parameters: expected one of .*, found 'class_weight'.*",
        "regression",
    ),
    "transformers that are a list": (
        FOREST + "transformers: [words]\n",
        r"2: transformers: expected names with values, found \['words'\]",
    ),
    "a transformer that is a number": (
        FOREST + "transformers: {subject: 5}\n",
        "2: transformers.subject: expected a text, found 5",
    ),
}


@pytest.mark.parametrize("case", mistakes)
def test_a_mistake_is_one_line(case: str) -> None:
    text, told, *task = mistakes[case]
    (line,) = refusal(text, *task)
    assert re.fullmatch(f"model.yaml:({told}); (correct (it|that line)|remove it)", line), line


def test_every_mistake_has_its_line() -> None:
    text = FOREST + "parameters:\n  max_dept: 3\n  n_estimators: many\n  max_depth: 4\n  verbose: 1\n"
    assert [line.split(":")[1] for line in refusal(text)] == ["3", "4", "6"]
    assert len(refusal("estimater: x\nparam: y\n")) == 3


def specification(text: str, classes: list[str]) -> Specification:
    found = parse_specification(text, "multiclass")
    found.refuse(class_faults(found.parameters, classes))
    return found


def test_a_class_weight_names_a_class_that_is_there() -> None:
    text = FOREST + "parameters:\n  class_weight:\n    7: 2\n    true: 3\n    hadware: 4\n"
    with pytest.raises(InputError) as caught:
        specification(text, ["7", "true", "hardware", "software"])
    assert str(caught.value) == (
        "model.yaml:6: parameters.class_weight: expected one of 7, hardware, software, true, "
        "found 'hadware' (did you mean 'hardware'?); correct it"
    )
    weights = specification(text, ["7", "true", "hadware"]).parameters["class_weight"]
    assert weights == {"7": 2, "true": 3, "hadware": 4}
    assert (
        specification(FOREST + "parameters: {class_weight: balanced}", ["a"]).parameters["class_weight"] == "balanced"
    )


def test_whatever_else_scikit_learn_has_is_refused_with_its_reason() -> None:
    refused = 0
    for name, kind in all_estimators():
        public = f"{'.'.join(kind.__module__.split('.')[:2])}.{name}"
        path = public if named(public) else f"{kind.__module__}.{name}"
        for task in ("binary", "multiclass", "regression"):
            if path in ALLOWED[task]:
                continue
            (line,) = refusal(f"estimator: {path}\n", task)
            if path in (*CLASSIFIERS, *REGRESSORS):
                assert f"found '{path}', which does not fit the task {task}; correct it" in line
            else:
                assert f"found '{path}': it" in line, line
                assert "does not know it" not in line, line
            refused += 1
    assert refused > 400


def test_reasons_are_true() -> None:
    from sklearn.base import ClassifierMixin, RegressorMixin
    from sklearn.utils.validation import has_fit_parameter

    from tidegate.components.train.refusals import reason

    for name, kind in all_estimators():
        found = reason(kind)
        if found == "it cannot weigh rows":
            assert not has_fit_parameter(kind, "sample_weight"), name
        if found == "it gives no probabilities":
            assert not hasattr(kind, "predict_proba"), name
        if found == "it predicts no label":
            assert not hasattr(kind, "predict") or not issubclass(kind, (ClassifierMixin, RegressorMixin)), name
    assert set(CLASSIFIERS).isdisjoint(REGRESSORS)


@pytest.mark.parametrize("path", [*CLASSIFIERS, *REGRESSORS])
def test_no_default_of_scikit_learn_is_refused(path: str) -> None:
    given: dict[str, Any] = {key: value for key, value in named(path)().get_params().items() if key != "random_state"}
    given |= {"loss": "log_loss"} if path.endswith("SGDClassifier") else {}
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in given.items()}
    plain = {
        key: value for key, value in given.items() if isinstance(value, (bool, int, float, str, list, type(None)))
    }
    task = "binary" if path in CLASSIFIERS else "regression"
    text = f"estimator: {path}\nparameters: {json.dumps(plain).replace('NaN', '.nan').replace('Infinity', '.inf')}\n"
    assert parse_specification(text, task).parameters == plain
