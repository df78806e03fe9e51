"""The console of the commands."""

import sys
from typing import Any

from rich.console import Console
from rich.text import Text


class Screen(Console):
    """Prints texts as they are: without markup, emoji codes, highlighting or control characters.

    Reasons, names and messages of other people stand in tables, and may hold `[/x]` or an escape sequence.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """The text with its control characters escaped, apart from line ends."""
        return super().render_str("".join(map(_visible, text)), **options)


def console() -> Screen:
    """A console on stdout; 120 columns wide if that is not a terminal."""
    return Screen(width=None if sys.stdout.isatty() else 120)


def _visible(letter: str) -> str:
    return letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1]
