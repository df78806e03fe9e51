"""A training held against its repetition: what differs, and by how much."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tidegate.documents.record import Record

PLAIN = ("batch", "data", "rows", "from", "to", "estimator", "features", "dropped", "lone_classes")
PARTS = ("made_from", "environment", "packages")


def compared(recorded: Record, again: Record) -> dict[str, Any]:
    """Whether two training records name the same model, what differs between them, and the difference in loss."""
    same = recorded.digest == again.digest
    return {
        "same": same,
        "digest": {"recorded": recorded.digest, "again": again.digest},
        "train_loss": {
            "recorded": recorded.train_loss,
            "again": again.train_loss,
            "difference": again.train_loss - recorded.train_loss,
        },
        "differs": list(_differences(recorded.document(), again.document())),
    }


def predictions(recorded: Path, again: Path) -> dict[str, Any]:
    """How far the predictions of the same training rows lie apart, from two folders with `reference.parquet`."""
    import pandas as pd

    before, after = (pd.read_parquet(folder / "reference.parquet") for folder in (recorded, again))
    if list(before) != list(after) or not before.drop(columns="prediction").equals(after.drop(columns="prediction")):
        return {"rows": 0, "largest": None, "mean": None}
    if not pd.api.types.is_float_dtype(before["prediction"]):
        other = (before["prediction"] != after["prediction"]).astype(float)
    else:
        other = (before["prediction"] - after["prediction"]).abs()
    return {"rows": len(before), "largest": float(other.max()), "mean": float(other.mean())}


def _differences(recorded: Mapping[str, Any], again: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Leaf by leaf; what only one side has is None on the other."""
    for part in PARTS:
        yield from _leaves(part, recorded.get(part, {}), again.get(part, {}))
    for name in PLAIN:
        if recorded.get(name) != again.get(name):
            yield {"what": name, "recorded": recorded.get(name), "again": again.get(name)}


def _leaves(place: str, recorded: Any, again: Any) -> Iterator[dict[str, Any]]:
    if isinstance(recorded, Mapping) and isinstance(again, Mapping):
        for name in sorted({*recorded, *again}):
            yield from _leaves(f"{place}.{name}", recorded.get(name), again.get(name))
    elif recorded != again:
        yield {"what": place, "recorded": recorded, "again": again}
