"""Where tables are printed: as wide as the terminal, and wide enough where there is none."""

import sys

from rich.console import Console


def console() -> Console:
    """A console without highlighting; 120 columns where the output is no terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)
