"""Requests for predictions over HTTP: the V1 protocol, and the V2 protocol (Open Inference Protocol)."""

import re
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote

import orjson

from tidegate.process import limits
from tidegate.serving import metrics
from tidegate.serving.champion_model import Answer, ChampionModel, Question
from tidegate.serving.explanation import METHOD
from tidegate.serving.predictor import Predictor
from tidegate.serving.recorded_prediction import REQUEST
from tidegate.serving.refusal import (
    BROKEN,
    BUSY,
    INTERNAL,
    NO_METHOD,
    NOT_FOUND,
    OTHER_TYPE,
    TOO_LARGE,
    RefusalError,
    unlike,
)
from tidegate.serving.rows import Rows, from_instances
from tidegate.serving.strict_json import parsed
from tidegate.serving.tensors import from_tensors, json_tensors

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Writer = Callable[[Answer, str], bytes]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

V1 = re.compile(r"/v1/models/(?P<name>[^/]+):predict")
V2 = re.compile(r"/v2/models/(?P<name>[^/]+)(?:/versions/(?P<version>[^/]+))?/infer")
JSON, BINARY = "application/json", "application/octet-stream"
HEADER_LENGTH = "inference-header-content-length"  # the bytes of JSON before binary data
SAFE = " /:;,.@!$&'()*+=[]{}|~^`<>?#\"\\"  # what stands as it is in a header beside letters, digits, _ and -
MOST_DISCARDED = 10  # times serve.max_bytes: of a larger body nothing more is read


class Asked(NamedTuple):
    """A request for predictions: its method and protocol, and the names in its path."""

    method: str
    protocol: str
    name: str
    version: str | None


class Rest:
    """Answers requests for predictions, and hands all others to `app`."""

    def __init__(self, app: App, model: ChampionModel) -> None:
        self._app, self._model = app, model

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An application of ASGI."""
        request = _asked(scope)
        if request is None:
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        status, content, headers = await self._answered(request, scope, receive)
        metrics.count(request.protocol, str(status), status >= 400, time.perf_counter() - start)
        await _respond(send, status, content, headers)

    async def _answered(self, request: Asked, scope: Scope, receive: Receive) -> tuple[int, bytes, Headers]:
        """The status, the body and the headers of the answer, one of which is the id of the request."""
        try:
            answer, write = await self._predicted(request, scope, receive)
            return 200, write(answer, request.name), [(REQUEST.encode(), quote(answer.request, SAFE).encode())]
        except RefusalError as refusal:
            return refusal.status, error(str(refusal)), []
        except Exception:  # a bug: its traceback is for the log alone
            traceback.print_exc(file=sys.stderr)
            return INTERNAL, error("internal error: see the log of the server"), []

    async def _predicted(self, request: Asked, scope: Scope, receive: Receive) -> tuple[Answer, Writer]:
        """The answer to a request, and what writes it in the request's protocol."""
        if request.method != "POST":
            raise RefusalError(NO_METHOD, "method: expected POST, found another one")
        by = self._model.current()
        if request.name != self._model.name:
            raise RefusalError(NOT_FOUND, f"model: expected {self._model.name}, found another name")
        if request.version not in (None, by.version):
            raise RefusalError(NOT_FOUND, f"version: expected {by.version}, which serves, found another one")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await _body(headers, receive, self._model.follower.settings.max_bytes)
        length = _check_type(headers, request.protocol, len(body))
        if request.protocol == "v1":
            document = parsed(body)
            rows = from_instances(document, by.form)
            return await self._model.predict(Question(rows, by, _explains(scope, document)), headers), v1
        document = parsed(body[:length])
        rows = _inferred(document, body[length:], by)
        question = Question(rows, by, _explains(scope, document.get("parameters", {})))
        if "id" in document:
            headers[REQUEST] = document["id"]
        return await self._model.predict(question, headers), partial(v2, id_=document.get("id"))


def _asked(scope: Scope) -> Asked | None:
    """The request for predictions that this is; None for any other."""
    if scope["type"] != "http":
        return None
    if match := V1.fullmatch(scope["path"]):
        return Asked(scope["method"], "v1", match["name"], None)
    if match := V2.fullmatch(scope["path"]):
        return Asked(scope["method"], "v2", match["name"], match["version"])
    return None


async def _body(headers: Mapping[str, str], receive: Receive, most: int) -> bytes:
    """The body of a request; RefusalError for a larger one.

    What is too much is read to its end within limits: a client that still sends would see no answer, but its
    connection reset.
    """
    declared = headers.get("content-length", "0")
    parts, size, more = [], 0, declared.isdecimal() and int(declared) <= MOST_DISCARDED * most
    too_large = unlike("body", f"at most {most:,} bytes (serve.max_bytes)", "more", TOO_LARGE)
    if not more:
        raise too_large
    while more and size <= MOST_DISCARDED * most:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusalError(BROKEN, "body: expected all of it, found its end before")
        part, more = message.get("body", b""), message.get("more_body", False)
        size += len(part)
        if size <= most:
            parts.append(part)
    if size > most:
        raise too_large
    return b"".join(parts)


def _check_type(headers: Mapping[str, str], protocol: str, size: int) -> int:
    """How many bytes of the body are JSON; RefusalError for a body of another type or encoding."""
    if headers.get("content-encoding", "identity") != "identity":
        raise RefusalError(OTHER_TYPE, "content-encoding: expected none, found one")
    type_ = headers.get("content-type", JSON).partition(";")[0].strip().lower()
    length = headers.get(HEADER_LENGTH) if protocol == "v2" else None
    if type_ != JSON and not (type_ == BINARY and length is not None):
        raise RefusalError(OTHER_TYPE, f"content-type: expected {JSON}, found another one")
    if length is None:
        return size
    if not (length.isascii() and length.isdigit()) or int(length) > size:
        raise unlike(HEADER_LENGTH, "the length of the JSON in the body", "another text", BROKEN)
    return int(length)


def _explains(scope: Scope, parameters: Any) -> bool:
    """Whether the address or the body asks for an explanation."""
    if not isinstance(parameters, dict):
        raise unlike("parameters", "an object", "another value", BROKEN)
    flag = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).get("explain", ["false"])
    if flag not in (["true"], ["false"]) or type(parameters.get("explain", False)) is not bool:
        raise unlike("explain", "true or false", "another value", BROKEN)
    return flag == ["true"] or parameters.get("explain", False)


def _inferred(document: Any, binary: bytes, by: Predictor) -> Rows:
    """The rows of a request of V2."""
    rows = from_tensors(json_tensors(document, binary), by.form)
    id_ = document.get("id", "")
    if not isinstance(id_, str):
        raise unlike("id", "a text", "another value", BROKEN)
    if any("\ud800" <= character <= "\udfff" for character in id_):  # the answer, which repeats it, is UTF-8
        raise unlike("id", "a text in Unicode", "half of a surrogate pair", BROKEN)
    return rows


def v1(answer: Answer, name: str) -> bytes:
    """The body of an answer by V1: a number for each row; of many classes the most probable one and all others."""
    predictions: Sequence[Any] = answer.values
    if (probabilities := answer.probabilities) is not None:
        predictions = [
            {"class": value, "probabilities": row}
            for value, row in zip(predictions, probabilities.to_dict("records"), strict=True)
        ]
    why = {"explanations": answer.explanation.rows()} if answer.explanation else {}
    return orjson.dumps({"predictions": predictions, **why, "model_name": name, "model_version": answer.version})


def v2(answer: Answer, name: str, id_: str | None) -> bytes:
    """The body of an answer by V2, with the id of the request if that had one."""
    outputs = [
        {"name": tensor, "datatype": datatype, "shape": shape, "data": data, **more}
        for tensor, datatype, shape, data, more in tensors_of(answer)
    ]
    head = {} if id_ is None else {"id": id_}
    return orjson.dumps({"model_name": name, "model_version": answer.version, **head, "outputs": outputs})


def tensors_of(answer: Answer) -> list[tuple[str, str, list[int], list[Any], dict[str, Any]]]:
    """Name, datatype, shape and elements of each output, and its parameters, which name the classes."""
    count, probabilities = len(answer), answer.probabilities
    why = _explanation_of(answer)
    if probabilities is None:
        return [("prediction", "FP64", [count], answer.values, {}), *why]
    classes = {"parameters": {"classes": orjson.dumps([*probabilities.columns]).decode()}}
    flat = probabilities.to_numpy().ravel().tolist()
    return [
        ("prediction", "BYTES", [count], answer.values, {}),
        ("probabilities", "FP64", [count, len(probabilities.columns)], flat, classes),
        *why,
    ]


def _explanation_of(answer: Answer) -> list[tuple[str, str, list[int], list[Any], dict[str, Any]]]:
    """The outputs of an explanation, if there is one: the base, and a column of contributions for each feature."""
    if answer.explanation is None:
        return []
    rows = answer.explanation.rows()
    features = [*answer.explanation.contributions]
    flat = [row["contributions"][name] for row in rows for name in features]
    named = {"parameters": {"features": orjson.dumps(features).decode(), "method": METHOD}}
    return [
        ("base", "FP64", [len(rows)], answer.explanation.base, {}),
        ("contributions", "FP64", [len(rows), len(features)], flat, named),
    ]


def error(message: str) -> bytes:
    """The body of a refusal, in both protocols."""
    return orjson.dumps({"error": message})


async def _respond(send: Send, status: int, content: bytes, more: Headers) -> None:
    headers = [(b"content-type", JSON.encode()), (b"content-length", str(len(content)).encode()), *more]
    if status == BUSY:
        headers.append((b"retry-after", str(limits.SERVE_RETRY_SECONDS).encode()))
    if status == NO_METHOD:
        headers.append((b"allow", b"POST"))
    if status == TOO_LARGE:  # the rest of the body is not read
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
