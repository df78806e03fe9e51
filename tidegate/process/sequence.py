"""Runs fused steps one after the other, as one task of a cluster, and stops at the first failure.

`python -m tidegate.process.sequence ingest=14 validate=16 -- ...`: the words of all commands follow `--`; the numbers
are their lengths.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise

from tidegate.process.child import child, split, tell


def main() -> None:
    """Exit with the code of the last step that ran."""
    names, words = split(sys.argv[1:])
    lengths = {name: int(count) for name, _, count in (text.partition("=") for text in names)}
    sys.exit(sequence(dict(commands(lengths, words))))


def sequence(steps: Mapping[str, Sequence[str]]) -> int:
    """Run the steps; returns the exit code of the first that failed, or 0. A signal ends the sequence."""
    code = 0
    with child() as running:
        for number, (name, command) in enumerate(steps.items(), start=1):
            tell(f"step {number} of {len(steps)}: {name}")
            code = running.run(command)
            if code or running.ending:
                break
    return code


def commands(lengths: Mapping[str, int], words: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """The command of each step; split by length, because a value may be any text."""
    edges = pairwise(accumulate(lengths.values(), initial=0))
    return ((name, words[start:end]) for name, (start, end) in zip(lengths, edges, strict=True))


if __name__ == "__main__":
    main()
