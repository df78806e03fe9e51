"""What is predicted for a file is what the loop and the server say of its rows, to the last bit."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from tests.components.predict.conftest import MOMENT, Predict, read, write
from tidegate.components.predict.scoring import probability_names
from tidegate.process.errors import InputError
from tidegate.scoring.scores import model_input
from tidegate.serving import clean_tables
from tidegate.serving.predictor import predictor
from tidegate.serving.rows import from_instances
from tidegate.tracking.champion import Champion

if TYPE_CHECKING:
    from tests.toy import World

EVENT = ["at", "id", "shop", "price"]
FEATURES = ["shop", "price", "rate"]


def events(world: "World") -> pd.DataFrame:
    return world.table("clean/orders")[EVENT]


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".csv.gz"])
def test_events_and_features_are_answered_as_by_the_loop(
    ending: str, released: "World", offline: pd.DataFrame, ask: Predict
) -> None:
    for name, rows in {"event": events(released), "features": offline[["id", *FEATURES]]}.items():
        mixed = rows.sample(frac=1, random_state=0)
        source, target = write(mixed, released / f"in{ending}"), released / f"out/answer{ending}"
        answered = ask(source, target)
        found = read(target)
        assert (answered.kind, answered.rows, answered.bad, answered.version) == (name, len(offline), 0, "1")
        assert [*found] == [*mixed, "prediction", "model_version", "predicted_at"]
        assert found["id"].tolist() == mixed["id"].tolist()
        assert found["prediction"].tolist() == offline.loc[mixed.index, "prediction"].tolist()
        assert {*found["model_version"].astype(str)} == {"1"} and {*found["predicted_at"]} == {pd.Timestamp(MOMENT)}


def test_the_server_says_the_same(released: "World", champion: Champion, ask: Predict) -> None:
    """The events of the batch, of which the tables hold nothing yet."""
    orders = released.table("clean/orders")
    batch = orders[orders["at"] >= "2024-03-04"]
    orders[orders["at"] < "2024-03-04"].to_parquet(released / "clean/orders.parquet")
    ask(batch[EVENT], released / "out.parquet")
    source = clean_tables.find(str(released / "clean"))
    server = predictor(champion, clean_tables.load(source, champion.contract, champion.sql), "accept", 1000)
    asked = [{**row, "at": row["at"].isoformat()} for row in batch[EVENT].replace({np.nan: None}).to_dict("records")]
    rows = from_instances({"instances": asked}, server.form)
    expected = np.asarray(server.predict(server.features(rows))).tolist()
    assert read(released / "out.parquet")["prediction"].tolist() == expected and len(expected) == 336


def test_a_row_of_the_file_stands_in_place_of_what_is_known(
    released: "World", offline: pd.DataFrame, ask: Predict
) -> None:
    """Other prices than in the tables, and outcomes that nobody may know before."""
    changed = events(released).tail(20).assign(price=lambda rows: rows["price"] + 7, kept_days=1)
    ask(changed, released / "out.parquet")
    features = offline.tail(20)[["rate", "shop"]].assign(price=changed["price"])
    ask(features, released / "expected.parquet")
    found, expected = read(released / "out.parquet"), read(released / "expected.parquet")
    assert found["prediction"].tolist() == expected["prediction"].tolist()
    assert found["kept_days"].tolist() == [1] * 20


def test_features_may_depend_on_other_events_of_the_file(released: "World", champion: Champion, ask: Predict) -> None:
    """All events of the file are asked at once, however many they are."""
    sql = """
        SELECT orders.at, id, NULL::BOOLEAN AS returned, orders.shop, count(*) OVER (PARTITION BY orders.at) AS price,
            count(*) OVER (ORDER BY orders.at RANGE INTERVAL 1 DAY PRECEDING) AS rate
        FROM orders -- a comment; at its end
    """
    at = released.table("clean/orders")["at"].iloc[-1]
    asked = pd.DataFrame({"at": [at] * 3, "id": [-1, -2, -3], "shop": "north", "price": [1.0, None, 2.0]})
    ask(asked, released / "out.parquet", replace(champion, sql=sql))
    ask(pd.DataFrame({"shop": ["north"], "price": [4.0], "rate": [16.0]}), released / "expected.parquet")
    expected = read(released / "expected.parquet")["prediction"].tolist()
    assert read(released / "out.parquet")["prediction"].tolist() == expected * 3


def fitted(champion: Champion, rows: pd.DataFrame, encoder: Any, estimator: Any, task: str) -> Champion:
    """A version with another pipeline, for another task."""
    own = model_input(rows, champion.record.features)
    encode = ColumnTransformer([("category", encoder, ["shop"]), ("number", "passthrough", ["price", "rate"])])
    label = {"binary": rows["returned"].fillna(False), "multiclass": rows["price"].round(-1).astype(str)}[task]
    model = Pipeline([("encode", encode), ("estimator", estimator)]).fit(
        own.fillna(0), label.to_numpy(dtype=object if task == "multiclass" else bool)
    )
    version = replace(champion, model=model, contract=replace(champion.contract, task=task))
    answers: Any = version.predict(champion.reference)
    golden = answers if task == "binary" else answers.columns[np.asarray(answers).argmax(axis=1)]
    return replace(version, reference=champion.reference.assign(prediction=golden))


def test_a_model_of_many_classes(released: "World", champion: Champion, offline: pd.DataFrame, ask: Predict) -> None:
    rows = offline[["shop", "price", "rate", "returned"]].dropna().reset_index(drop=True)
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    forest = RandomForestClassifier(5, max_depth=4, random_state=0)
    version = fitted(champion, rows, encoder, forest, "multiclass")
    ask(rows[FEATURES], released / "out.parquet", version)
    expected: Any = version.predict(rows)
    found = read(released / "out.parquet")
    names = [f"probability_{name}" for name in expected.columns]
    assert [*found] == [*FEATURES, "prediction", *names, "model_version", "predicted_at"]
    assert np.array_equal(found[names], expected)
    assert found["prediction"].tolist() == expected.columns[np.asarray(expected).argmax(axis=1)].tolist()
    assert probability_names(["a", "A", "b"]) == ["probability_a_1", "probability_A_2", "probability_b"]


def test_a_pipeline_of_linear_algebra(
    released: "World", champion: Champion, offline: pd.DataFrame, ask: Predict
) -> None:
    """Its last bits depend on how many rows are predicted at once, here as many as by the loop."""
    rows = offline[["shop", "price", "rate", "returned"]].dropna().reset_index(drop=True)
    version = fitted(champion, rows, OneHotEncoder(handle_unknown="ignore"), LogisticRegression(), "binary")
    ask(rows[FEATURES], released / "out.parquet", version)
    assert read(released / "out.parquet")["prediction"].tolist() == np.asarray(version.predict(rows)).tolist()


def test_numbers_that_are_missing_infinite_or_wide(released: "World", champion: Champion, ask: Predict) -> None:
    """Events whose SQL divides by nothing; a null, and a NaN in a file, are a missing value."""
    sql = champion.sql.replace("orders.price,", "1 / (orders.price - 5) AS price,")
    prices: Any = [5.0, 6.0, None, 1e3]
    asked = pd.DataFrame({"at": pd.to_datetime(["2024-03-31T22:00"] * 4), "id": [-1, -2, -3, -4], "shop": "north"})
    ask(asked.assign(price=prices), released / "out.parquet", replace(champion, sql=sql))
    rate = released.table("features/features")["rate"].iloc[-1]
    features = pd.DataFrame({"shop": "north", "price": [np.inf, 1.0, np.nan, 1 / 995], "rate": rate})
    expected = np.asarray(champion.predict(features)).tolist()
    assert read(released / "out.parquet")["prediction"].tolist() == expected


def test_what_is_private_is_left_out_and_the_rest_kept(released: "World", ask: Predict) -> None:
    rows = events(released).tail(3).assign(Customer=["ann", "bob", "cid"], note=pd.Series(["x", None, "z"]).tolist())
    for ending in (".csv", ".parquet"):
        answered = ask(write(rows, released / f"in{ending}"), released / "out.csv")
        assert answered.hidden == ("Customer",) or answered.hidden == ("customer",)
        assert [*read(released / "out.csv")][:5] == [*EVENT, "note"]
        assert "ann" not in (released / "out.csv").read_text()


def test_a_folder_and_a_pattern_of_parquet_files(released: "World", offline: pd.DataFrame, ask: Predict) -> None:
    rows = events(released)
    (released / "in/more").mkdir(parents=True)
    for name, part in {"b": rows[500:], "a": rows[:500], "more/c": rows[:0]}.items():
        write(part, released / f"in/{name}.parquet")
    for place in (released / "in", released / "in/**/*.parquet"):
        ask(place, released / "out.parquet")
        assert read(released / "out.parquet")["prediction"].tolist() == offline["prediction"].tolist()
    write(rows[500:].assign(price=-1.0), released / "in/b.parquet")
    with pytest.raises(InputError, match=re.escape(f"{released / 'in/b.parquet'}: row 1: price")):
        ask(released / "in", released / "out.parquet")


def test_unknown_categories_by_the_policy(released: "World", champion: Champion, ask: Predict) -> None:
    rows = pd.DataFrame({"shop": ["north", "west", None], "price": 1.0, "rate": 1.0})
    assert ask(rows, released / "out.parquet").rows == 3
    with pytest.raises(InputError, match=r"row 2: shop: expected a category that the model knows, found 'west'"):
        ask(rows, released / "out.parquet", unknown="refuse")
    assert ask(rows, released / "out.parquet", unknown="refuse", skip_bad=True).bad == 1
    strange = replace(champion, sql=champion.sql.replace("orders.shop", "orders.shop || id::VARCHAR AS shop"))
    with pytest.raises(
        InputError, match=r"row 1: expected features with categories that the model knows, found others"
    ):
        ask(events(released).tail(2), released / "out.parquet", strange, unknown="refuse")


def test_an_answer_has_its_place(released: "World", tmp_path: Path, ask: Predict) -> None:
    rows = events(released).tail(2)
    for name in ("out.json", ".csv", "out"):
        with pytest.raises(InputError, match=r"expected a file that ends in \.parquet, \.csv or \.csv\.gz"):
            ask(rows, tmp_path / name)
    with pytest.raises(InputError, match="rename that column"):
        ask(rows.assign(Prediction=1), tmp_path / "out.csv")
    with pytest.raises(InputError, match="expected events or features, found the columns of both"):
        ask(rows.assign(rate=1.0), tmp_path / "out.csv")
    assert ask(rows.assign(rate=1.0), tmp_path / "out.csv", kind="features").kind == "features"
