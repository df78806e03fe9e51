"""Names as SQL compares them, and those that a user's tables cannot have."""

from string import ascii_lowercase, ascii_uppercase

# Columns of the tables that steps hand on, beside the user's own.
RESERVED = ("prediction", "split")
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def folded(name: str) -> str:
    """The name as DuckDB compares it: capitals of ASCII do not count, accents and other capitals do."""
    return name.translate(_LOWER)


def reserved(name: str) -> bool:
    """Whether steps add a column of this name to the user's."""
    return folded(name) in RESERVED
