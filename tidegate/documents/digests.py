"""SHA-256 of the files that a document vouches for: its writer writes them, whoever reads the files checks them."""

from collections.abc import Mapping
from hashlib import file_digest, sha256
from pathlib import Path

from tidegate.process.errors import InputError

CURE = "run `tidegate run --anew`"


def digests(**outputs: Path) -> dict[str, str]:
    """The digest of each output, a file or a folder, by its name."""
    return {name: _digest(path) for name, path in outputs.items()}


def check(written: Mapping[str, str], **inputs: Path) -> None:
    """InputError for an input that is not as the step that wrote it left it; `written` are its digests."""
    for name, path in inputs.items():
        if not path.exists():
            raise InputError(path, f"the {name} of an earlier step", "nothing", CURE)
        if _digest(path) != written.get(name):
            raise InputError(path, f"the {name} as an earlier step wrote it", "other bytes", CURE)


def _digest(path: Path) -> str:
    """Of a folder, the digest of the lines that `sha256sum` writes of its files."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        lines = [f"{_digest(file)}  {file.relative_to(path).as_posix()}\n" for file in files]
        return sha256("".join(lines).encode()).hexdigest()
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
