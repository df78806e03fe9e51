"""The console for tables."""

import sys

from rich.console import Console


def console() -> Console:
    """A console without highlighting; 120 columns wide if the output is not a terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)
