"""What each feature adds to a prediction: held against the definition of Shapley values, asked by each protocol."""

import json
from collections.abc import Mapping
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb

from tests.tidegate.serving.conftest import EVENT, FEATURES, Server
from tests.tidegate.serving.test_encoding import KINDS, columns, label
from tests.tidegate.serving.test_grpc import ask
from tidegate.components.train.estimator_pipeline import baselines, challenger
from tidegate.components.train.specification import parse_specification
from tidegate.scoring.scores import answers, model_input, predict
from tidegate.serving.encoding import frame_of
from tidegate.serving.explanation import explanation

V1, V2 = "/v1/models/toy:predict", "/v2/models/toy/infer"
ROWS = 100


def by_definition(value: Any, background: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, float]:
    """Shapley values: over all sets of other features, what a feature changes the mean prediction by."""

    def mean(known: tuple[str, ...]) -> float:
        return float(value({name: [row[name]] * ROWS if name in known else background[name] for name in row}).mean())

    def of(feature: str) -> float:
        others = [name for name in row if name != feature]
        sets = [(size, chosen) for size in range(len(row)) for chosen in combinations(others, size)]
        gains = [(mean((*chosen, feature)) - mean(chosen)) / comb(len(others), size) for size, chosen in sets]
        return sum(gains) / len(row)

    return {name: of(name) for name in row}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_they_are_shapley_values(task: str) -> None:
    given, kind = columns(), "Regressor" if task == "regression" else "Classifier"
    named = parse_specification(f"estimator: sklearn.ensemble.HistGradientBoosting{kind}\n", task)
    pipeline = challenger(named, KINDS).fit(model_input(frame_of(given, KINDS), KINDS), label(task, given))
    background = {name: values[:ROWS] for name, values in given.items()}
    asked = {name: values[ROWS : ROWS + 3] for name, values in given.items()}

    def predicted(rows: Any) -> Any:
        return predict(pipeline, frame_of(rows, KINDS), KINDS, task)

    classes = [*answers(predicted(asked))] if task == "multiclass" else None
    why = explanation(predicted, background, asked, classes)
    for number in range(3):
        row = {name: values[number] for name, values in asked.items()}
        class_ = classes[number] if classes else None

        def value(rows: Any, of: Any = class_) -> Any:
            return predicted(rows)[of] if classes else predicted(rows)

        contributions = {name: values[number] for name, values in why.contributions.items()}
        assert contributions == pytest.approx(by_definition(value, background, row), abs=0.03)
        whole = why.base[number] + sum(contributions.values())
        assert whole == pytest.approx(float(np.asarray(value(asked))[number]), abs=1e-9)


def test_of_a_linear_model_they_are_exact() -> None:
    given = columns()
    given["rate"] = [number % 7 / 7 for number in range(len(given["rate"]))]  # without the infinite ones
    linear = baselines(KINDS, "regression")["linear"]
    linear.fit(model_input(frame_of(given, KINDS), KINDS), np.arange(len(given["rate"])) * 0.1)
    background = {name: values[:ROWS] for name, values in given.items()}
    asked = {name: values[-2:] for name, values in given.items()}

    def predicted(rows: Any) -> Any:
        return predict(linear, frame_of(rows, KINDS), KINDS, "regression")

    why = explanation(predicted, background, asked, None)
    for number in range(2):
        row = {name: values[number] for name, values in asked.items()}
        contributions = {name: values[number] for name, values in why.contributions.items()}
        assert contributions == pytest.approx(by_definition(predicted, background, row), abs=1e-9)


def test_every_protocol_explains(server: Server) -> None:
    plain = server.predict(FEATURES).document
    by_flag = server.ask(V1, {"instances": [FEATURES], "explain": True}).document
    (why,) = by_flag.pop("explanations")
    assert by_flag == plain
    assert (why["method"], [*why["contributions"]]) == ("permutation", [*FEATURES])
    assert why["base"] + sum(why["contributions"].values()) == pytest.approx(plain["predictions"][0], abs=1e-9)
    assert server.ask(f"{V1}?explain=true", {"instances": [FEATURES]}).document["explanations"] == [why]
    assert server.ask(f"{V1}?explain=false", {"instances": [FEATURES]}).document == plain

    inputs = [{"name": "instances", "datatype": "BYTES", "shape": [1], "data": [json.dumps(FEATURES)]}]
    for path, more in ((f"{V2}?explain=true", {}), (V2, {"parameters": {"explain": True}})):
        _, base, contributions = server.ask(path, {"inputs": inputs, **more}).document["outputs"]
        assert (base["data"], contributions["data"]) == ([why["base"]], [*why["contributions"].values()])
        assert contributions["shape"] == [1, 3]
        assert json.loads(contributions["parameters"]["features"]) == [*FEATURES]

    request = pb.ModelInferRequest(model_name="toy")
    tensor = request.inputs.add(name="instances", datatype="BYTES", shape=[1])
    tensor.contents.bytes_contents.append(json.dumps(FEATURES).encode())
    request.parameters["explain"].bool_param = True
    (answer,) = ask(server, request)
    assert [output.name for output in answer.outputs] == ["prediction", "base", "contributions"]
    assert [*answer.outputs[2].contents.fp64_contents] == [*why["contributions"].values()]


def test_the_answer_names_the_request_as_the_record_does(server: Server) -> None:
    made = server.predict(FEATURES).headers["x-request-id"]
    assert made != server.predict(FEATURES).headers["x-request-id"] and len(made) == 32
    assert server.ask(V1, {"instances": [FEATURES]}, x_request_id="a 1:b").headers["x-request-id"] == "a 1:b"
    inputs = [{"name": "instances", "datatype": "BYTES", "shape": [1], "data": [json.dumps(FEATURES)]}]
    said = server.ask(V2, {"id": "é\n", "inputs": inputs}, x_request_id="7")
    assert said.document["id"] == "é\n" and len(said.headers["x-request-id"]) == 32


def test_events_are_explained_by_their_features(server: Server) -> None:
    said = server.ask(V1, {"instances": [EVENT, {**EVENT, "id": 7}], "explain": True}).document
    assert [[*why["contributions"]] for why in said["explanations"]] == [["shop", "price", "rate"]] * 2


@pytest.mark.parametrize(
    ("path", "body", "status", "line"),
    [
        (V1, {"instances": [FEATURES], "explain": "yes"}, 400, "explain: expected true or false, found another value"),
        (f"{V1}?explain=", {"instances": [FEATURES]}, 400, "explain: expected true or false, found another value"),
        (f"{V1}?explain=true", {"instances": [FEATURES] * 101}, 413, "explain: expected at most 100 rows"),
        (V2, {"inputs": [], "parameters": 3}, 400, "inputs: expected a tensor for each field, found none"),
    ],
)
def test_a_question_that_is_none_is_refused(server: Server, path: str, body: Any, status: int, line: str) -> None:
    said = server.ask(path, body)
    assert said.status == status
    assert said.document["error"].startswith(line), said.document
