"""The files of a version as one archive: a store's latency is per request, hardly per byte."""

import io
import zipfile
import zlib
from collections.abc import Mapping

BUNDLE = "version.zip"
MAX_BYTES = 2**31  # unpacked, all together
BEGIN = (1980, 1, 1, 0, 0, 0)  # a fixed time stamp: the same files give the same bytes


def packed(files: Mapping[str, bytes]) -> bytes:
    """A zip of the files, sorted by name; the same files give the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, BEGIN), files[name], zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def unpacked(data: bytes, names: set[str]) -> dict[str, bytes]:
    """The files of these names in the zip; ValueError for a broken zip or one that unpacks to more than MAX_BYTES."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {info.filename: info for info in archive.infolist()}
            if sum(info.file_size for info in members.values()) > MAX_BYTES:
                raise ValueError(f"more than {MAX_BYTES} bytes")
            return {name: archive.read(members[name]) for name in sorted(names & members.keys())}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise ValueError(" ".join(str(error).split())[:120]) from None
