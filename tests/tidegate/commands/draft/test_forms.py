"""The format of the times in a column of texts."""

from collections.abc import Sequence
from itertools import cycle

import duckdb
import pytest

from tidegate.commands.draft.forms import DATES, TIMES, WHOLE, Form, time_form
from tidegate.contract.contract import literals
from tidegate.contract.forms import formed


def form_of(connection: duckdb.DuckDBPyConnection, texts: Sequence[str]) -> Form | None:
    """The format of a column with these texts."""
    connection.execute(f"CREATE OR REPLACE TABLE drafted AS SELECT unnest({literals(texts)}) AS at")
    return time_form(connection, "at", "text")


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    """An empty database."""
    return duckdb.connect(config={"threads": 1})


def test_every_day_and_every_time_is_known_by_its_texts(connection: duckdb.DuckDBPyConnection) -> None:
    """Of two formats that read the texts alike, one is taken: it must give the moments that were written."""
    for form in (*(f"{day}{time}" for day, time in zip(DATES, cycle(TIMES), strict=False)), *WHOLE):
        written = f"strftime(TIMESTAMP '2019-11-23 21:47:58' + INTERVAL (9 * i) DAY, '{form}')"
        texts = [text for (text,) in connection.execute(f"SELECT {written} FROM range(60) AS days(i)").fetchall()]
        known = form_of(connection, texts)
        assert known is not None, (form, texts[0])
        read = ", ".join(formed("text", "timestamp", each) for each in (known.format, form))
        moments = connection.execute(f"SELECT {read} FROM unnest({literals(texts)}) AS seen(text)").fetchall()
        assert [moment for moment, _ in moments] == [moment for _, moment in moments], (form, known, texts[0])


def test_texts_that_are_no_times_have_no_format(connection: duckdb.DuckDBPyConnection) -> None:
    for texts in (["fern 1", "moss 22"], ["fern", "moss"], ["2024-01-01", "2024-02-30"]):
        assert form_of(connection, texts) is None
