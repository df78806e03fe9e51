"""What the challenger would have answered to requests that the champion answered; it informs, and decides nothing."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from tidegate.documents.shadow import PredictionBin, Quantile, RecordedAnswer, Shadow, ShadowComparison
from tidegate.process.errors import InputError
from tidegate.scoring.scores import Predictions, Vector, answers, one_of, predict
from tidegate.serving.recordings import FEATURE, Recordings

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_ROWS = 10  # of the largest differences
MOST_NAMES = 5
BINS = 20
NARROW = 1e-9  # of the size of the numbers: they are one


class Pair(NamedTuple):
    """Both answers to the same rows: what is compared of each, and whether the class is another one."""

    champion: Vector
    challenger: Vector
    differing: Any


def shadow(
    recordings: Recordings, version: str, model: Any, features: Mapping[str, str], task: str, same_sql: bool
) -> Shadow:
    """The challenger beside the recorded answers of a version; without rows or features to ask it, why not."""
    rows, others = recordings.rows, _left_out(recordings, version)
    if not len(rows):
        return nothing(f"no recorded prediction of version {version}", others, recordings.versions)
    if lacking := _lacking(rows, features):
        reason = f"version {version} recorded no such features as the challenger has: {lacking}"
        return nothing(reason, others, recordings.versions)
    try:
        pair = _pair(rows, predict(model, _frame(rows, features), features, task), task)
    except InputError as error:
        return nothing(str(error), others, recordings.versions)
    if not np.isfinite(pair.champion).all():
        return nothing("recorded predictions that are no numbers", others, recordings.versions)
    if not same_sql:
        others = ["features.sql has changed: the challenger was given what the champion's computes", *others]
    comparison = compared(rows, pair)
    line = f"asked {comparison.requests:,} requests ({comparison.rows:,} rows) that version {version} answered"
    return Shadow((line, *others), recordings.versions, comparison)


def nothing(reason: str, others: Sequence[str] = (), versions: Mapping[str, int] | None = None) -> Shadow:
    """Why there is no comparison."""
    return Shadow((f"nothing is compared: {reason}", *others), versions or {})


def compared(rows: pa.Table, pair: Pair) -> ShadowComparison:
    """The numbers of a comparison."""
    difference = pair.challenger - pair.champion
    times = rows["time"].to_pylist()
    return ShadowComparison(
        requests=len(rows["request"].unique()),
        rows=len(rows),
        start=min(times).isoformat(timespec="seconds"),
        end=max(times).isoformat(timespec="seconds"),
        differing=None if pair.differing is None else float(np.mean(pair.differing)),
        mean=float(difference.mean()),
        absolute=float(np.abs(difference).mean()),
        quantiles=tuple(Quantile(share, float(np.quantile(difference, share))) for share in QUANTILES),
        largest=tuple(_answer(rows, pair, int(row)) for row in _largest(difference)),
        distribution=_distribution(pair),
    )


def _left_out(recordings: Recordings, version: str) -> list[str]:
    """What was read and is not compared."""
    others = {name: count for name, count in recordings.versions.items() if name != version}
    lines = [f"left out: {count:,} rows of version {name}" for name, count in others.items()]
    if recordings.damaged:
        files = "file that is" if recordings.damaged == 1 else "files that are"
        lines.append(f"left out: {recordings.damaged:,} {files} damaged, or of another form")
    return lines


def _lacking(rows: pa.Table, features: Mapping[str, str]) -> str:
    """The features that were not recorded, or as another kind."""
    types = dict(zip(rows.schema.names, rows.schema.types, strict=True))
    kinds = {name: pa.float64() if kind == "number" else pa.string() for name, kind in features.items()}
    lacking = [name for name, kind in kinds.items() if types.get(FEATURE + name) != kind]
    more = f" and {len(lacking) - MOST_NAMES:,} more" if len(lacking) > MOST_NAMES else ""
    return ", ".join(lacking[:MOST_NAMES]) + more


def _frame(rows: pa.Table, features: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: rows[FEATURE + name].to_numpy()
            if kind == "number"
            else pd.Series(rows[FEATURE + name].to_pylist(), dtype=object)
            for name, kind in features.items()
        }
    )


def _pair(rows: pa.Table, asked: Predictions, task: str) -> Pair:
    """Both answers: of many classes, the probability of the class that the champion answered."""
    if isinstance(asked, pd.DataFrame):
        classes = np.array(rows["prediction"].to_pylist(), dtype=object)
        recorded = map(dict, rows["probabilities"].to_pylist())
        own = np.array([each.get(name, np.nan) for each, name in zip(recorded, classes, strict=True)])
        other = np.empty(len(classes))
        for name in set(classes):
            other[classes == name] = one_of(asked, name)[classes == name]
        return Pair(own, other, answers(asked).astype(str) != classes.astype(str))
    champion, challenger = rows["prediction"].to_numpy(), np.asarray(asked, dtype=np.float64)
    differing = None if task == "regression" else (champion >= 0.5) != (challenger >= 0.5)
    return Pair(champion, challenger, differing)


def _largest(difference: Vector) -> Any:
    """The rows that differ most, the largest first; the latest first where they are equal."""
    return np.argsort(-np.abs(difference), kind="stable")[:MOST_ROWS]


def _answer(rows: pa.Table, pair: Pair, row: int) -> RecordedAnswer:
    return RecordedAnswer(
        request=rows["request"][row].as_py(),
        row=rows["row"][row].as_py(),
        time=rows["time"][row].as_py().isoformat(timespec="seconds"),
        champion=float(pair.champion[row]),
        challenger=float(pair.challenger[row]),
    )


def _distribution(pair: Pair) -> tuple[PredictionBin, ...]:
    """The predictions of both in bins of one width: over all of them, of probabilities from 0 to 1."""
    edges = np.linspace(*((0.0, 1.0) if pair.differing is not None else _span(pair)), BINS + 1)
    champion, challenger = (np.histogram(values, edges)[0].tolist() for values in pair[:2])
    return tuple(map(PredictionBin, edges[:-1].tolist(), edges[1:].tolist(), champion, challenger))


def _span(pair: Pair) -> tuple[float, float]:
    low = float(min(map(np.min, pair[:2])))
    high = float(max(map(np.max, pair[:2])))
    size = max(1.0, abs(low), abs(high))
    return (low, high) if high - low > NARROW * size else (low - size / 2, high + size / 2)
