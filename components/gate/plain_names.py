"""Names and categories as Evidently is given them: none of them can be read as markup, each stays readable."""

from collections.abc import Iterable

# Its pictures read tags in any text, and a program of its own may draw them elsewhere.
ANGLES = str.maketrans("<>", "‹›")


def plain(text: str) -> str:
    """The text without what begins or ends a tag."""
    return text.translate(ANGLES)


def plain_names(names: Iterable[str]) -> dict[str, str]:
    """By name its plain text, each another; one that would be equal to an earlier one is numbered."""
    texts: dict[str, str] = {}
    used: set[str] = set()
    for name in sorted(names, key=lambda name: (plain(name) != name, name)):  # those that stay as they are come first
        text, number = plain(name), 1
        while text in used:
            number += 1
            text = f"{plain(name)} ({number})"
        texts[name] = text
        used.add(text)
    return texts
