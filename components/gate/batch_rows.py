"""The rows of the batch that are compared: a seeded sample, as the champion's own SQL sees them."""

from pathlib import Path

import pandas as pd

from tidegate.contract.contract import Contract, quoted
from tidegate.documents.batch import Batch
from tidegate.scoring.scores import answers
from tidegate.scoring.seed import seed_of
from tidegate.tables.engine import engine, parquet
from tidegate.tables.features import Window, describe, feature_engine, kinds, marked
from tidegate.tracking.champion import Champion

HASHES = 2**64


def batch_sample(
    champion: Champion, contract: Contract, clean: Path, features: Path, batch: Batch, rows: int
) -> pd.DataFrame:
    """About `rows` rows of the batch with the champion's `prediction`, in total order; all of them if they are fewer.

    Where the champion has the SQL of the feature table they are taken from that: nothing has to be computed again, and
    the time hardly depends on the rows. Otherwise its own SQL is run.
    """
    if champion.has_features_of(contract, batch):
        frame = from_table(champion, features, batch, rows)
    else:
        frame = from_sql(champion, clean, batch, rows)
    return frame.assign(prediction=answers(champion.predict(frame)) if len(frame) else [])


def from_table(champion: Champion, features: Path, batch: Batch, rows: int) -> pd.DataFrame:
    """A sample of the rows of the batch in the feature table."""
    own = champion.contract
    columns = dict.fromkeys(
        [*own.identity, own.label, *([own.weight] if own.weight else []), *champion.record.features]
    )
    names = ", ".join(map(quoted, columns))
    with engine(features) as connection:
        source = f"SELECT {names} FROM {parquet(features / 'features.parquet')} WHERE split = 'batch'"
        return connection.execute(_sampled(source, own, batch, rows)).df()


def from_sql(champion: Champion, clean: Path, batch: Batch, rows: int) -> pd.DataFrame:
    """The same sample as the champion's own SQL makes it."""
    own = champion.contract
    window = Window(*(pd.Timestamp(getattr(batch, edge)).to_pydatetime() for edge in ("start", "end")))
    with feature_engine(clean, tables=own.tables) as connection:
        query = marked(champion.sql, own, kinds(own, describe(connection, champion.sql)), window)
        source = f"SELECT * EXCLUDE (split) FROM ({query}) WHERE split = 'batch'"
        return connection.execute(_sampled(source, own, batch, rows)).df()


def _sampled(source: str, contract: Contract, batch: Batch, rows: int) -> str:
    """The rows whose hash is low enough: the same rows whatever their order, and each as likely as any other."""
    names = ", ".join(map(quoted, contract.identity))
    share = min(1.0, rows / max(1, batch.rows))
    chosen = "" if share == 1 else f" AND hash({names}, {seed_of(batch)}) < {int(share * HASHES)}::UBIGINT"
    return f"{source}{chosen} ORDER BY {names}"
