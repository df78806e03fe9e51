"""Errors that a person can correct, reported in one line; any other exception is a bug and keeps its traceback."""

import re
from collections.abc import Sequence
from errno import ENOSPC

MOST_LETTERS = 40
# What no name may hold: control characters, line ends, and what a file system wrote in no encoding.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
REFUSED = 2  # the exit code of an error that a person has to correct
UNAVAILABLE = 75  # the exit code of a transient error: EX_TEMPFAIL of sysexits.h


class InputError(Exception):
    """Invalid input: the thing, what was expected, what was found, the cure."""

    def __init__(self, thing: object, expected: str, found: str, cure: str) -> None:
        super().__init__(line(f"{thing}: expected {expected}, found {found}; {cure}"))


class UnavailableError(InputError):
    """A service is temporarily unavailable; a retry may succeed."""


def exit_code(error: InputError | OSError) -> int:
    """The exit code for an error: UNAVAILABLE if it is transient, else REFUSED."""
    passing = isinstance(error, UnavailableError | ConnectionError | TimeoutError)
    return UNAVAILABLE if passing else REFUSED


def messages(error: InputError | OSError) -> list[str]:
    """The lines of an error for a person; for an OSError, one with the file and the reason."""
    if isinstance(error, InputError) or error.strerror is None:
        return [" ".join(line.split()) for line in str(error).splitlines()]
    thing = error.filename2 or error.filename or "this machine"
    cure = "make room" if error.errno == ENOSPC else "check the path and its rights"
    return [str(InputError(thing, "a readable and writable path", error.strerror, cure))]


class ContractError(InputError):
    """The contract is invalid."""


class FaultsError(InputError):
    """All faults of one file, one line each."""

    def __init__(self, faults: Sequence[InputError]) -> None:
        Exception.__init__(self, "\n".join(map(str, faults)))


class ContractFaultsError(FaultsError, ContractError):
    """All faults of a contract, one line each."""


class SchemaSkewError(InputError):
    """The data violates its contract: one line per violation, then the cure."""

    def __init__(self, violations: Sequence[str], cure: str) -> None:
        Exception.__init__(self, "\n".join(map(line, [*violations, cure])))


class ModelError(InputError):
    """A model file that is unsafe or cannot be loaded."""


class TrackingError(InputError):
    """The tracking server or the registry does not answer, or lacks a record."""


class UnavailableTrackingError(TrackingError, UnavailableError):
    """The tracking server is temporarily unavailable."""


def line(text: str) -> str:
    """The text on one line, with line ends and other control characters escaped."""
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(letter: str) -> str:
    return letter if letter.isprintable() else ascii(letter)[1:-1]


def display(value: str, most: int = MOST_LETTERS) -> str:
    """A value or a name for a message: in quotes, shortened, control characters escaped."""
    return repr(value if len(value) <= most else value[: most - 1] + "…")
