"""docs/verdict.md: a row for every check, every parameter and every key of verdict.json, and for no other."""

import re
from pathlib import Path

from tidegate.documents.parameters import schema as parameters
from tidegate.documents.verdict import CHECK_NAME, Verdict

root = Path(__file__).parents[1]
page = (root / "docs/verdict.md").read_text()
schema = Verdict.schema()


def named(head: str) -> set[str]:
    """What the first column of the table with this head names."""
    table = page[page.index(f"\n| {head} |") :].split("\n\n")[0].splitlines()[3:]
    return {name for line in table for name in re.findall("`(.*?)`", line.split("|")[1])}


def test_every_check_has_its_row() -> None:
    names = CHECK_NAME.strip("^()$").split("|")
    assert named("check") == {name.replace(r"[\s\S]+", "...") for name in names}


def test_every_parameter_has_its_row() -> None:
    assert named("parameter") == set(parameters()["properties"]["evaluate"]["properties"])


def test_every_key_has_its_row() -> None:
    assert named("key") == set(schema["properties"])
    assert f"`schema` | the number of this form: {Verdict.SCHEMA}" in page
