"""Sections of sentences and tables as Markdown; pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A heading, sentences below it, and a table: its header and its rows, none without a header."""

    title: str
    sentences: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def markdown(title: str, sections: Iterable[Section]) -> str:
    """The card as Markdown."""
    parts = [f"# {title}"]
    for section in sections:
        parts.append(f"## {section.title}")
        if section.sentences:
            parts.append("\n".join(f"- {_plain(sentence)}" for sentence in section.sentences))
        if section.rows:
            parts.append("\n".join(_table(section.header, section.rows)))
    return "\n\n".join(parts) + "\n"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for cells in (header, ["---"] * len(header), *rows):
        yield f"| {' | '.join(_plain(cell) if cell != '---' else cell for cell in cells)} |"


def _plain(text: str) -> str:
    """Names and values may hold what Markdown reads as its own."""
    text = " ".join(text.split())
    for letter in "\\`*_{}[]<>|#":
        text = text.replace(letter, f"\\{letter}")
    return text
