"""YAML that would not end, is no number, or cannot be shown: refused at its line, at once."""

import re

import pytest

from tidegate.documents.formats import parse_yaml
from tidegate.process.errors import InputError

LISTS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)
MAPPINGS = "a0: &a0 {k: v, l: v}\n" + "".join(
    f"a{level}: &a{level} {{{', '.join(f'k{n}: *a{level - 1}' for n in range(10))}}}\n" for level in range(1, 12)
)
MERGED = "a0: &a0 {k: v}\n" + "".join(
    f"a{level}: &a{level}\n  <<: [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)


@pytest.mark.parametrize("text", [LISTS, MAPPINGS, MERGED], ids=["lists", "mappings", "merged"])
def test_aliases_that_multiply_are_refused_before_they_do(text: str) -> None:
    told = r"^x:1: expected YAML, found aliases that make \de\+\d+ values of \d+; correct that line$"
    with pytest.raises(InputError, match=told):
        parse_yaml(text, "x")


def test_aliases_that_save_typing_are_not() -> None:
    columns = "".join(f"  c{number}: *number\n" for number in range(5000))
    text = f"number: &number {{type: number, unit: EUR, range: [0, 1], nullable: true}}\ncolumns:\n{columns}"
    found = parse_yaml(text, "x")
    assert len(found["columns"]) == 5000 and found["columns"]["c4999"]["range"] == [0, 1]
    assert parse_yaml("a: &a {r: 1}\nb: {<<: *a, s: 2}", "x")["b"] == {"r": 1, "s": 2}


@pytest.mark.parametrize("number", [".nan", ".NaN", ".inf", "-.inf", "+.INF", "1e400", "-1e999", "!!float .inf"])
@pytest.mark.parametrize("place", ["{}", "[1, {}]", "{{b: [{}]}}"])
def test_what_is_not_finite_is_no_number(number: str, place: str) -> None:
    word = re.escape(number.rpartition(" ")[2])
    with pytest.raises(InputError, match=f"^x:2: expected YAML, found {word}, which is not a finite number; "):
        parse_yaml(f"first: 1\na: {place.format(number)}\n", "x")


@pytest.mark.parametrize("name", ["a\\nb", "a\\rb", "a\\tb", "\\x1b[31ma", "a\\x00", "a\\x7f", "a\\u2028b"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"^x:2: expected YAML, found .*, a name with a control character; ") as told:
        parse_yaml(f'first: 1\n"{name}": 1\n', "x")
    assert str(told.value).isprintable()


def test_names_in_any_script_are_kept() -> None:
    names = ["Größe", "日本", "a b", "a\u00a0b", "💶", "a.b", "a'b"]
    assert list(parse_yaml("".join(f'"{name}": 1\n' for name in names), "x")) == names


def test_what_a_caller_changes_is_not_what_the_next_one_reads() -> None:
    parse_yaml("a: [1]", "x")["a"].append(2)
    assert parse_yaml("a: [1]", "y") == {"a": [1]}


def test_an_error_names_the_file_of_its_caller() -> None:
    for name in ("x", "y"):
        with pytest.raises(InputError, match=f"^{name}:1: "):
            parse_yaml("a: [", name)
