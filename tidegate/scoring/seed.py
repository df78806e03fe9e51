"""Where chance comes from: the same batch draws the same rows, blocks and models."""

from tidegate.documents.batch import Batch


def seed_of(batch: Batch) -> int:
    """The seed of all that is drawn for a batch, from its id."""
    return int(batch.id[:8], 16)
