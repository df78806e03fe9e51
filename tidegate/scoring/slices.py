"""Slices: the rows of each value of the columns that the contract declares as slices."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

Rows = npt.NDArray[np.bool_]


def slices(rows: pd.DataFrame, columns: Sequence[str], least_rows: int) -> dict[str, Rows]:
    """The rows, shape (rows,), of each value of the slicing columns that has at least `least_rows` of them."""
    return {name: part for column in columns for name, part in _values(rows[column]) if part.sum() >= least_rows}


def _values(column: pd.Series) -> Iterator[tuple[str, Rows]]:
    for value, part in column.groupby(column, dropna=False, observed=True):
        name = "missing" if pd.isna(value) else str(value)
        yield f"{column.name} {name}", np.asarray(column.index.isin(part.index))
