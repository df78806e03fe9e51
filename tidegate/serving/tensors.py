"""Tensors of the V2 protocol (Open Inference Protocol) as rows: a column each, or JSON objects in one of BYTES."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tidegate.process.errors import display
from tidegate.serving.fields import check_names, converted
from tidegate.serving.refusal import BROKEN, INVALID, RefusalError, unlike
from tidegate.serving.rows import Form, Rows, check_count, of_objects
from tidegate.serving.strict_json import parsed

OBJECTS = "instances"  # the tensor whose elements are JSON objects, as the instances of V1
NUMPY = {
    **{f"INT{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
    "BOOL": "?",
}
DATATYPES = (*NUMPY, "BYTES")
TYPES: Mapping[str, tuple[type, ...]] = {"BOOL": (bool,), "BYTES": (str,), "FP": (float, int), "INT": (int,)}


@dataclass(frozen=True)
class Tensor:
    """One input: its name and datatype, its shape, and its elements in order (texts for BYTES, None for null)."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    elements: Sequence[Any]


def from_tensors(tensors: Sequence[Tensor], form: Form) -> Rows:
    """The rows of the inputs; RefusalError says where they are not as they should be."""
    if not tensors:
        raise unlike("inputs", "a tensor for each field", "none", BROKEN)
    names = [tensor.name for tensor in tensors]
    if len(set(names)) != len(names):
        raise unlike("inputs", "each name once", "one more than once", BROKEN)
    counts = {_rows(tensor) for tensor in tensors}
    if len(counts) > 1:
        raise unlike("inputs", "tensors of the same number of rows", ", ".join(map(str, sorted(counts)[:5])))
    check_count(counts.pop(), form, "inputs")
    if names == [OBJECTS]:
        return of_objects([_object(text, row) for row, text in enumerate(tensors[0].elements)], form, OBJECTS)
    columns = {tensor.name: tensor.elements for tensor in tensors}
    kind = form.kind(columns)
    fields = form.fields(kind)
    check_names(columns, fields, "inputs", f"a tensor for each field, or one of BYTES named {OBJECTS}")
    return Rows(kind, converted(columns, fields, lambda row, name: f"inputs.{name}[{row}]"))


def _rows(tensor: Tensor) -> int:
    """The number of rows of a tensor of shape [n] or [n, 1] with as many elements."""
    shape = tensor.shape
    if len(shape) not in (1, 2) or shape[1:] not in ((), (1,)) or shape[0] < 0:
        raise unlike(f"inputs.{_named(tensor.name)}", "the shape [rows] or [rows, 1]", str([*shape])[:60])
    if len(tensor.elements) != shape[0]:
        found = f"{len(tensor.elements):,}"
        raise unlike(f"inputs.{_named(tensor.name)}", f"{shape[0]:,} elements, as its shape says", found)
    return shape[0]


def _object(text: Any, row: int) -> Any:
    if type(text) is not str:
        raise unlike(f"{OBJECTS}[{row}]", "a JSON object as BYTES", "another value")
    try:
        return parsed(text.encode(errors="surrogatepass"))
    except RefusalError as error:
        raise RefusalError(error.status, f"{OBJECTS}[{row}]: {error}") from None


def json_tensors(document: Any, binary: bytes) -> list[Tensor]:
    """The inputs of a body in JSON, whose binary data, if any, follows it; RefusalError for another document."""
    inputs = document.get("inputs") if isinstance(document, dict) else None
    if not isinstance(inputs, list) or not all(isinstance(tensor, dict) for tensor in inputs):
        raise RefusalError(BROKEN, 'body: expected an object such as {"inputs": [{...}]}, found another value')
    tensors, rest = [], memoryview(binary)
    for place, tensor in enumerate(inputs):
        name, datatype, shape = _head(tensor, f"inputs[{place}]")
        size = _binary_size(tensor, f"inputs.{_named(name)}")
        if size is None:
            elements = _flat(tensor.get("data"), shape, datatype, f"inputs.{_named(name)}")
        else:
            elements = raw_elements(bytes(rest[:size]), datatype, f"inputs.{_named(name)}", size)
            rest = rest[size:]
        tensors.append(Tensor(name, datatype, shape, elements))
    if len(rest):
        raise unlike("body", "as many bytes as the inputs say", f"{len(rest):,} more", BROKEN)
    return tensors


def _head(tensor: Mapping[str, Any], place: str) -> tuple[str, str, tuple[int, ...]]:
    """Name, datatype and shape of an input."""
    name, datatype, shape = (tensor.get(key) for key in ("name", "datatype", "shape"))
    if not isinstance(name, str):
        raise unlike(f"{place}.name", "a text", "none" if name is None else "another value", BROKEN)
    if datatype not in DATATYPES:
        raise unlike(f"{place}.datatype", f"one of {', '.join(DATATYPES)}", _word(datatype))
    if not isinstance(shape, list) or not all(type(length) is int and 0 <= length < 2**31 for length in shape):
        raise unlike(f"{place}.shape", "a list of whole numbers", "another value")
    return name, str(datatype), tuple(shape)


def _word(value: Any) -> str:
    return display(value) if isinstance(value, str) else "another value"


def _named(name: str) -> str:
    return name if len(name) <= 40 and name.isprintable() else display(name)


def _binary_size(tensor: Mapping[str, Any], place: str) -> int | None:
    """How many bytes behind the JSON hold the data of an input; None for data in JSON."""
    parameters = tensor.get("parameters", {})
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is None:
        return None
    if type(size) is not int or size < 0 or "data" in tensor:
        raise unlike(place, "data, or the number of its bytes as binary_data_size", "another value", BROKEN)
    return size


def _flat(data: Any, shape: tuple[int, ...], datatype: str, place: str) -> list[Any]:
    """The elements of data in JSON, which may be nested as the shape is; null is a missing value."""
    if not isinstance(data, list):
        raise unlike(place, "data as a list", "none" if data is None else "another value", BROKEN)
    if len(shape) == 2 and data and all(type(row) is list for row in data):
        data = [element for row in data for element in row]
    allowed = TYPES.get(datatype) or TYPES["FP" if datatype.startswith("FP") else "INT"]
    for row, element in enumerate(data):
        if element is not None and type(element) not in allowed:
            raise unlike(f"{place}[{row}]", f"a value of datatype {datatype}", "another value")
    return [*data]


def raw_elements(content: bytes, datatype: str, place: str, size: int | None = None) -> list[Any]:
    """The elements of a tensor from its bytes, little-endian; those of BYTES have their length before them."""
    if size is not None and len(content) != size:
        raise unlike(place, f"{size:,} bytes", f"{len(content):,}", BROKEN)
    if datatype == "BYTES":
        return [*_texts(content, place)]
    kind = np.dtype(NUMPY[datatype])
    if len(content) % kind.itemsize:
        raise unlike(place, f"whole elements of {datatype}", f"{len(content):,} bytes", BROKEN)
    return list(np.frombuffer(content, kind).tolist())


def _texts(content: bytes, place: str) -> Iterator[str]:
    start = 0
    while start < len(content):
        end = start + 4 + (struct.unpack_from("<I", content, start)[0] if start + 4 <= len(content) else 0)
        if start + 4 > len(content) or end > len(content):
            raise unlike(place, "texts with their lengths before them", "other bytes", BROKEN)
        yield text_of(content[start + 4 : end], place)
        start = end


def raw_content(elements: Sequence[Any], datatype: str) -> bytes:
    """The bytes of a tensor, as `raw_elements` reads them."""
    if datatype == "BYTES":
        texts = [element.encode() for element in elements]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return np.array(elements, NUMPY[datatype]).tobytes()


def text_of(content: bytes, place: str) -> str:
    """An element of BYTES as text."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise unlike(place, "texts in UTF-8", "other bytes", INVALID) from None
