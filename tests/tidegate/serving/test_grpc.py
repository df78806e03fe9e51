"""What is asked over gRPC, and what is answered: the same as over HTTP."""

import asyncio
import socket
import struct
from collections.abc import Coroutine
from typing import Any

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

from tests.tidegate.serving.conftest import FEATURES, Server
from tests.tidegate.serving.test_rest import FIELDS, SHARED
from tests.tiers import large
from tidegate.process.errors import InputError
from tidegate.serving.grpc import Servicer
from tidegate.serving.grpc import server as grpc_server

CODE = grpc.StatusCode


def ask(server: Server, *requests: Any, method: str = "ModelInfer") -> list[Any]:
    """The answers to requests, in their order; a refusal is its code and its line."""

    async def asked() -> list[Any]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        running = grpc_server(Servicer(server.plane, server.model), address, 100_000)
        await running.start()
        async with grpc.aio.insecure_channel(address) as channel:
            call = getattr(GRPCInferenceServiceStub(channel), method)
            found = [await _answer(call(request)) for request in requests]
        await running.stop(None)
        return found

    return asyncio.run(asked())


async def _answer(call: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details()


def request(**changes: Any) -> Any:
    """A request for one row of features by name."""
    message = pb.ModelInferRequest(model_name="toy", id="7")
    for name, value in FEATURES.items():
        tensor = message.inputs.add(name=name, datatype="BYTES" if isinstance(value, str) else "FP64", shape=[1])
        if isinstance(value, str):
            tensor.contents.bytes_contents.append(value.encode())
        else:
            tensor.contents.fp64_contents.append(value)
    message.MergeFrom(pb.ModelInferRequest(raw_input_contents=changes.pop("raw", [])))
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def test_it_answers_as_over_http(server: Server) -> None:
    expected = server.predict(FEATURES).document["predictions"]
    raw = pb.ModelInferRequest(model_name="toy")
    for name, content in {"shop": struct.pack("<I", 5) + b"south", "price": struct.pack("<e", 20.5)}.items():
        raw.inputs.add(name=name, datatype="BYTES" if name == "shop" else "FP16", shape=[1])
        raw.raw_input_contents.append(content)
    raw.inputs.add(name="rate", datatype="FP64", shape=[1, 1])
    raw.raw_input_contents.append(struct.pack("<d", 1.125))
    for answer in ask(server, request(), request(model_version="1"), raw):
        assert (answer.model_name, answer.model_version) == ("toy", "1")
        (output,) = answer.outputs
        assert (output.name, output.datatype, [*output.shape]) == ("prediction", "FP64", [1])
        content = b"".join(answer.raw_output_contents) or struct.pack("<d", *output.contents.fp64_contents)
        assert content == struct.pack("<d", *expected)
    assert ask(server, request())[0].id == "7"


def nan() -> Any:
    message = request()
    message.inputs[1].contents.fp64_contents[0] = float("nan")
    return message


def changed(**values: Any) -> Any:
    message = request()
    for name, value in values.items():
        setattr(message.inputs[1], name, value)
    return message


def with_contents(**fields: Any) -> Any:
    message = request()
    message.inputs[1].contents.CopyFrom(pb.InferTensorContents(**fields))
    return message


REFUSED = {
    "model": (request(model_name="other"), CODE.NOT_FOUND, "model_name: expected toy, found another name"),
    "version": (request(model_version="9"), CODE.NOT_FOUND, "model_version: expected 1, which serves"),
    "NaN": (nan(), CODE.INVALID_ARGUMENT, "inputs.price[0]: expected a finite number, found NaN"),
    "name": (changed(name="prices"), CODE.INVALID_ARGUMENT, "found 'prices' (did you mean 'price'?)"),
    "datatype": (changed(datatype="FP8"), CODE.INVALID_ARGUMENT, "inputs[1].datatype: expected one of INT8"),
    "contents": (changed(datatype="INT8"), CODE.INVALID_ARGUMENT, "inputs[1]: expected int_contents for INT8"),
    "raw": (request(raw=[b""]), CODE.INVALID_ARGUMENT, "expected one for each input, found 1"),
    "both": (request(raw=[b""] * 3), CODE.INVALID_ARGUMENT, "inputs[0]: expected contents or raw"),
    "elements": (with_contents(fp64_contents=[1, 2]), CODE.INVALID_ARGUMENT, "expected 1 elements, as its shape"),
    "no text": (with_contents(bytes_contents=[b"\xff"]), CODE.INVALID_ARGUMENT, "inputs[1]: expected fp64_contents"),
    "large": (request(id="7" * 100_001), CODE.RESOURCE_EXHAUSTED, "larger than max"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_is_held_against_the_contract(server: Server, name: str) -> None:
    asked, code, told = REFUSED[name]
    ((found, line),) = ask(server, asked)
    assert found is code
    assert told in line


def test_it_says_how_it_is(server: Server) -> None:
    assert ask(server, pb.ServerReadyRequest(), method="ServerReady")[0].ready
    assert ask(server, pb.ModelReadyRequest(name="toy"), method="ModelReady")[0].ready
    inputs = ask(server, pb.ModelMetadataRequest(name="toy"), method="ModelMetadata")[0].inputs
    assert [(given.name, given.datatype) for given in inputs][:2] == [("shop", "BYTES"), ("price", "FP64")]
    ((code, _),) = ask(server, pb.ModelReadyRequest(name="other"), method="ModelReady")
    assert code is CODE.NOT_FOUND
    for method, message in {"Load": pb.RepositoryModelLoadRequest, "Unload": pb.RepositoryModelUnloadRequest}.items():
        ((code, _),) = ask(server, message(model_name="toy"), method=f"RepositoryModel{method}")
        assert code is CODE.UNIMPLEMENTED
    assert server.predict(FEATURES).status == 200


def test_a_port_that_is_taken_is_one_line(server: Server) -> None:
    async def taken() -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = f"127.0.0.1:{other.getsockname()[1]}"
            with pytest.raises(InputError, match=r"--grpc-port: expected a free port of this machine, found 127"):
                grpc_server(Servicer(server.plane, server.model), address, 100_000)

    asyncio.run(taken())


CONTENTS = st.builds(
    pb.InferTensorContents,
    fp64_contents=st.lists(st.floats(), max_size=2),
    int64_contents=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=2),
    bytes_contents=st.lists(st.binary(max_size=8), max_size=2),
    bool_contents=st.lists(st.booleans(), max_size=1),
)
ONE = st.sampled_from([
    pb.InferTensorContents(fp64_contents=[1.5]),
    pb.InferTensorContents(bytes_contents=[b"north"]),
    pb.InferTensorContents(int64_contents=[2**60]),
])  # fmt: skip
TENSORS = st.builds(
    pb.ModelInferRequest.InferInputTensor,
    name=FIELDS,
    datatype=st.sampled_from(["FP64", "BYTES", "INT64", "BOOL", "FP16", "", "\u0000"]),
    shape=st.lists(st.integers(-(2**63), 2**63 - 1) | st.just(1), max_size=2),
    contents=st.none() | ONE | CONTENTS,
)
REQUESTS = st.builds(
    pb.ModelInferRequest,
    model_name=st.just("toy"),
    inputs=st.lists(TENSORS, max_size=4),
    raw_input_contents=st.just([]) | st.lists(st.binary(max_size=12), max_size=4),
)
MADE = st.lists(REQUESTS, min_size=20, max_size=20)


@settings(max_examples=large(100, 20), deadline=None, suppress_health_check=SHARED)
@given(MADE)
def test_whatever_is_asked_gets_an_answer_or_one_line(server: Server, requests: list[Any]) -> None:
    for found in ask(server, request(), *requests):
        if isinstance(found, tuple):
            code, told = found
            assert code is CODE.INVALID_ARGUMENT, told
            assert ": expected " in told and ", found " in told and "secret-" not in told
