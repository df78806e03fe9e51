"""The same events as the champion's own SQL sees them now: what was recorded otherwise, and the labels since."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tidegate.contract.contract import Contract, quoted
from tidegate.documents.traffic import Difference
from tidegate.serving.clean_tables import fetched, find, needed
from tidegate.serving.recordings import KEY
from tidegate.tables.features import Window, describe, feature_engine, kinds, marked
from tidegate.tracking.champion import Champion

TOLERANCE = 1e-12  # of numbers by two programs: the last bit may be the machine's
ROW = "_row"
OFFLINE = "_offline "  # before the names of the features that the SQL gives later
MOST_DIFFERENCES = 100


def events(champion: Champion, asked: pd.DataFrame, place: str, window: Window) -> pd.DataFrame:
    """Features, label and weight by the SQL, by row of `asked`, of those events that the clean tables at a place know.

    A label is null unless its event is `label_delay` old at the end of the window. Errors as `clean_tables.find`.
    """
    contract = champion.contract
    own = pa.Table.from_pandas(
        asked[[KEY + name for name in contract.identity]].dropna(), preserve_index=True
    )
    if not len(own):
        return pd.DataFrame()
    own = own.rename_columns([*contract.identity, ROW])
    source, names = find(place), sorted(needed(champion.sql, contract))
    with tempfile.TemporaryDirectory() as scratch:
        *_, last = (fetched(source, name, Path(scratch)) for name in names)
        with feature_engine(last.parent, tables=contract.tables) as connection:
            described = kinds(contract, describe(connection, champion.sql))
            query = marked(champion.sql, contract, described, Window(pc.min(own[contract.time]).as_py(), window.end))
            connection.register("_asked", own)
            identity, values = (
                ", ".join(map(quoted, columns))
                for columns in (contract.identity, [*described, contract.label, *_weight(contract)])
            )
            chosen = f"SELECT {quoted(ROW)}, {values} FROM ({query}) JOIN _asked USING ({identity})"
            return connection.execute(f"{chosen} WHERE split = 'batch'").df().set_index(ROW)


def _weight(contract: Contract) -> list[str]:
    return [contract.weight] if contract.weight else []


def joined(champion: Champion, asked: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """The asked rows with the label and weight of their events, and the features by the SQL beside their own.

    The time of a row is that of its event, of a request of features that of the request.
    """
    contract = champion.contract
    beside = [contract.label, *_weight(contract)]
    event_time = asked[KEY + contract.time].astype("datetime64[us]")
    rows = asked.assign(**{contract.time: event_time.fillna(asked["time"].astype("datetime64[us]"))})
    if events.empty:
        return rows.assign(**dict.fromkeys(beside))
    names = {name: OFFLINE + name for name in champion.record.features}
    later = events[beside].join(events[list(names)].rename(columns=names)).assign(**{OFFLINE: True})
    return rows.join(later)


def differences(rows: pd.DataFrame, features: Mapping[str, str]) -> tuple[int, tuple[Difference, ...]]:
    """How many rows were compared, and the features whose recorded values differ from those by the SQL."""
    if OFFLINE not in rows:
        return 0, ()
    known = rows[rows[OFFLINE].notna()]
    found = [_difference(name, known[name], known[OFFLINE + name], kind) for name, kind in features.items()]
    differing = sorted((each for each in found if each.share), key=lambda each: -each.share)
    return len(known), tuple(differing[:MOST_DIFFERENCES])


def _difference(name: str, recorded: pd.Series, offline: pd.Series, kind: str) -> Difference:
    if not len(recorded):
        return Difference(name, 0.0, None)
    gone = recorded.isna() != offline.isna()
    both = recorded.notna() & offline.notna()
    if kind != "number":
        other = both & (recorded.astype(str) != offline.astype(str))
        return Difference(name, float((gone | other).mean()), None)
    gap = (recorded.astype(np.float64) - offline.astype(np.float64)).abs().where(both, 0.0)
    other = gap > TOLERANCE * np.maximum(1.0, recorded.astype(np.float64).abs())
    largest = float(gap.max()) if other.any() else None
    return Difference(name, float((gone | other).mean()), largest)
