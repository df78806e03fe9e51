"""The `format` of a column in contract.yaml, for times and numbers, as SQL."""

import re
from collections.abc import Mapping

# Microseconds per unit.
EPOCHS: Mapping[str, int] = {
    "epoch seconds": 1_000_000,
    "epoch milliseconds": 1_000,
    "epoch microseconds": 1,
    "epoch nanoseconds": 0,
}
# Examples of a number, with their thousands separator and decimal mark.
NUMBERS: Mapping[str, tuple[str, str]] = {
    "1234,5": ("", ","),
    "1.234,5": (".", ","),
    "1,234.5": (",", "."),
    "1 234,5": (" ", ","),
    "1 234.5": (" ", "."),
    "1'234.5": ("'", "."),
}
# A number with a sign before or after it, such as $1,234.5 or 12.5 %; then it may be written as usual.
_SIGNED = re.compile(r"([$€£¥]?) ?([0-9][0-9.,' ]*[0-9]) ?([$€£¥%]?)")
_USUAL = "1234.5"
_PART = re.compile(r"%(-?.)", re.DOTALL)
_PARTS = frozenset("aAbBdfgHIjmMnpSyYzZ%")
_SPACES = " \u00a0\u202f"  # French and Swiss files use no-break spaces


def form_fault(kind: str, form: str) -> tuple[str, str] | None:
    """What was expected and what was found, if the format does not suit the type; else None."""
    if kind == "timestamp":
        parts = {part.lstrip("-") for part in _PART.findall(form)}
        if form in EPOCHS or (parts <= _PARTS and parts & {"Y", "y"} and not form.endswith("%-")):
            return None
        return f"a format with %Y or %y such as '%d/%m/%Y %H:%M', or {', '.join(EPOCHS)}", repr(form)
    if kind in ("integer", "number"):
        signed = f"or with a sign such as '$1,234.5' or '{_USUAL} %'"
        return None if _number(form) else (f"one of {', '.join(map(repr, NUMBERS))}, {signed}", repr(form))
    return "a format of a timestamp, an integer or a number", kind


def formed(value: str, kind: str, form: str) -> str:
    """The SQL that converts a text of this format to TIMESTAMP or DOUBLE; null for texts of another format."""
    return _moment(value, form) if kind == "timestamp" else f"TRY_CAST({_plain(value, form)} AS DOUBLE)"


def _moment(value: str, form: str) -> str:
    if form not in EPOCHS:
        moment = f"TRY_STRPTIME({value}, {_text(form)})::TIMESTAMP"
        # %Y accepts a year of two digits as it is.
        return f"CASE WHEN year({moment}) BETWEEN 1000 AND 9999 THEN {moment} END"
    unit = EPOCHS[form]
    whole = f"TRY_CAST({value} AS HUGEINT)"
    micros = f"{whole} // 1000" if not unit else whole if unit == 1 else f"TRY_CAST({value} AS DOUBLE) * {unit}"
    moment = f"TRY(make_timestamp(TRY_CAST({micros} AS BIGINT)))"
    return f"CASE WHEN year({moment}) BETWEEN 1000 AND 9999 THEN {moment} END"


def _number(form: str) -> tuple[str, str, str, str] | None:
    """Thousands separator, decimal mark, and the sign before and the sign after a number of this format."""
    match = _SIGNED.fullmatch(form)
    if not match or (match[1] and match[3]):
        return None
    marks = ("", ".") if match[2] == _USUAL and match[1] + match[3] else NUMBERS.get(match[2])
    return marks and (*marks, match[1], match[3])


def _plain(value: str, form: str) -> str:
    """The SQL of a number's text with a decimal point, without thousands separators and sign."""
    notation = _number(form)
    assert notation, form
    thousands, decimals, before, after = notation
    gap = f"[{_SPACES}]*"
    mark = f"[{_SPACES}]" if thousands == " " else re.escape(thousands)
    whole = rf"([0-9]+|[0-9]{{1,3}}({mark}[0-9]{{3}})+)" if thousands else "[0-9]+"
    digits = rf"({whole}({re.escape(decimals)}[0-9]*)?|{re.escape(decimals)}[0-9]+)([eE][-+]?[0-9]+)?"
    lead, tail = f"{re.escape(before)}{gap}[-+]?" * bool(before), f"{gap}{re.escape(after)}" * bool(after)
    pattern = rf"\s*[-+]?{lead}{digits}{tail}\s*"
    sign = _text(f"{gap}{re.escape(before + after)}{gap}")
    bare = f"regexp_replace({value}, {sign}, '')" if before or after else value
    bare = f"regexp_replace({bare}, {_text(mark)}, '', 'g')" if thousands else bare
    dotted = f"replace({bare}, ',', '.')" if decimals == "," else bare
    return f"CASE WHEN regexp_full_match({value}, {_text(pattern)}) THEN {dotted} END"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
