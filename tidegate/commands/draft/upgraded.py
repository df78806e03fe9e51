"""Upgrades the files of an older problem to this version, and keeps what the user wrote; pure."""

import re
from collections.abc import Mapping

BLOCK = re.compile(r"^(?P<name>[\w-]+):.*\n(?P<body>(?:[ \t#].*\n|\n)*)", re.MULTILINE)
STAGE = re.compile(r"^  (?P<name>[\w-]+):.*\n(?:(?:   .*)?\n)*", re.MULTILINE)
KEY = re.compile(r"^  (?P<name>\w+):.*\n", re.MULTILINE)


def stages(text: str, template: str) -> str:
    """dvc.yaml with the stages of the template; the user's own stages and everything outside of `stages:` are kept."""
    blocks, wanted = _blocks(text), _blocks(template)
    if "stages" not in blocks:
        return _ended(text) + wanted["stages"]
    ours = {match["name"] for match in STAGE.finditer(wanted["stages"])}
    theirs = [match[0].rstrip("\n") for match in STAGE.finditer(blocks["stages"]) if match["name"] not in ours]
    theirs = [stage for stage in theirs if not _former(stage)]
    between = "\n\n" if blocks["stages"].endswith("\n\n") else "\n"
    block = "\n\n".join([wanted["stages"].rstrip("\n"), *theirs]) + between
    return _ended(text).replace(blocks["stages"], block)


def parameters(text: str, template: str) -> str:
    """params.yaml with the keys of the template: existing values and comments are kept, unknown keys removed."""
    text = _ended(text)
    blocks, wanted = _blocks(text), _blocks(template)
    for name, block in blocks.items():
        text = text.replace(block, _merged(block, wanted[name]) if name in wanted else "")
    for name, block in wanted.items():
        if name not in blocks:
            text = _ended(text).rstrip("\n") + "\n\n" + block
    return text.rstrip("\n") + "\n"


def dvc_config(text: str, page: str) -> str:
    """.dvc/config with the page of `dvc plots show`; a page of the user's own is kept."""
    if re.search(r"^\s*html_template\s*=", text, re.MULTILINE):
        return text
    return _ended(text) + f"[plots]\n    html_template = {page}\n"


def _merged(block: str, wanted: str) -> str:
    """A section with the keys and the order of the template's section."""
    names = {match["name"] for match in KEY.finditer(wanted)}
    block = KEY.sub(lambda match: match[0] if match["name"] in names else "", block)
    there = {match["name"]: match[0] for match in KEY.finditer(block)}
    before = block[: block.index("\n") + 1]
    for match in KEY.finditer(wanted):
        if match["name"] not in there:
            block = block.replace(before, before + match[0], 1)
            there[match["name"]] = match[0]
        before = there[match["name"]]
    return block


def _former(stage: str) -> bool:
    """Whether an earlier version of Tidegate wrote this stage."""
    return bool(re.search(r"\b(tidegate step|python -m (components|pipelines)\.)", stage))


def _blocks(text: str) -> Mapping[str, str]:
    return {match["name"]: match[0] for match in BLOCK.finditer(_ended(text))}


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
