"""Where chance comes from: the same batch draws the same rows, blocks and models."""

from collections.abc import Mapping
from typing import Any


def seed_of(batch: Mapping[str, Any]) -> int:
    """The seed of all that is drawn for a batch, from its id."""
    return int(batch["id"][:8], 16)
