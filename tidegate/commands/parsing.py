"""The parser of the command line: commands in sections, and one-line errors for unknown words."""

import argparse
from collections.abc import Mapping, Sequence
from typing import NoReturn

from tidegate.commands.command import Command
from tidegate.process.errors import REFUSED, InputError

PROGRAM = "tidegate"
EVERYWHERE = {"--help": "show this help message and exit", "--debug": "show the traceback of an error"}
VERSION = "--version"


class Parser(argparse.ArgumentParser):
    """An argument parser that reports errors in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the error and exit."""
        self.exit(REFUSED, f"error: {self.prog}: {message}; see `{self.prog} --help`\n")


def parser(sections: Mapping[str, Mapping[str, Command]], groups: Mapping[str, str]) -> argparse.ArgumentParser:
    """The command line, with `--debug` before or after the command; without a command `run` is None.

    `sections` are groups of commands in the order of the help; `groups` is the help of the first word of two.
    """
    debug = Parser(add_help=False)
    debug.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=EVERYWHERE["--debug"])
    result = Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [--version] [--debug] COMMAND ...",
        description=_listed(sections, groups),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[debug],
        allow_abbrev=False,
    )
    result.add_argument(VERSION, dest="tell", action="store_true", help="show the version, and the commit if known")
    result.set_defaults(run=None)
    subparsers = result.add_subparsers(dest="command", prog=PROGRAM, metavar="COMMAND", help=argparse.SUPPRESS)
    parents = {"": subparsers}
    for name, command in (item for section in sections.values() for item in section.items()):
        group, _, verb = name.rpartition(" ")
        if group not in parents:
            parent = subparsers.add_parser(group, description=f"{groups[group].capitalize()}.", allow_abbrev=False)
            parents[group] = parent.add_subparsers(dest="verb", required=True, metavar="COMMAND")
        subparser = parents[group].add_parser(
            verb, help=command.help, description=command.run.__doc__, parents=[debug], allow_abbrev=False
        )
        for flag, options in command.flags.items():
            subparser.add_argument(flag, **options)
        subparser.set_defaults(run=command.run)
    return result


def _listed(sections: Mapping[str, Mapping[str, Command]], groups: Mapping[str, str]) -> str:
    """The description: all first words, each with the help of its command or group."""
    helps = {
        title: {name.split()[0]: groups.get(name.split()[0], command.help) for name, command in section.items()}
        for title, section in sections.items()
    }
    width = max(len(name) for section in helps.values() for name in section)
    lines = ["Continuous training for tabular models, gated by drift."]
    for title, section in helps.items():
        lines += ["", f"{title}:", *(f"  {name:{width}}  {text}" for name, text in section.items())]
    return "\n".join([*lines, "", f"`{PROGRAM} COMMAND --help` shows the flags of a command."])


def check(words: Sequence[str], commands: Mapping[str, Command]) -> None:
    """Raise InputError for an unknown command or flag, with the most similar known one."""
    spoken = [word for word in words if not word.startswith("-")]
    name, place = "", PROGRAM
    while spoken and name not in commands:
        word = spoken.pop(0)
        choices = _next_words(name, commands)
        if word not in choices:
            _refuse(place, "a command", word, choices)
        name = f"{name} {word}".lstrip()
        place = f"{PROGRAM} {name}"
    choices = [*(flag for flag in commands[name].flags if flag.startswith("--"))] if name in commands else []
    for flag in _flags(words):
        if flag not in (*choices, *EVERYWHERE) and (flag != VERSION or name):
            _refuse(place, "one of its flags", flag, [*choices, *EVERYWHERE, *([] if name else [VERSION])])


def _next_words(name: str, commands: Mapping[str, Command]) -> list[str]:
    """The words that may follow `name`, the first words of a command."""
    depth = len(name.split())
    return list(dict.fromkeys(full.split()[depth] for full in commands if f"{full} ".startswith(f"{name} ".lstrip())))


def _flags(words: Sequence[str]) -> list[str]:
    end = words.index("--") if "--" in words else len(words)
    return [word.partition("=")[0] for word in words[:end] if word.startswith("--")]


def _refuse(place: str, expected: str, word: str, choices: Sequence[str]) -> NoReturn:
    from tidegate.documents.schema import hint

    raise InputError(place, expected, hint(word, choices), f"see `{place} --help`")
