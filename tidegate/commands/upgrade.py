"""`tidegate upgrade`: updates the files of a problem for this version of Tidegate."""

import argparse
from difflib import unified_diff
from pathlib import Path

from tidegate.commands.command import Command
from tidegate.commands.draft import CLUSTER, PARAMETERS, PLOTS, STAGES
from tidegate.process.errors import InputError


def upgrade(arguments: argparse.Namespace) -> None:
    """Show the changes to dvc.yaml and params.yaml that this version of Tidegate needs; with --write, write them.

    Values and comments of your own are kept.
    """
    from tidegate.documents.formats import write_text

    changed = changes(Path(), arguments.cluster)
    for path, (before, after) in changed.items():
        if path.suffix == ".html":
            print(f"{path}: the page of `dvc plots show`, with the library that draws it")
            continue
        print("".join(unified_diff(_lines(before), _lines(after), f"{path} (now)", f"{path} (upgraded)")), end="")
    if not changed:
        print("nothing to upgrade")
    elif arguments.write:
        for path, (_, after) in changed.items():
            write_text(path, after)
        print(f"\nwritten: {', '.join(map(str, changed))}; commit them")
    else:
        print("\nnothing is written: `tidegate upgrade --write` writes this")


def changes(folder: Path, cluster: bool = False) -> dict[Path, tuple[str, str]]:
    """The text now and the upgraded text of each file that differs; InputError where there is no problem."""
    from tidegate.commands.draft import upgraded
    from tidegate.documents.formats import parse_yaml, read_text

    if not (folder / "contract.yaml").is_file():
        raise InputError(folder / "contract.yaml", "the contract of a problem", "nothing", "go to a problem's folder")
    pairs: dict[Path, tuple[str, str]] = {}
    files = {"dvc.yaml": (STAGES, upgraded.stages), "params.yaml": (PARAMETERS, upgraded.parameters)}
    for name, (written, merged) in files.items():
        path, template = folder / name, read_text(written)
        before = read_text(path) if path.exists() else ""
        parse_yaml(before, path)
        pairs[path] = (before, merged(before, template) if before else template)
    config, page = folder / ".dvc/config", folder / ".dvc" / PLOTS.name
    if config.is_file():
        pairs[config] = (read_text(config), upgraded.dvc_config(read_text(config), PLOTS.name))
        pairs[page] = (read_text(page) if page.exists() else "", read_text(PLOTS))
    if cluster and not (folder / "cluster.yaml").exists():
        pairs[folder / "cluster.yaml"] = ("", read_text(CLUSTER))
    return {path: texts for path, texts in pairs.items() if texts[0] != texts[1]}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


COMMAND = Command(
    "update the files of a problem for this version",
    upgrade,
    {
        "--write": {"action": "store_true", "help": "write the files; without it only the difference is shown"},
        "--cluster": {"action": "store_true", "help": "add cluster.yaml, for runs on a cluster"},
    },
)
