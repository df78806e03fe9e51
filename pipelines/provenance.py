"""`tidegate lineage` and `tidegate card`: what made a version, what it led to, and what to know before it is used."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from components.contract import parse_contract, read_contract
from components.formats import write_text
from pipelines.workspace import contract

if TYPE_CHECKING:
    from components.provenance.registered import Registered


def lineage(version: str) -> dict[str, Any]:
    """The lineage of a version as a document."""
    return _told(_registered(version))


def text(told: dict[str, Any]) -> str:
    """A lineage as lines for a person."""
    from components.provenance.lineage import lines

    return "\n".join(lines(told))


def draw(told: dict[str, Any], path: Path) -> None:
    """Write the picture of a lineage."""
    from components.provenance.picture import draw as drawn

    write_text(path, drawn(told))


def card(version: str, page: Path | None) -> str:
    """The model card of a version as Markdown; with `page` the same as a page too."""
    from components.page import write_page
    from components.provenance.card import card as sections_of
    from components.provenance.markdown import markdown

    found = _registered(version)
    promise = parse_contract(found.texts["contract.yaml"], f"contract.yaml of version {version}")
    title = f"{found.name} version {version}: model card"
    sections = sections_of(found, promise, _told(found))
    if page:
        write_page(page, "provenance", title, "card.html", sections=sections)
    return markdown(title, sections)


def _registered(version: str) -> "Registered":
    from components.provenance.registered import read
    from components.tracking.store import connect

    with TemporaryDirectory() as scratch:
        return read(connect(), read_contract(contract).name, version, Path(scratch, "version"))


def _told(found: "Registered") -> dict[str, Any]:
    from components.provenance import lineage

    return lineage.lineage(found, lineage.digests(found.tags))
