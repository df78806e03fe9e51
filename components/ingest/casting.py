"""SQL that turns text into the types that the contract promises, and never hides what cannot be cast."""

from components.contract import Column, Table, literal, quoted
from components.raw import cast


def failures(columns: dict[str, Column]) -> str:
    """A SELECT list that counts per column the texts that cannot be cast."""
    counts = (
        f"count(*) FILTER ({quoted(name)} IS NOT NULL AND ({cast(name, column.type)}) IS NULL) AS {quoted(name)}"
        for name, column in columns.items()
    )
    return ", ".join(counts)


def typed_rows(relation: str, table: Table, present: list[str], as_text: set[str], until: str) -> str:
    """The query of one ingested table: cast columns, rows before `until`, total order; unknown columns stay text."""
    kept = [name for name in present if name not in table.columns or table.columns[name].role != "private"]
    values = [
        quoted(name)
        if name not in table.columns or name in as_text
        else f"{cast(name, table.columns[name].type)} AS {quoted(name)}"
        for name in kept
    ]
    first = [name for name in (table.time, *table.key) if name in kept]
    order = ", ".join(quoted(name) for name in dict.fromkeys([*first, *kept]))
    query = f"SELECT {', '.join(values)} FROM {relation}"
    if table.time in kept:  # one time that cannot be cast must not let later rows in
        time = cast(str(table.time), "timestamp")
        query += f" WHERE {time} < TIMESTAMP {literal(until)} OR {time} IS NULL"
    return f"SELECT * FROM ({query}) ORDER BY {order}"
