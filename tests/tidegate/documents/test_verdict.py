"""The verdict and the release: documents in documents, values within limits, keys that only some tasks have."""

import json
from dataclasses import fields
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.documents import MODELS, RELEASE, VERDICT, verdict_of
from tidegate.documents.release import Release
from tidegate.documents.verdict import ModelMetrics, RegisteredVerdict, SliceResult, Verdict
from tidegate.process.errors import InputError
from tidegate.scoring.tasks import TASKS

WHOLE = VERDICT.document()


def test_a_document_in_a_document_keeps_its_schema() -> None:
    document = json.loads(json.dumps(RELEASE.document()))
    assert (document["schema"], document["verdict"]["schema"]) == (1, 2)
    assert list(document["verdict"])[:2] == ["schema", "batch"]
    assert Release.of(document, "release.json") == RELEASE
    Draft202012Validator(Release.schema()).validate(document)
    assert not Draft202012Validator(Release.schema()).is_valid({**document, "verdict": {**WHOLE, "schema": 1}})


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"schema": 1}, "verdict: expected a verdict of schema 2, found schema 1"),
        ({"rows": 0}, "verdict.rows: expected greater than or equal to 1, found 0"),
        ({"checks": []}, "verdict.checks: expected a length of at least 1, found []"),
        ({"reasons": [""]}, "verdict.reasons.0: expected a length of at least 1, found ''"),
        ({"challenger": "c"}, "verdict.challenger: expected a text of the pattern ^sha256:[0-9a-f]{64}$, found 'c'"),
        ({"loss_error": -0.1}, "verdict.loss_error: expected greater than or equal to 0, found -0.1"),
        ({"seconds": 3.0}, "verdict.seconds: expected no such key, found 3.0"),
    ],
)
def test_another_verdict_is_one_line_and_not_of_the_schema(changed: dict[str, Any], fault: str) -> None:
    validator = Draft202012Validator(Release.schema())
    document = RELEASE.document() | {"verdict": WHOLE | changed}
    assert not validator.is_valid(json.loads(json.dumps(document)))
    with pytest.raises(InputError) as refused:
        Release.of(document, "release.json")
    place = "release.json: " if fault.startswith("verdict") else ""
    assert str(refused.value).startswith(f"{place}{fault}; run the step")


@pytest.mark.parametrize("rule", ["beneath", ""])
def test_a_rule_is_one_of_five(rule: str) -> None:
    checks = [{**WHOLE["checks"][0], "rule": rule}]
    with pytest.raises(InputError, match=r"checks\.0\.rule: expected 'upper bound at most', 'lower bound"):
        Verdict.of({**WHOLE, "checks": checks}, "verdict.json")


def test_without_a_champion_its_keys_are_null_or_left_out() -> None:
    slices = (SliceResult(**{**WHOLE["slices"][0], "champion": None, "interval": None}),)
    alone = verdict_of(champion=None, smallest_difference=None, models=(MODELS[0], *MODELS[2:]), slices=slices)
    document = alone.document()
    assert (document["champion"], document["smallest_difference"]) == (None, None)
    assert list(document["slices"][0])[2:6] == ["challenger", "linear", "dummy", "difference"]
    assert document["slices"][0]["interval"] is None and "least_probability" not in document
    assert Verdict.of(document, "verdict.json") == alone


def test_every_metric_of_every_task_has_its_key() -> None:
    names = {field.name for field in fields(ModelMetrics)} - {"model", "loss"}
    assert names == {name for task in TASKS.values() for name in task.metrics}


def test_numbers_are_read_as_they_were_written() -> None:
    numbers = [0.1 + 0.2, 5e-324, 1.7976931348623157e308, 123456789.12345679, 1 / 3]
    for number in numbers:
        document = json.loads(json.dumps({**WHOLE, "loss": number}))
        assert Verdict.of(document, "verdict.json").loss == number


def test_what_the_registry_keeps_of_a_verdict_holds_what_the_journal_keeps() -> None:
    kept = {key: WHOLE[key] for key in ("accepted", "champion", "batch", *VERDICT.summary.document())}
    registered = RegisteredVerdict.of({**kept, "file": "evaluate/x/verdict.json", "digest": "d" * 64}, "tag")
    assert registered.summary == VERDICT.summary
