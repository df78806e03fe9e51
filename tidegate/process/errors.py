"""What a person can mend, told in one line; anything else that escapes is a bug and keeps its traceback."""

from collections.abc import Sequence
from errno import ENOSPC

MOST_LETTERS = 40
REFUSED = 2  # the exit code of what a person has to mend
UNAVAILABLE = 75  # that of what may pass by itself: EX_TEMPFAIL of sysexits.h


class InputError(Exception):
    """Something that was given is not as it must be: the thing, what was expected, what was found, the cure."""

    def __init__(self, thing: object, expected: str, found: str, cure: str) -> None:
        super().__init__(line(f"{thing}: expected {expected}, found {found}; {cure}"))


class UnavailableError(InputError):
    """A service that does not answer now, and may later: another attempt is worth it."""


def exit_code(error: InputError | OSError) -> int:
    """The code with which a step ends that an error ends: whether a person or time may mend it."""
    passing = isinstance(error, UnavailableError | ConnectionError | TimeoutError)
    return UNAVAILABLE if passing else REFUSED


def messages(error: InputError | OSError) -> list[str]:
    """An error as the lines that a person reads; the machine's own ones name the file and what is wrong with it."""
    if isinstance(error, InputError) or error.strerror is None:
        return [" ".join(line.split()) for line in str(error).splitlines()]
    thing = error.filename2 or error.filename or "this machine"
    cure = "make room" if error.errno == ENOSPC else "check the path and its rights"
    return [str(InputError(thing, "what can be read and written", error.strerror, cure))]


class ContractError(InputError):
    """The contract itself is not as it must be."""


class FaultsError(InputError):
    """All that is wrong in one file, one line per fault."""

    def __init__(self, faults: Sequence[InputError]) -> None:
        Exception.__init__(self, "\n".join(map(str, faults)))


class ContractFaultsError(FaultsError, ContractError):
    """All that is wrong in a contract, one line per fault."""


class SchemaSkewError(InputError):
    """The data breaks its contract: one line per violation, then the cure."""

    def __init__(self, violations: Sequence[str], cure: str) -> None:
        Exception.__init__(self, "\n".join(map(line, [*violations, cure])))


class ModelError(InputError):
    """A model file that may not or cannot be loaded."""


class TrackingError(InputError):
    """The tracking server or the registry does not answer, or does not hold what it should."""


class UnavailableTrackingError(TrackingError, UnavailableError):
    """The tracking server does not answer now, and may later."""


def line(text: str) -> str:
    """The text as one line: names and values may hold line ends and other control characters."""
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(letter: str) -> str:
    return letter if letter.isprintable() else ascii(letter)[1:-1]


def display(value: str) -> str:
    """A value or a name as a message quotes it: cut, and with its control characters escaped."""
    return repr(value if len(value) <= MOST_LETTERS else value[: MOST_LETTERS - 1] + "…")
