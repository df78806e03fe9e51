"""`tidegate lineage` and `tidegate card`: what made a version, what it led to, and what to know before it is used."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tidegate.commands.loop.workspace import CONTRACT, trusted_keys
from tidegate.contract.contract import parse_contract, read_contract
from tidegate.documents.formats import write_text

if TYPE_CHECKING:
    from tidegate.commands.provenance.registered import Registered


def lineage(version: str) -> dict[str, Any]:
    """The lineage of a version as a document."""
    return _document(_registered(version))


def text(document: dict[str, Any]) -> str:
    """A lineage as lines for a person."""
    from tidegate.commands.provenance.lineage import lines

    return "\n".join(lines(document))


def draw(document: dict[str, Any], path: Path) -> None:
    """Write the picture of a lineage."""
    from tidegate.commands.provenance.picture import draw as drawn

    write_text(path, drawn(document))


def card(version: str, page: Path | None) -> str:
    """The model card of a version as Markdown; with `page` the same as a page too."""
    from tidegate.commands.provenance.card import card as sections_of
    from tidegate.commands.provenance.markdown import markdown
    from tidegate.pages.page import write_page

    registered = _registered(version)
    promise = parse_contract(registered.texts["contract.yaml"], f"contract.yaml of version {version}")
    title = f"{registered.name} version {version}: model card"
    sections = sections_of(registered, promise, _document(registered))
    if page:
        write_page(page, Path(__file__).with_name("card.html"), title, sections=sections)
    return markdown(title, sections)


def _registered(version: str) -> "Registered":
    from tidegate.commands.provenance.registered import read
    from tidegate.tracking.store import reader

    with TemporaryDirectory() as scratch:
        return read(reader(), read_contract(CONTRACT).name, version, Path(scratch, "version"), trusted_keys())


def _document(registered: "Registered") -> dict[str, Any]:
    from tidegate.commands.provenance import lineage

    return lineage.lineage(registered, lineage.digests(registered.tags))
