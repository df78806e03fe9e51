"""Random seeds: one batch always draws the same rows, blocks and models."""

from tidegate.documents.batch import Batch


def seed_of(batch: Batch) -> int:
    """The random seed of a batch, derived from its id."""
    return int(batch.id[:8], 16)
