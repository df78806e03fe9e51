"""What the verdict promised of each slice when the champion was promoted."""

from collections.abc import Mapping

from tidegate.components.gate.comparison import slice_columns
from tidegate.contract.contract import Contract
from tidegate.documents.verdict import SliceResult
from tidegate.process.keys import Trusted
from tidegate.tracking import approvals, versions
from tidegate.tracking.champion import Champion
from tidegate.tracking.reader import Client
from tidegate.tracking.tags import Tag


def promised(
    client: Client, champion: Champion | None, contract: Contract, keys: Trusted
) -> Mapping[str, SliceResult]:
    """The slices of the verdict by which the champion was promoted, if it is asked for slices; none without one."""
    if champion is None or champion.verdict is None or not slice_columns(champion, contract):
        return {}
    if Tag.VERDICT not in versions.get(client, contract.name, champion.version).tags:
        return {}
    return {part.slice: part for part in approvals.whole(client, contract.name, champion.version, keys).slices}
