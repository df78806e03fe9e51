"""What is asked over HTTP, and what is answered: predictions, or one line that says what was expected and found."""

import asyncio
import json
import struct
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tidegate.serving.conftest import EVENT, FEATURES, Server
from tests.tiers import large

V1, V2 = "/v1/models/toy:predict", "/v2/models/toy/infer"


def test_it_answers_events_and_features_by_name(server: Server) -> None:
    by_event = server.predict(EVENT, {**EVENT, "id": 7, "price": None})
    by_name = server.predict(FEATURES)
    assert (by_event.status, by_name.status) == (200, 200)
    assert by_event.document.keys() == by_name.document.keys() == {"predictions", "model_name", "model_version"}
    assert (by_name.document["model_name"], by_name.document["model_version"]) == ("toy", "1")
    assert [len(said.document["predictions"]) for said in (by_event, by_name)] == [2, 1]
    assert all(0 < number < 1 for number in by_event.document["predictions"])


def test_both_protocols_answer_the_same(server: Server) -> None:
    expected = server.predict(FEATURES).document
    tensors = {"shop": ("BYTES", ["south"]), "price": ("FP64", [20.5]), "rate": ("FP64", [1.125])}
    objects = {"instances": ("BYTES", [json.dumps(FEATURES)])}
    for inputs in (tensors, objects):
        said = server.infer(**inputs)
        assert said.status == 200, said.document
        output = {"name": "prediction", "datatype": "FP64", "shape": [1], "data": expected["predictions"]}
        assert said.document == {"model_name": "toy", "model_version": "1", "id": "7", "outputs": [output]}


def test_tensors_may_follow_the_json_as_bytes(server: Server) -> None:
    expected = server.predict(FEATURES).document["predictions"]
    contents = {
        "shop": ("BYTES", struct.pack("<I", 5) + b"south"),
        "price": ("FP32", struct.pack("<f", 20.5)),
        "rate": ("FP64", struct.pack("<d", 1.125)),
    }
    inputs = [
        {"name": name, "datatype": type_, "shape": [1, 1], "parameters": {"binary_data_size": len(content)}}
        for name, (type_, content) in contents.items()
    ]
    head = json.dumps({"inputs": inputs}).encode()
    body = head + b"".join(content for _, content in contents.values())
    said = server.ask(
        V2, body, inference_header_content_length=str(len(head)), content_type="application/octet-stream"
    )
    assert (said.status, said.document["outputs"][0]["data"]) == (200, expected)
    for broken in (body[:-1], body + b"x"):
        said = server.ask(V2, broken, inference_header_content_length=str(len(head)))
        assert said.status == 400


BODIES: dict[str, tuple[int, bytes, str]] = {
    "nothing": (400, b"", "body, character 1: expected JSON"),
    "no json": (400, b"{", "body, character 2: expected JSON"),
    "another encoding": (400, "{}".encode("utf-16"), "body: expected JSON in UTF-8, found another encoding"),
    "no object": (400, b"[]", 'body: expected an object such as {"instances": [{...}]}'),
    "no instances": (400, b'{"rows": []}', 'body: expected an object such as {"instances": [{...}]}'),
    "more than instances": (400, b'{"instances": [], "parameters": 1}', "body: expected instances and perhaps"),
    "a name twice": (
        400,
        b'{"instances": [{"a": 1, "a": 2}]}',
        "each name once in an object, found 'a' more than once",
    ),
    "NaN": (400, b'{"instances": [{"price": NaN}]}', "expected JSON, which has no NaN"),
    "Infinity": (400, b'{"instances": [{"price": -Infinity}]}', "expected JSON, which has no -Infinity"),
    "deep": (400, b"[" * 90_000, "body: expected JSON, found too many levels"),
    "digits": (
        400,
        b'{"instances": [' + b"1" * 5000 + b"]}",
        "expected JSON, found a number of too many digits",
    ),
    "large": (413, b" " * 100_001, "body: expected at most 100,000 bytes (serve.max_bytes), found more"),
    "no row": (422, b'{"instances": []}', "instances: expected at least one row, found none"),
    "no rows": (422, b'{"instances": [1]}', "instances[0]: expected an object: a value for each field"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_none_is_refused(server: Server, name: str) -> None:
    status, body, told = BODIES[name]
    said = server.ask(V1, body)
    assert (said.status, [*said.document]) == (status, ["error"])
    assert told in said.document["error"]


INSTANCES: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({"price": ...}, "instances[0]: expected the columns of an event, found no price"),
    "unknown": ({"prices": 1}, "(at, id, shop, price), found 'prices' (did you mean 'price'?)"),
    "private": ({"customer": "secret-7"}, "(at, id, shop, price), found 'customer'"),
    "outcome": ({"kept_days": 3}, "(at, id, shop, price), found 'kept_days'"),
    "null": ({"shop": None}, "instances[0].shop: expected a text, found null"),
    "null identity": ({"at": None}, "instances[0].at: expected a time such as 2013-03-01T06:00:00, found null"),
    "text": ({"price": "12"}, "instances[0].price: expected a number, found a text"),
    "boolean": ({"price": True}, "instances[0].price: expected a number, found true or false"),
    "list": ({"price": [1]}, "instances[0].price: expected a number, found a list"),
    "object": ({"price": {}}, "instances[0].price: expected a number, found an object"),
    "fraction": ({"id": 1.5}, "instances[0].id: expected a whole number, found a fraction"),
    "beyond": ({"id": 2**53 + 1}, "instances[0].id: expected a whole number within 2^53, found one beyond"),
    "range": ({"price": 1000.5}, "instances[0].price: expected 0 to 1000, found 1000.5"),
    "value": ({"shop": "west"}, "instances[0].shop: expected one of north, south, found 'west'"),
    "time": ({"at": "yesterday"}, "instances[0].at: expected a time such as 2013-03-01T06:00:00, found another text"),
    "early": ({"at": "0001-01-01T00:00:00+14:00"}, "instances[0].at: expected a time such as 2013-03-01T06:00:00"),
    "surrogate": ({"shop": "\ud800"}, "instances[0].shop: expected a text in Unicode, found half of a surrogate pair"),
    "two": ({"shop": 1, "price": "x"}, "found a number; instances[0].price: expected a number, found a text"),
}


@pytest.mark.parametrize("name", INSTANCES)
def test_an_instance_is_held_against_the_contract(server: Server, name: str) -> None:
    changes, told = INSTANCES[name]
    said = server.predict({key: value for key, value in (EVENT | changes).items() if value is not ...})
    assert (said.status, [*said.document]) == (422, ["error"])
    assert told in said.document["error"]
    assert "secret" not in said.document["error"]


def test_a_number_that_is_none_in_double_precision_is_refused(server: Server) -> None:
    said = server.ask(V1, json.dumps({"instances": [EVENT | {"price": 0.5}]}).replace("0.5", "1e400").encode())
    assert (said.status, said.document) == (
        422, {"error": "instances[0].price: expected a finite number, found a larger one"}
    )  # fmt: skip


def test_events_are_of_one_kind_and_each_its_own(server: Server) -> None:
    mixed = server.predict(EVENT, FEATURES)
    assert mixed.status == 422
    assert "instances[1]: expected the columns of an event" in mixed.document["error"]
    twice = server.predict(EVENT, EVENT)
    assert twice.document == {
        "error": "instances[1]: expected another event (at, id) than instances[0], found the same"
    }


def test_unknown_categories_are_missing_or_refused(serve: Callable[..., Server]) -> None:
    accepting, refusing = serve(), serve(unknown="refuse")
    assert (
        accepting.predict(FEATURES | {"shop": "west"}).document["predictions"]
        == accepting.predict(FEATURES | {"shop": None}).document["predictions"]
    )
    said = refusing.predict(FEATURES | {"shop": "west"})
    told = "instances[0].shop: expected a category that the model knows, found 'west'"
    assert (said.status, said.document) == (422, {"error": told})
    assert refusing.predict(FEATURES | {"shop": None}).status == refusing.predict(FEATURES).status == 200


def test_too_many_rows_are_refused(serve: Callable[..., Server]) -> None:
    server = serve(max_rows=2)
    assert server.predict(FEATURES, FEATURES).status == 200
    said = server.predict(FEATURES, FEATURES, FEATURES)
    assert (said.status, said.document) == (
        413, {"error": "instances: expected at most 2 rows (serve.max_rows), found 3"}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "path", "method"),
    [
        (404, "/v1/models/other:predict", "POST"),
        (404, "/v2/models/other/infer", "POST"),
        (404, "/v2/models/toy/versions/9/infer", "POST"),
        (404, "/v2/repository/models/toy/unload", "POST"),
        (404, "/v2/repository/models/toy/load", "POST"),
        (404, "/nowhere", "GET"),
        (404, "/v2/models/other", "GET"),
        (405, V1, "GET"),
        (405, V2, "DELETE"),
        (405, "/v2", "POST"),
    ],
)
def test_another_path_or_method_is_refused(server: Server, status: int, path: str, method: str) -> None:
    said = server.ask(path, {"instances": [FEATURES]}, method)
    assert (said.status, [*said.document]) == (status, ["error"])


def test_another_type_is_refused(server: Server) -> None:
    body = json.dumps({"instances": [FEATURES]}).encode()
    assert server.ask(V1, body, content_type="application/json; charset=utf-8").status == 200
    for headers in ({"content_type": "text/csv"}, {"content_encoding": "gzip"}):
        assert server.ask(V1, body, **headers).status == 415


TENSORS: dict[str, tuple[dict[str, Any], str]] = {
    "datatype": ({"datatype": "FP8"}, "inputs[1].datatype: expected one of INT8"),
    "shape": ({"shape": [1, 2]}, "inputs.price: expected the shape [rows] or [rows, 1], found [1, 2]"),
    "elements": ({"shape": [2]}, "inputs.price: expected 2 elements, as its shape says, found 1"),
    "no shape": ({"shape": "1"}, "inputs[1].shape: expected a list of whole numbers"),
    "no name": ({"name": None}, "inputs[1].name: expected a text, found none"),
    "a text": ({"data": ["1"]}, "inputs.price[0]: expected a value of datatype FP64"),
    "no data": ({"data": None}, "inputs.price: expected data as a list, found none"),
    "name": ({"name": "prices"}, "inputs: expected a tensor for each field, or one of BYTES named instances"),
    "twice": ({"name": "shop"}, "inputs: expected each name once"),
    "another row": (
        {"shape": [2], "data": [1.0, 2.0]},
        "expected tensors of the same number of rows, found 1, 2",
    ),
}


@pytest.mark.parametrize("name", TENSORS)
def test_a_tensor_is_held_against_the_contract(server: Server, name: str) -> None:
    changes, told = TENSORS[name]
    inputs = [
        {"name": "shop", "datatype": "BYTES", "shape": [1], "data": ["north"]},
        {"name": "price", "datatype": "FP64", "shape": [1], "data": [1.5]} | changes,
        {"name": "rate", "datatype": "FP64", "shape": [1], "data": [None]},
    ]
    said = server.ask(V2, {"inputs": inputs})
    assert said.status in (400, 422), said.document
    assert told in said.document["error"]


def test_it_says_how_it_is(server: Server) -> None:
    assert server.ask("/v2/health/live", method="GET").document == {"live": True}
    assert server.ask("/v2/health/ready", method="GET").document == {"ready": True}
    assert server.ask("/v1/models/toy", method="GET").document == {"name": "toy", "ready": True}
    assert server.ask("/v2/models/toy", method="GET").document["inputs"][0] == {
        "name": "shop", "datatype": "BYTES", "shape": [-1]
    }  # fmt: skip
    text = server.ask("/metrics", method="GET").document
    assert "tidegate_requests_total" in text and 'tidegate_model_version{version="1"} 1.0' in text
    document = server.ask("/openapi.json", method="GET").document
    body = document["paths"]["/v1/models/toy:predict"]["post"]["requestBody"]["content"]["application/json"]
    event, features = body["schema"]["properties"]["instances"]["items"]["oneOf"]
    assert [*event["properties"]] == ["at", "id", "shop", "price"]
    assert event["properties"]["price"] == {"type": ["number", "null"], "minimum": 0, "maximum": 1000}
    assert [*features["properties"]] == ["shop", "price", "rate"]
    assert server.ask("/v1/models/toy:predict", body["example"]).status == 200


HALF = "\ud800"  # half of a surrogate pair: JSON can write it, UTF-8 cannot
SHOP = {"name": "shop", "datatype": "BYTES", "shape": [1], "data": ["north"]}
INPUTS = [
    SHOP,
    {"name": "price", "datatype": "FP64", "shape": [1], "data": [1.5]},
    {"name": "rate", "datatype": "FP64", "shape": [1], "data": [None]},
]
HALVES: dict[str, tuple[str, Any]] = {
    "a key of the body": (V1, {"instances": [FEATURES], HALF: 1}),
    "a field": (V1, {"instances": [{**FEATURES, HALF: 1}]}),
    "a feature": (V1, {"instances": [{**FEATURES, "shop": HALF}]}),
    "a column of an event": (V1, {"instances": [{**EVENT, "shop": HALF}]}),
    "a time": (V1, {"instances": [{**EVENT, "at": HALF}]}),
    "the id": (V2, {"id": HALF, "inputs": INPUTS}),
    "the name of a tensor": (V2, {"inputs": [{**SHOP, "name": HALF}, *INPUTS[1:]]}),
    "a datatype": (V2, {"inputs": [{**SHOP, "datatype": HALF}, *INPUTS[1:]]}),
    "an element": (V2, {"inputs": [{**SHOP, "data": [HALF]}, *INPUTS[1:]]}),
}


@pytest.mark.parametrize("name", HALVES)
def test_half_of_a_surrogate_pair_is_refused(server: Server, name: str) -> None:
    said = server.ask(*HALVES[name])
    assert said.status in (400, 422), said
    assert ": expected " in said.document["error"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["north", "NaN"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from([*EVENT, *FEATURES, "customer", "kept_days", "instances", ""])
ROWS = st.lists(
    st.builds(lambda base, more: base | more, st.sampled_from([EVENT, FEATURES, {}]), st.dictionaries(FIELDS, VALUES)),
    max_size=3,
)
TENSOR = st.fixed_dictionaries(
    {},
    optional={
        "name": FIELDS | VALUES,
        "datatype": st.sampled_from(["FP64", "INT64", "BYTES", "BOOL", "FP32"]) | VALUES,
        "shape": st.lists(st.integers(-1, 3), max_size=3) | VALUES,
        "data": st.lists(VALUES, max_size=3) | VALUES,
        "parameters": st.dictionaries(st.just("binary_data_size"), st.integers(-1, 20) | VALUES) | VALUES,
    },
)
V1_BODIES = st.builds(lambda rows: {"instances": rows}, ROWS | VALUES)
V2_BODIES = st.builds(lambda inputs, id_: {"inputs": inputs, "id": id_}, st.lists(TENSOR, max_size=4) | VALUES, VALUES)
HOSTILE = st.tuples(st.sampled_from([V1, V2]), st.one_of(V1_BODIES, V2_BODIES, VALUES)).map(
    lambda asked: (asked[0], json.dumps(asked[1]).encode("utf-8", "surrogatepass"))
) | st.tuples(st.sampled_from([V1, V2]), st.binary(max_size=60))

SHARED = [HealthCheck.function_scoped_fixture]  # a server answers one request as another


@settings(max_examples=large(10_000, 1_000), deadline=None, suppress_health_check=SHARED)
@given(HOSTILE, st.sampled_from([None, "0", "5", "x", "-1"]))
def test_whatever_is_asked_gets_an_answer_or_one_line(
    server: Server, asked: tuple[str, bytes], length: str | None
) -> None:
    path, body = asked
    said = server.ask(path, body, **({"inference_header_content_length": length} if length else {}))
    assert said.status in (200, 400, 413, 415, 422), said.document
    if said.status != 200:
        assert [*said.document] == ["error"]
        told = said.document["error"]
        assert ": expected " in told and ", found " in told
        assert not any(word in told for word in ("Traceback", "secret-", ".py", "/tmp"))


def test_the_documentation_is_one_page_that_fetches_nothing(server: Server) -> None:
    said = server.ask("/docs", method="GET")
    assert said.status == 200 and said.headers["content-type"].startswith("text/html")
    for part in ("version 1 answers", "/v1/models/toy:predict", "one of north, south", "0 to 1000", "rate"):
        assert part in said.document
    assert "default-src &#39;none&#39;" in said.document and "://" not in said.document
    assert "customer" not in said.document, "the name of a private column"


def test_too_many_at_once_are_sent_away_and_it_recovers(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.serving.champion_model.MOST_WAITING", 3)

    async def crowd() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(server.app), base_url="http://server") as client:
            return await asyncio.gather(*(client.post(V1, json={"instances": [FEATURES]}) for _ in range(30)))

    answers = asyncio.run(crowd())
    assert {answer.status_code for answer in answers} == {200, 503}
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert all("expected fewer requests at once, found 3" in answer.json()["error"] for answer in refused)
    assert server.predict(FEATURES).status == 200
