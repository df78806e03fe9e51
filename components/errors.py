"""What a person can mend, told in one line; anything else that escapes is a bug and keeps its traceback."""

from collections.abc import Sequence


class InputError(Exception):
    """Something that was given is not as it must be: the thing, what was expected, what was found, the cure."""

    def __init__(self, thing: object, expected: str, found: str, cure: str) -> None:
        super().__init__(f"{thing}: expected {expected}, found {found}; {cure}")


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
        Exception.__init__(self, "\n".join([*violations, cure]))


class ModelError(InputError):
    """A model file that may not or cannot be loaded."""


class TrackingError(InputError):
    """The tracking server or the registry does not answer, or does not hold what it should."""
