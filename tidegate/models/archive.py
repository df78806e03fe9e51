"""Checks the zip file of a model: its members, their sizes, and the headers of array files."""

import io
import json
import re
import zipfile
import zlib
from typing import Any

from tidegate.process.errors import ModelError

MAX_BYTES = 2**30
MAX_SCHEMA_BYTES = 2**26
MAX_MEMBERS = 2**16
SCHEMA = "schema.json"
CURE = "use a file written by tidegate.models.save"

_MEMBER_NAME = re.compile(r"schema\.json|[0-9]{1,9}\.npy", re.ASCII)


def opened(data: bytes, name: object) -> tuple[Any, dict[str, bytes]]:
    """The parsed schema and the array files by member name; ModelError names the invalid member."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_members(archive.infolist(), name)
            members = {info.filename: archive.read(info) for info in archive.infolist()}
        if SCHEMA not in members:
            raise ModelError(name, f"a {SCHEMA}", "none", CURE)
        schema = json.loads(members.pop(SCHEMA))
    except ModelError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RecursionError,
            NotImplementedError, RuntimeError) as error:  # fmt: skip
        raise ModelError(name, "a skops file", _display(error), CURE) from None
    for member, content in members.items():
        _check_array(content, f"{name}:{member}")
    return schema, members


def _check_members(infos: list[zipfile.ZipInfo], name: object) -> None:
    if len(infos) > MAX_MEMBERS:
        raise ModelError(name, f"at most {MAX_MEMBERS} members", f"{len(infos)}", "train a smaller model")
    if len({info.filename for info in infos}) != len(infos):
        raise ModelError(name, "members with different names", "a name used twice", CURE)
    for info in infos:
        _check_member(info, name)
    total = sum(info.file_size for info in infos)
    if total > MAX_BYTES:
        raise ModelError(name, f"at most {MAX_BYTES} bytes unpacked", f"{total}", "train a smaller model")


def _check_member(info: zipfile.ZipInfo, name: object) -> None:
    if not _MEMBER_NAME.fullmatch(info.filename):
        raise ModelError(name, "schema.json and arrays named by number", _display(info.filename), CURE)
    # other compression methods may unpack more than the declared size
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits:
        raise ModelError(f"{name}:{info.filename}", "a stored or deflated member", "another kind", CURE)
    if info.filename == SCHEMA and info.file_size > MAX_SCHEMA_BYTES:
        raise ModelError(f"{name}:{SCHEMA}", f"at most {MAX_SCHEMA_BYTES} bytes", f"{info.file_size}", CURE)


def array_header(content: bytes) -> tuple[tuple[int, ...], Any]:
    """Shape and dtype of an array file; ValueError unless its size matches them and it holds plain data."""
    import numpy as np

    stream = io.BytesIO(content)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(stream)
    if version not in readers:
        raise ValueError(f"array file version {version}")
    shape, _, dtype = readers[version](stream)
    if dtype.hasobject or dtype.itemsize == 0:
        raise ValueError(f"dtype {dtype}, which is not plain data")
    declared, held = dtype.itemsize, len(content) - stream.tell()
    for length in shape:
        declared *= length
    if declared != held or any(length < 0 for length in shape):
        raise ValueError(f"{held} bytes where its header declares {declared}")
    return shape, dtype


def _check_array(content: bytes, name: object) -> None:
    """Raise ModelError unless numpy can read `content` without unpickling and without a larger allocation."""
    try:
        array_header(content)
    except Exception as error:  # numpy's header parser may raise any exception on hostile text
        raise ModelError(name, "a plain numpy array", _display(error), CURE) from None


def _display(value: object) -> str:
    """A text from an untrusted file, as ASCII, shortened to one line."""
    return ascii(str(value))[1:-1][:120]
