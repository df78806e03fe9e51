"""Random seeds: one batch always draws the same rows, blocks and models."""

from collections.abc import Mapping
from typing import Any


def seed_of(batch: Mapping[str, Any]) -> int:
    """The random seed of a batch, derived from its id."""
    return int(batch["id"][:8], 16)
