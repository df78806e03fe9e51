"""Detects the format of times and numbers in the texts of a column, and its sentinels for missing values."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import duckdb

from tidegate.contract.contract import literal, literals, quoted
from tidegate.contract.forms import EPOCHS, NUMBERS, formed
from tidegate.tables.engine import cast

DATES = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d",
    "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d",
    "%b %d %Y", "%B %d %Y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%d%b%Y",
    "%d/%b/%Y", "%b-%d-%Y", "%b/%d/%Y", "%a %b %d %Y", "%b %Y", "%B %Y", "%b-%Y", "%m/%Y", "%Y-%m",
    "%Y/%m", "%Y %m %d", "%Y %m",
)  # fmt: skip
TIMES = (
    "", " %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M", " %H:%M:%S.%f", " %I:%M:%S %p", " %I:%M %p", " %H.%M.%S",
    " %H.%M", " %H", " %H%M", " %H%M%S", ":%H:%M:%S", ":%H:%M", " %H:%M:%S%z", " %H:%M:%S %z", ":%H:%M:%S %z",
)  # fmt: skip
WHOLE = ("%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S", "%a, %d %b %Y %H:%M:%S %z")
NUMBERED = {  # integers that are times: the range of each unit
    "epoch seconds": (10**8, 10**10),
    "epoch milliseconds": (10**11, 10**13),
    "epoch microseconds": (10**14, 10**16),
    "epoch nanoseconds": (10**17, 10**19),
    "%Y%m%d": (15000101, 29991231),
    "%Y%m": (150001, 299912),
    "%Y": (1500, 2999),
}
SAMPLE = 300
SIGNED = re.compile(r"\s*[-+]?((?P<before>[$€£¥])\s*[-+]?[0-9].*|[0-9][^$€£¥%]*?(?P<gap> ?)(?P<after>[$€£¥%])\s*)")
NO_NUMBERS = (
    "inf",
    "+inf",
    "-inf",
    "infinity",
    "-infinity",
    "nan",
    "?",
    "na",
    "n/a",
    "null",
    "none",
    "-",
    "--",
    ".",
    "",
)
LEAST_SHARE = 0.9  # of the values are numbers; the others are missing values
RARE_SHARE = 0.01  # of the values, for words that are no usual spelling of a missing value
MOST_WORDS = 3
LEAST_REPEATED = 3


@dataclass(frozen=True)
class Form:
    """The type, the format and the sentinels for missing values of a column, as in contract.yaml."""

    type: str
    format: str = ""
    missing: tuple[str | int, ...] = ()


def time_form(connection: duckdb.DuckDBPyConnection, name: str, kind: str, share: float = 0.0) -> Form | None:
    """The format that fits all but `share` of the texts; of several, the one in which the rows are ordered best."""
    value = quoted(name)
    filled, low, high = connection.execute(
        f"SELECT count({value}), min(TRY_CAST({value} AS DOUBLE)), max(TRY_CAST({value} AS DOUBLE)) FROM drafted"
    ).fetchall()[0]
    if kind in ("integer", "number"):
        usable = [form for form, (least, most) in NUMBERED.items() if filled and least <= low <= high <= most]
    else:
        usable = _possible(connection, name, share)
    fitting = [form for form in usable if _unread(connection, name, form) <= filled * share]
    if not fitting:
        return None
    return Form("timestamp", min(fitting, key=lambda form: _steps_back(connection, name, form)))


def _possible(connection: duckdb.DuckDBPyConnection, name: str, share: float) -> list[str]:
    query = (
        f"SELECT DISTINCT {quoted(name)} FROM drafted WHERE {quoted(name)} IS NOT NULL ORDER BY hash({quoted(name)})"
    )
    texts = [text for (text,) in connection.execute(f"{query} LIMIT {SAMPLE}").fetchall()]
    digits = [text for text in texts if re.search(r"[0-9]", text) and len(text) < 60]
    if not digits or len(digits) < len(texts) * (1 - share):
        return []
    seen = f"unnest({literals(digits)}) AS seen(text)"
    least = len(texts) * (1 - max(share, 0.05 if share else 0))
    # First each day with all times at once: to plan a query of as many expressions as formats takes seconds.
    days = {day: f"try_strptime(text, {literals([f'{day}{time}' for time in TIMES])})" for day in DATES}
    forms = (*(f"{day}{time}" for day, time in product(_frequent(connection, days, seen, least), TIMES)), *WHOLE)
    return _frequent(connection, {form: formed("text", "timestamp", form) for form in forms}, seen, least)


def _frequent(
    connection: duckdb.DuckDBPyConnection, values: Mapping[str, str], source: str, least: float
) -> list[str]:
    """The names of those expressions that have a value in `least` rows or more."""
    query = ", ".join(f"count({value})" for value in values.values())
    counts = connection.execute(f"SELECT {query} FROM {source}").fetchall()[0]
    return [name for name, count in zip(values, counts, strict=True) if count >= least]


def _unread(connection: duckdb.DuckDBPyConnection, name: str, form: str) -> int:
    count = f"count({quoted(name)}) - count({formed(quoted(name), 'timestamp', form)})"
    return int(connection.execute(f"SELECT {count} FROM drafted").fetchall()[0][0])


def _steps_back(connection: duckdb.DuckDBPyConnection, name: str, form: str) -> int:
    """The number of rows out of order, ascending or descending, whichever is less."""
    moments = f"SELECT rowid AS n, {formed(quoted(name), 'timestamp', form)} AS t FROM drafted"
    pairs = f"SELECT t, lag(t) OVER (ORDER BY n) AS before FROM ({moments})"
    query = f"SELECT least(count_if(t < before), count_if(t > before)) FROM ({pairs})"
    return int(connection.execute(query).fetchall()[0][0])


def number_form(connection: duckdb.DuckDBPyConnection, name: str, delimiter: str) -> Form | None:
    """The number format of a column, where the other texts are few and count as missing values."""
    value = quoted(name)
    usual = ("1,234.5",) if delimiter == "," else ()
    numbers = (*usual, *(form for form in NUMBERS if form not in usual))
    forms = ["", *numbers, *_signed(connection, name, numbers)]
    reads = [_read(value, form) for form in forms]
    filled, *fits = connection.execute(
        f"SELECT count({value}), {', '.join(f'count({read})' for read in reads)} FROM drafted"
    ).fetchall()[0]
    most = max(fits)
    if not most or most < filled * LEAST_SHARE:
        return None
    form, read = forms[fits.index(most)], reads[fits.index(most)]
    words = connection.execute(
        f"SELECT {value}, count(*) FROM drafted WHERE {value} IS NOT NULL AND ({read}) IS NULL "
        f"GROUP BY 1 ORDER BY 1 LIMIT {MOST_WORDS + 1}"
    ).fetchall()
    if len(words) > MOST_WORDS or not all(_stands_for_none(word, count, filled) for word, count in words):
        return None
    whole = f"count_if(({read}) % 1 != 0 OR abs({read}) >= 9e15)"
    broken = connection.execute(f"SELECT {whole} FROM drafted").fetchall()[0][0]
    return Form("number" if broken else "integer", form, tuple(word for word, _ in words))


def _signed(connection: duckdb.DuckDBPyConnection, name: str, numbers: Iterable[str]) -> Iterator[str]:
    """The number formats with the sign that stands first or last in the texts of a column, if one does."""
    value = quoted(name)
    query = f"SELECT DISTINCT {value} FROM drafted WHERE {value} IS NOT NULL ORDER BY hash({value}) LIMIT {SAMPLE}"
    for (text,) in connection.execute(query).fetchall():
        if match := SIGNED.fullmatch(text):
            before, gap, after = match["before"] or "", match["gap"] or "", match["after"] or ""
            yield from (f"{before}{number}{gap}{after}" for number in ("1234.5", *numbers))
            return


def _read(value: str, form: str) -> str:
    """The SQL of a number in a format; null for codes such as 007, and for integers that would lose digits."""
    if not form:
        return f"CASE WHEN {is_number(value)} THEN TRY_CAST({value} AS DOUBLE) END"
    code = rf"regexp_full_match({value}, '\s*[-+]?(0[0-9].*|[0-9]+\s*)')"
    return f"CASE WHEN {is_number(value)} OR NOT {code} THEN {cast(value, 'number', form)} END"


def is_number(value: str) -> str:
    """The SQL condition of a text that is a number, and not a code or an integer that would lose digits."""
    pattern = r"\s*[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?\s*"
    digits = rf"regexp_full_match({value}, '\s*[-+]?[0-9]+\s*')"
    return (
        f"(regexp_full_match({value}, {literal(pattern)}) AND NOT ({digits} AND TRY_CAST({value} AS BIGINT) IS NULL))"
    )


def _stands_for_none(word: str, count: int, filled: int) -> bool:
    if re.search(r"[0-9]", word):
        return False
    return word.strip().lower() in NO_NUMBERS or (filled >= 1 / RARE_SHARE and count <= filled * RARE_SHARE)


def sentinels(connection: duckdb.DuckDBPyConnection, name: str, form: Form) -> Iterator[int]:
    """Sentinels such as -999: numbers that repeat, with a gap between them and the other values."""
    number = cast(quoted(name), "number", form.format)
    value_counts = f"SELECT {number} AS v, count(*) AS n FROM drafted GROUP BY 1 HAVING isfinite(v)"
    least = connection.execute(f"SELECT * FROM ({value_counts}) ORDER BY v LIMIT 2").fetchall()
    most = connection.execute(f"SELECT * FROM ({value_counts}) ORDER BY v DESC LIMIT 2").fetchall()
    different = connection.execute(f"SELECT count(*) FROM ({value_counts})").fetchall()[0][0]
    if different < 2 * LEAST_REPEATED:
        return
    for (value, count), (beside, _), (end, _) in ((*least, most[0]), (*most, least[0])):
        if count >= LEAST_REPEATED and value % 1 == 0 and _is_apart(value, beside, end, different):
            yield int(value)


def _is_apart(value: float, beside: float, end: float, different: int) -> bool:
    gap, rest = abs(beside - value), abs(end - beside)
    below_all = value < 0 <= beside
    nines = re.fullmatch(r"-?99+", str(int(value)))
    if nines or (value < 0 and value % 100 == 0):
        return gap > rest or bool(below_all and gap > 5 * rest / different)
    return gap > 10 * rest and abs(value) >= 1e6


def parquet_kinds(sql_type: str) -> tuple[str, ...]:
    """The type in the contract for each type of Parquet."""
    base = sql_type.split("(")[0]
    if base.endswith(("INT", "INTEGER")):
        return ("integer",)
    kinds = {"BOOLEAN": "boolean", "DATE": "timestamp", "FLOAT": "number", "DOUBLE": "number", "DECIMAL": "number"}
    return ("timestamp",) if base.startswith("TIMESTAMP") or base == "VARCHAR" else (kinds.get(base, "text"),)


def parquet_number(connection: duckdb.DuckDBPyConnection, name: str) -> Form:
    """The form of a number of Parquet; infinite values count as missing."""
    query = f"SELECT DISTINCT {quoted(name)} FROM drafted WHERE isinf(TRY_CAST({quoted(name)} AS DOUBLE)) ORDER BY 1"
    return Form("number", "", tuple(text for (text,) in connection.execute(query).fetchall()))


def plain_text(name: str, form: Form) -> str:
    """The SQL of a column's values in the default format; null for missing values."""
    value = quoted(name)
    if form.format in EPOCHS or form.type == "timestamp":
        read = formed(value, "timestamp", form.format) if form.format else value
        return f"strftime({read}, '%Y-%m-%d %H:%M:%S.%f')" if form.format else value
    read = f"({cast(value, form.type, form.format)})"
    numbers = [str(number) for number in form.missing if isinstance(number, int)]
    words = [word for word in form.missing if isinstance(word, str)]
    absent = [f"{read} IN ({', '.join(numbers)})"] * bool(numbers) + [
        f"{value} IN ({', '.join(map(literal, words))})"
    ] * bool(words)
    return f"CASE WHEN NOT ({' OR '.join(absent)}) THEN {read}::VARCHAR END" if absent else f"{read}::VARCHAR"
