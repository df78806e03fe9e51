"""Requests for predictions over gRPC: the V2 protocol (Open Inference Protocol)."""

import sys
import time
import traceback
from typing import Any

import grpc
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc
from kserve.protocol.grpc.interceptors import ExceptionToStatusInterceptor
from kserve.protocol.grpc.servicer import InferenceServicer
from kserve.protocol.model_repository_extension import ModelRepositoryExtension

from tidegate.process.errors import InputError
from tidegate.serving import metrics
from tidegate.serving.champion_model import Answer, ChampionModel, Question
from tidegate.serving.recorded_prediction import REQUEST
from tidegate.serving.refusal import BROKEN, BUSY, INVALID, NOT_FOUND, TOO_LARGE, RefusalError, unlike
from tidegate.serving.rest import tensors_of
from tidegate.serving.tensors import DATATYPES, Tensor, from_tensors, raw_content, raw_elements, text_of

CODES = {
    BROKEN: grpc.StatusCode.INVALID_ARGUMENT,
    NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    TOO_LARGE: grpc.StatusCode.RESOURCE_EXHAUSTED,
    INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    BUSY: grpc.StatusCode.UNAVAILABLE,
}
CONTENTS = {
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    **{"INT64": "int64_contents", "UINT64": "uint64_contents", "BOOL": "bool_contents"},
    **{"FP32": "fp32_contents", "FP64": "fp64_contents", "BYTES": "bytes_contents"},
}


class Servicer(InferenceServicer):  # type: ignore[misc]
    """The methods of the protocol; models cannot be loaded or unloaded by a request."""

    def __init__(self, plane: DataPlane, model: ChampionModel) -> None:
        super().__init__(plane, ModelRepositoryExtension(plane.model_registry))
        self._model = model

    async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Predict the rows of the inputs."""
        start, code = time.perf_counter(), grpc.StatusCode.OK
        try:
            return await self._predicted(request)
        except RefusalError as refusal:
            code = CODES.get(refusal.status, grpc.StatusCode.INTERNAL)
            return await context.abort(code, str(refusal))
        except Exception:  # a bug: its traceback is for the log alone
            code = grpc.StatusCode.INTERNAL
            traceback.print_exc(file=sys.stderr)
            return await context.abort(code, "internal error: see the log of the server")
        finally:
            metrics.count("grpc", code.name, code is not grpc.StatusCode.OK, time.perf_counter() - start)

    async def _predicted(self, request: Any) -> Any:
        by = self._model.current()
        if request.model_name != self._model.name:
            raise RefusalError(NOT_FOUND, f"model_name: expected {self._model.name}, found another name")
        if request.model_version not in ("", by.version):
            raise RefusalError(NOT_FOUND, f"model_version: expected {by.version}, which serves, found another one")
        rows = from_tensors(_tensors(request), by.form)
        question = Question(rows, by, _explains(request))
        answer = await self._model.predict(question, {REQUEST: request.id})
        return response(answer, self._model.name, request.id, bool(request.raw_input_contents))

    async def RepositoryModelLoad(self, request: Any, context: Any) -> None:  # noqa: N802
        """Refused: the journal says which version serves."""
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "the journal of champions says what is loaded")

    RepositoryModelUnload = RepositoryModelLoad


def _explains(request: Any) -> bool:
    """Whether the request asks for an explanation."""
    if "explain" not in request.parameters:
        return False
    parameter = request.parameters["explain"]
    if parameter.WhichOneof("parameter_choice") != "bool_param":
        raise unlike("parameters.explain", "bool_param", "another type", BROKEN)
    return bool(parameter.bool_param)


def _tensors(request: Any) -> list[Tensor]:
    """The inputs of a request."""
    raw = list(request.raw_input_contents)
    if raw and len(raw) != len(request.inputs):
        raise unlike("raw_input_contents", "one for each input", f"{len(raw):,}", BROKEN)
    tensors = []
    for place, tensor in enumerate(request.inputs):
        if tensor.datatype not in DATATYPES:
            raise unlike(f"inputs[{place}].datatype", f"one of {', '.join(DATATYPES)}", "another text")
        if raw and tensor.HasField("contents"):
            raise unlike(f"inputs[{place}]", "contents or raw_input_contents", "both", BROKEN)
        at = f"inputs[{place}]"
        elements = raw_elements(raw[place], tensor.datatype, at) if raw else _typed(tensor, at)
        tensors.append(Tensor(tensor.name, tensor.datatype, tuple(tensor.shape), elements))
    return tensors


def _typed(tensor: Any, place: str) -> list[Any]:
    """The elements of an input that stand in the field of its datatype."""
    if tensor.datatype not in CONTENTS:
        raise unlike(place, f"raw_input_contents for {tensor.datatype}", "none", BROKEN)
    wanted = CONTENTS[tensor.datatype]
    if others := [field.name for field, _ in tensor.contents.ListFields() if field.name != wanted]:
        raise unlike(place, f"{wanted} for {tensor.datatype}", others[0], BROKEN)
    values = getattr(tensor.contents, wanted)
    return [text_of(value, place) for value in values] if tensor.datatype == "BYTES" else list(values)


def response(answer: Answer, name: str, id_: str, raw: bool) -> Any:
    """The message of an answer; `raw` has the elements as bytes, as the request had them."""
    message = pb.ModelInferResponse(model_name=name, model_version=answer.version, id=id_)
    for tensor, datatype, shape, data, more in tensors_of(answer):
        output = message.outputs.add(name=tensor, datatype=datatype, shape=shape)
        if raw:
            message.raw_output_contents.append(raw_content(data, datatype))
        else:
            values = [value.encode() for value in data] if datatype == "BYTES" else data
            getattr(output.contents, CONTENTS[datatype]).extend(values)
        for key, text in more.get("parameters", {}).items():
            output.parameters[key].string_param = text
    return message


def server(servicer: Servicer, address: str, most_bytes: int) -> Any:
    """A server of the protocol at an address; InputError when it is not free."""
    options = [
        ("grpc.max_receive_message_length", most_bytes),
        ("grpc.so_reuseport", 0),  # or a second server would share the port
    ]
    endpoint = grpc.aio.server(interceptors=[ExceptionToStatusInterceptor()], options=options)
    grpc_predict_v2_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, endpoint)
    try:
        endpoint.add_insecure_port(address)
    except RuntimeError:
        raise InputError("--grpc-port", "a free port of this machine", address, "choose another one") from None
    return endpoint
