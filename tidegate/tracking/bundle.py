"""The files of a version as one file: what a store is asked for costs by the request, hardly by the byte."""

import io
import zipfile
import zlib
from collections.abc import Mapping

BUNDLE = "version.zip"
MAX_BYTES = 2**31  # unpacked, all together
BEGIN = (1980, 1, 1, 0, 0, 0)  # the same files are the same bytes, whenever they were packed


def packed(files: Mapping[str, bytes]) -> bytes:
    """A zip of the files, in the order of their names; what is compressed already is small as it is."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, BEGIN), files[name], zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def unpacked(data: bytes, names: set[str]) -> dict[str, bytes]:
    """Those of these files that the zip has; ValueError for what is no zip, or holds more than it may."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {info.filename: info for info in archive.infolist()}
            if sum(info.file_size for info in members.values()) > MAX_BYTES:
                raise ValueError(f"more than {MAX_BYTES} bytes")
            return {name: archive.read(members[name]) for name in sorted(names & members.keys())}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise ValueError(" ".join(str(error).split())[:120]) from None
