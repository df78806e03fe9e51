"""Documents: read as they were written, refused in one line per fault, described by a schema."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.decisions import compared, decision
from tests.documents import BATCH, FINDINGS, MANIFEST, RECORD, record_of
from tidegate.documents.batch import Batch
from tidegate.documents.decision import Decision, Feedback
from tidegate.documents.document import Document
from tidegate.documents.record import Record
from tidegate.process.errors import InputError

WHOLE = BATCH.document()


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in WHOLE.items() if key != name}


def test_a_document_is_read_as_it_was_written(tmp_path: Path) -> None:
    BATCH.write(tmp_path / "batch.json")
    assert Batch.read(tmp_path / "batch.json") == BATCH
    keys = list(json.loads((tmp_path / "batch.json").read_text()))
    assert keys[:3] == ["schema", "id", "name"]


IGNORED = Feedback("ignore", "temp", "", "2013-09-01", "ann", "2013-06-01", "a new sensor")
KINDS = [BATCH, MANIFEST, FINDINGS, decision("retrain", compared(), feedback=(IGNORED,))]


@pytest.mark.parametrize("document", KINDS, ids=lambda document: type(document).__name__)
def test_each_kind_is_read_as_it_was_written_and_keeps_its_schema(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    document.write(path)
    assert type(document).read(path) == document
    Draft202012Validator(type(document).schema()).validate(json.loads(path.read_text()))


def test_the_schema_holds_for_what_is_written_and_describes_it() -> None:
    schema = Batch.schema()
    validator = Draft202012Validator(schema)
    validator.validate(WHOLE)
    assert not validator.is_valid({**WHOLE, "schema": 2})
    assert not validator.is_valid({**WHOLE, "other": 2})
    assert not validator.is_valid(without("schema"))
    assert not validator.is_valid({**WHOLE, "recipe": {**WHOLE["recipe"], "window_days": "9"}})
    assert schema["$defs"]["Recipe"]["properties"]["sql"]["description"] == "SHA-256 of the statement in features.sql."


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (without("schema"), "batch.json: expected a batch of schema 1, found no schema"),
        ({**WHOLE, "schema": 2}, "batch.json: expected a batch of schema 1, found schema 2"),
        ({**WHOLE, "schema": True}, "batch.json: expected a batch of schema 1, found schema True"),
        ([], "batch.json: expected a batch of schema 1, found no schema"),
        ({"skipped": "the gate is shut"}, "batch.json: expected a batch of schema 1, found no schema"),
        (without("rows"), "batch.json: rows: expected a value, found none"),
        ({**WHOLE, "rows": "9"}, "batch.json: rows: expected a valid integer, found '9'"),
        ({**WHOLE, "rows": 9.5}, "batch.json: rows: expected a valid integer, found 9.5"),
        ({**WHOLE, "wors": 9}, "batch.json: wors: expected no such key, found 9"),
        ({**WHOLE, "recipe": {"sql": "s"}}, "batch.json: recipe.contract: expected a value, found none"),
        ({**WHOLE, "features": {"x": 1}}, "batch.json: features.x: expected a valid string, found 1"),
        ({**WHOLE, "name": "a\nb", "rows": None}, "batch.json: rows: expected a valid integer, found nothing"),
    ],
)
def test_what_is_no_such_document_is_one_line_a_fault(values: Any, fault: str) -> None:
    with pytest.raises(InputError) as refused:
        Batch.of(values, "batch.json")
    first, *others = str(refused.value).splitlines()
    assert first == f"{fault}; run the step that writes it again"
    assert len(others) < 5


def test_what_is_no_json_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "batch.json").write_text('{"schema": 1,\n"id": ')
    with pytest.raises(InputError, match=r"batch\.json:2: expected JSON, found Expecting value"):
        Batch.read(tmp_path / "batch.json")


def test_a_word_of_an_earlier_document_is_read_as_it_is_called_now() -> None:
    now = decision("retrain", compared())
    values = json.loads(json.dumps(now.document()).replace('"state": "named"', '"state": "told"'))
    assert "told" in {signal["state"] for signal in values["signals"]}
    assert Decision.of(values, "an earlier decision") == now


def test_a_field_with_its_default_is_left_out() -> None:
    values = RECORD.document()
    assert not {"dropped", "lone_classes", "transformers"} & {*values, *values["estimator"]}
    assert Record.of(values, "record.json").document() == values
    assert record_of(lone_classes=[]).document() == record_of(lone_classes=()).document() == values
    changed = record_of(lone_classes=("a",), dropped={"note": "free text"}).document()
    assert (changed["lone_classes"], changed["dropped"]) == (["a"], {"note": "free text"})
    assert list(values)[4:6] == ["from", "to"]
    Draft202012Validator(Record.schema()).validate(changed)


def test_a_changed_copy_is_another_document() -> None:
    assert replace(BATCH, rows=1).document() == {**WHOLE, "rows": 1}
