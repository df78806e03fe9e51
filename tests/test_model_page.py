"""docs/model.md: its tables name the estimators, transformers and reasons that there are."""

import re
from pathlib import Path

from tidegate.components.train import text_columns
from tidegate.components.train.encoding import FOR_NUMBERS, FOR_TEXTS, MAX_CATEGORIES, MAX_WORDS
from tidegate.components.train.estimators import ALLOWED, CLASSIFIERS, REGRESSORS, named
from tidegate.components.train.hyperparameters import DECIDED
from tidegate.components.train.refusals import reason
from tidegate.components.train.specification import SCHEMA
from tidegate.components.train.window import MOST_CLASSES
from tidegate.scoring.scores import least_known
from tidegate.scoring.tasks import TASKS

root = Path(__file__).parents[1]
page = (root / "docs/model.md").read_text()
rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
prose = " ".join(page.split())


def test_the_table_of_estimators_is_the_list() -> None:
    found: dict[int, list[str]] = {1: [], 2: []}
    for row in (row for row in rows if row[0].startswith("`sklearn.")):
        prefix = row[0].strip("`").removesuffix("...")
        for column, paths in found.items():
            paths += [prefix + name for name in re.findall(r"`(\w+)`", row[column])]
    assert sorted(found[1]) == sorted(CLASSIFIERS)
    assert sorted(found[2]) == sorted(REGRESSORS)


def test_tasks_keys_and_transformers_have_their_rows() -> None:
    first = {name for row in rows for name in re.findall(r"`(\w+)`", row[0])}
    properties = SCHEMA["properties"]
    assert isinstance(properties, dict)
    assert {*TASKS, *properties, *FOR_TEXTS, *FOR_NUMBERS, *DECIDED, "class_weight", "random_state"} <= first
    assert {row[0]: row[3] for row in rows if row[0].strip("`") in TASKS} == {
        f"`{name}`": task.words for name, task in TASKS.items()
    }
    assert set(ALLOWED) == set(TASKS)


def test_reasons_are_those_that_are_given() -> None:
    said = {row[1] for row in rows if row[1].startswith(("it ", "its file"))}
    kinds = ("neighbors.KNeighborsClassifier", "svm.SVR", "ensemble.VotingClassifier", "linear_model.LassoCV",
             "linear_model.Perceptron", "linear_model.Lars")  # fmt: skip
    assert said == {reason(named(f"sklearn.{kind}")) for kind in kinds}


def test_numbers_are_those_of_the_code() -> None:
    least = text_columns.LEAST_VALUES
    assert f"at least {least} different values, which differ in more than half of its rows" in prose
    assert text_columns.SHARE == 0.5
    assert f"hashed into {MAX_WORDS} columns" in prose
    assert f"the rarest beyond {MAX_CATEGORIES} share one" in prose
    assert f"2 to {MOST_CLASSES} classes" in prose
    assert "1 / (n + 1)" in prose
    assert least_known(9) == 1 / (9 + 1)
