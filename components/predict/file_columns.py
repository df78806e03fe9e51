"""The columns of a file: whether its rows are events or features, the SQL of each value, and what the answer shows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tidegate.components.predict.incoming import Incoming, own_or_text
from tidegate.contract.contract import Contract, quoted
from tidegate.contract.names import folded
from tidegate.documents.schema import listed
from tidegate.process.errors import InputError
from tidegate.serving.fields import Field
from tidegate.serving.rows import Form, Kind
from tidegate.tables.engine import FIRST_MOMENT, LAST_MOMENT, cast
from tidegate.tables.features import INTEGERS
from tidegate.tables.named import named

ROW, FAULT = "tidegate row", "tidegate fault"
PREDICTION, VERSION, MOMENT, PROBABILITY = "prediction", "model_version", "predicted_at", "probability_"
OURS = (PREDICTION, VERSION, MOMENT, ROW, FAULT)
WHOLE = {name: "integer" for name in INTEGERS if name not in ("HUGEINT", "UHUGEINT", "UBIGINT")}
SAME = {"VARCHAR": "text", "BOOLEAN": "boolean", "DOUBLE": "number", "TIMESTAMP": "timestamp"}


@dataclass(frozen=True)
class Columns:
    """The kind of the rows, the SQL of each field in its type and as text, and of each other column that is shown.

    `hidden` are the columns of the file that say who somebody is: they are not shown.
    """

    kind: Kind
    fields: Mapping[str, Field]
    typed: Mapping[str, str]
    texts: Mapping[str, str]
    others: Mapping[str, str]
    hidden: Collection[str]

    @property
    def visible(self) -> list[str]:
        """The columns of the answer, before those of the prediction."""
        return [name for name in self.others if name not in self.hidden]


def columns(rows: Incoming, form: Form, contract: Contract, kind: Kind | None) -> Columns:
    """The columns of a file as a version takes them; InputError if they are neither an event's nor the features."""
    table = contract.tables[contract.event]
    events = named(rows.texts, table)
    kind = kind or _kind(rows, form, events)
    texts = events if kind == "event" else rows.texts
    fields = form.fields(kind)
    by_key = {folded(name): name for name in texts}
    _check(rows, fields, by_key, "the columns of an event" if kind == "event" else "the features")
    typed = {
        name: _typed(rows, by_key[folded(name)], name, field, texts, contract, kind) for name, field in fields.items()
    }
    own = {by_key[folded(name)]: name for name in fields}
    others = {own.get(name, name): typed[own[name]] if name in own else _other(rows, name, texts) for name in texts}
    secret = _private(contract)
    return Columns(
        kind,
        fields,
        typed,
        {name: texts[by_key[folded(name)]] for name in fields},
        others,
        [name for name in others if folded(name) in secret],
    )


def _kind(rows: Incoming, form: Form, events: Mapping[str, str]) -> Kind:
    """Events if all columns of an event are there, features if all of them are; InputError for both at once."""
    names = {folded(name) for name in events} | {folded(name) for name in rows.texts}
    is_event, is_features = ({*map(folded, fields)} <= names for fields in (form.event, form.features))
    more = {*map(folded, form.features)} - {*map(folded, form.event)}
    if is_event and is_features and more:
        raise InputError(
            rows.place, "events or features", "the columns of both", "say --kind event or --kind features"
        )
    return "event" if is_event or (not is_features and folded(form.time) in names) else "features"


def _check(rows: Incoming, fields: Mapping[str, Field], names: Mapping[str, str], what: str) -> None:
    missing = [name for name in fields if folded(name) not in names]
    if missing:
        raise InputError(rows.place, f"{what} ({listed(list(fields))})", f"no {listed(missing)}", "add them")
    for name in names.values():
        if folded(name) in OURS or folded(name).startswith(PROBABILITY):
            raise InputError(rows.place, "another name than one of the answer's columns", name, "rename that column")


def _private(contract: Contract) -> set[str]:
    """The names, in the contract and in files, of the columns of all tables that say who somebody is."""
    every = [(name, column) for table in contract.tables.values() for name, column in table.columns.items()]
    hidden = [(name, *column.made_of) for name, column in every if column.role == "private"]
    return {folded(name) for names in hidden for name in names}


def _other(rows: Incoming, name: str, texts: Mapping[str, str]) -> str:
    return own_or_text(rows, name) if name in rows.texts else texts[name]


def _typed(
    rows: Incoming, own: str, name: str, field: Field, texts: Mapping[str, str], contract: Contract, kind: Kind
) -> str:
    """The SQL of a field in its type, null where it has another one; Parquet's own value where that is the same."""
    column = contract.tables[contract.event].columns[name] if kind == "event" else None
    plain = column is None or not (column.made_of or column.missing or column.format)
    direct = _direct(quoted(own), rows.kinds.get(own, ""), field.type) if plain else ""
    return direct or cast(
        texts[own], "text" if field.type == "category" else field.type, column.format if column else ""
    )


def _direct(value: str, have: str, want: str) -> str:
    """The SQL of a Parquet value in the type that is wanted, if DuckDB need not go by its text; NaN is null."""
    if have in WHOLE and want in ("integer", "number"):
        return f"{value}::{'BIGINT' if want == 'integer' else 'DOUBLE'}"
    if SAME.get(have) != ("text" if want == "category" else want):
        return ""
    if have == "TIMESTAMP":
        return f"CASE WHEN {value} BETWEEN {FIRST_MOMENT} AND {LAST_MOMENT} THEN {value} END"
    return f"nullif({value}, 'nan'::DOUBLE)" if have == "DOUBLE" else value
