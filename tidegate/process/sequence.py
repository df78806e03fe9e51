"""Runs steps one after the other, as one task of a cluster, and stops at the first that fails.

`python -m tidegate.process.sequence ingest=14 validate=16 -- ...`: after `--` the words of all steps, so many of each.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise

from tidegate.process.child import child, split, tell


def main() -> None:
    """Exit as the last step that ran."""
    names, words = split(sys.argv[1:])
    lengths = {name: int(count) for name, _, count in (text.partition("=") for text in names)}
    sys.exit(sequence(dict(commands(lengths, words))))


def sequence(steps: Mapping[str, Sequence[str]]) -> int:
    """The exit code of the first step that failed, or 0; a signal ends the step that runs, and all."""
    code = 0
    with child() as running:
        for number, (name, command) in enumerate(steps.items(), start=1):
            tell(f"step {number} of {len(steps)}: {name}")
            code = running.run(command)
            if code or running.ending:
                break
    return code


def commands(lengths: Mapping[str, int], words: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Every step with its words; a value among them may be any text, so they are counted and not looked for."""
    edges = pairwise(accumulate(lengths.values(), initial=0))
    return ((name, words[start:end]) for name, (start, end) in zip(lengths, edges, strict=True))


if __name__ == "__main__":
    main()
