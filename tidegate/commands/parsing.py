"""The command line of `tidegate`: its commands in sections, and one line for a word that it does not know."""

import argparse
from collections.abc import Mapping, Sequence
from typing import NoReturn

from tidegate.commands.command import Command
from tidegate.process.errors import REFUSED, InputError

PROGRAM = "tidegate"
EVERYWHERE = {"--help": "show this help message and exit", "--debug": "show where an error comes from"}
VERSION = "--version"


class Parser(argparse.ArgumentParser):
    """One that tells what is wrong with the words in one line, as every command tells its errors."""

    def error(self, message: str) -> NoReturn:
        """End the process."""
        self.exit(REFUSED, f"error: {self.prog}: {message}; see `{self.prog} --help`\n")


def parser(sections: Mapping[str, Mapping[str, Command]], groups: Mapping[str, str]) -> argparse.ArgumentParser:
    """The command line, with `--debug` before or after the command; without a command `run` is None.

    `sections` are the commands that belong together, in the order of the help; `groups` tells of the first of two
    words.
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
    """All first words, each with what its command, or the group of its commands, is for."""
    helps = {
        title: {name.split()[0]: groups.get(name.split()[0], command.help) for name, command in section.items()}
        for title, section in sections.items()
    }
    width = max(len(name) for section in helps.values() for name in section)
    lines = ["Continuous training for tabular models, gated by drift."]
    for title, section in helps.items():
        lines += ["", f"{title}:", *(f"  {name:{width}}  {text}" for name, text in section.items())]
    return "\n".join([*lines, "", f"`{PROGRAM} COMMAND --help` says more of each."])


def check(words: Sequence[str], commands: Mapping[str, Command]) -> None:
    """InputError for a command or a flag that is not there, with the nearest one that is."""
    spoken = [word for word in words if not word.startswith("-")]
    name, place = "", PROGRAM
    while spoken and name not in commands:
        word = spoken.pop(0)
        known = _next_words(name, commands)
        if word not in known:
            _refuse(place, "a command", word, known)
        name = f"{name} {word}".lstrip()
        place = f"{PROGRAM} {name}"
    known = [*(flag for flag in commands[name].flags if flag.startswith("--"))] if name in commands else []
    for flag in _flags(words):
        if flag not in (*known, *EVERYWHERE) and (flag != VERSION or name):
            _refuse(place, "one of its flags", flag, [*known, *EVERYWHERE, *([] if name else [VERSION])])


def _next_words(name: str, commands: Mapping[str, Command]) -> list[str]:
    """The words that may stand after those of `name`, the beginning of a command."""
    depth = len(name.split())
    return list(dict.fromkeys(it.split()[depth] for it in commands if f"{it} ".startswith(f"{name} ".lstrip())))


def _flags(words: Sequence[str]) -> list[str]:
    end = words.index("--") if "--" in words else len(words)
    return [word.partition("=")[0] for word in words[:end] if word.startswith("--")]


def _refuse(place: str, expected: str, word: str, known: Sequence[str]) -> NoReturn:
    from tidegate.documents.schema import hint

    raise InputError(place, expected, hint(word, known), f"see `{place} --help`")
