"""Column names: how DuckDB compares them, and which ones are reserved."""

from string import ascii_lowercase, ascii_uppercase

# Columns that steps add to the user's.
RESERVED = ("prediction", "split")
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def folded(name: str) -> str:
    """The name as DuckDB compares it: ASCII case is ignored; accents and the case of other letters are not."""
    return name.translate(_LOWER)


def reserved(name: str) -> bool:
    """Whether steps add a column of this name."""
    return folded(name) in RESERVED
