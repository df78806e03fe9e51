"""The file of a copy: a zip of the registry's files, each named by its SHA-256, and of the inventory of them."""

import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tidegate.documents.document import CHECKSUM, checksum
from tidegate.documents.formats import replacing
from tidegate.process.errors import InputError
from tidegate.tracking.backups.inventory import CURE, Inventory
from tidegate.tracking.bundle import BEGIN, MAX_BYTES

INVENTORY, FOLDER = "registry.json", "files/"
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError)


class Writer:
    """Takes the files of a copy, those of the same bytes once."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive, self._digests = archive, set[str]()
        self.bytes = 0

    def add(self, content: bytes) -> str:
        """Keep a file; returns its digest."""
        digest = sha256(content).hexdigest()
        if digest not in self._digests:
            self._digests.add(digest)
            self._write(f"{FOLDER}{digest}", content)
            self.bytes += len(content)
        return digest

    def end(self, inventory: Inventory) -> None:
        """Write the inventory, as the last file."""
        document = inventory.document()
        text = json.dumps({**document, CHECKSUM: checksum(document)}, ensure_ascii=False, allow_nan=False)
        self._write(INVENTORY, text.encode())

    def _write(self, name: str, content: bytes) -> None:
        self._archive.writestr(zipfile.ZipInfo(name, BEGIN), content, zipfile.ZIP_DEFLATED)


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """A file that is there once it is whole."""
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        yield Writer(archive)


@dataclass(frozen=True)
class Copy:
    """A copy that is whole: its inventory, the digest of that, and its files."""

    path: Path
    inventory: Inventory
    digest: str
    _archive: zipfile.ZipFile

    def content(self, digest: str) -> bytes:
        """The bytes of a file; InputError for others."""
        return _content(self._archive, self.path, digest)


@contextmanager
def reading(path: Path, name: str) -> Iterator[Copy]:
    """The copy of the problem `name` in a file, each byte of which is checked first; InputError for any other file."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield _checked(path, name, archive)
    except BROKEN as error:
        raise _damaged(path, " ".join(str(error).split())[:120] or "another file") from None


def _checked(path: Path, name: str, archive: zipfile.ZipFile) -> Copy:
    members = archive.namelist()
    if members[-1:] != [INVENTORY]:
        raise _damaged(path, f"none with {INVENTORY} at its end")
    text = _read(archive, path, INVENTORY)
    inventory = Inventory.parse(text, f"{path}: {INVENTORY}")
    inventory.check(path, name)
    digests = {file.digest for file in inventory.files}
    if sorted(members) != sorted([INVENTORY, *(f"{FOLDER}{digest}" for digest in digests)]):
        raise _damaged(path, "other files than it lists")
    for digest in sorted(digests):
        _content(archive, path, digest)
    return Copy(path, inventory, sha256(text).hexdigest(), archive)


def _content(archive: zipfile.ZipFile, path: Path, digest: str) -> bytes:
    content = _read(archive, path, f"{FOLDER}{digest}")
    if sha256(content).hexdigest() != digest:
        raise _damaged(path, "an altered file")
    return content


def _read(archive: zipfile.ZipFile, path: Path, member: str) -> bytes:
    """A file of the archive; its size is checked before it is unpacked."""
    if archive.getinfo(member).file_size > MAX_BYTES:
        raise _damaged(path, f"a file of more than {MAX_BYTES:,} bytes")
    return archive.read(member)


def _damaged(path: Path, found: str) -> InputError:
    return InputError(path, "a copy as `tidegate backup` wrote it", found, CURE)
