"""Runs a stage only if the gate is open: `dsl.If` for DVC, which has no conditions."""

import argparse
import html
import os
import sys
from pathlib import Path

from components.errors import InputError, told
from components.formats import read_text, replacing, write_json, write_text

PAGE = '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Skipped</title><p>Skipped: {}</p></html>\n'


def main(argv: list[str] | None = None) -> None:
    """Become the command when the file reads `true`; write every output as skipped when it reads `false`."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.when", description=main.__doc__, allow_abbrev=False)
    parser.add_argument("--if", dest="file", type=Path, required=True, metavar="FILE", help="reads true or false")
    parser.add_argument("--writes", nargs="+", required=True, metavar="PATH", help="the outputs; a folder ends in /")
    parser.add_argument("command", nargs="+", metavar="-- COMMAND", help="what writes them")
    arguments = parser.parse_args(argv)
    try:
        if is_open(arguments.file):
            become(arguments.command)
        for path in arguments.writes:
            skip(path, f"{arguments.file} is false: the gate is shut")
    except (InputError, OSError) as error:
        for line in told(error):
            print(f"error: {line}", file=sys.stderr)
        sys.exit(2)


def is_open(file: Path) -> bool:
    """What the gate wrote; InputError for anything but `true` and `false`."""
    text = read_text(file)
    if text not in ("true", "false"):
        raise InputError(file, "true or false", f"{text[:40]!r}", "run the stage that writes it again")
    return text == "true"


def become(command: list[str]) -> None:
    """Replace this process by `command`, so that its exit code and every signal are the command's own."""
    program = sys.executable if command[0] == "python" else command[0]
    try:
        os.execvp(program, [program, *command[1:]])
    except FileNotFoundError:
        raise InputError(program, "a program", "nothing", "check the PATH") from None


def skip(path: str, reason: str) -> None:
    """Put the reason in the output's place: as JSON, a page for .html, a folder for a path that ends in /."""
    if path.endswith("/"):
        with replacing(Path(path)) as folder:
            write_json(folder / "skipped.json", {"skipped": reason})
    elif path.endswith(".html"):
        write_text(Path(path), PAGE.format(html.escape(reason)))
    else:
        write_json(Path(path), {"skipped": reason})


if __name__ == "__main__":
    main()
