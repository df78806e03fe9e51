"""params.yaml is checked as a whole when it is read, and value by value when a step is given one."""

import inspect
import re
from pathlib import Path

import pytest

from tidegate.documents.parameters import check_parameter, read_parameters, schema
from tidegate.pipelines.training import training
from tidegate.process.errors import InputError

root = Path(__file__).parents[3]
SAMPLE = (root / "params.yaml").read_text()
MISTAKES = {
    "an unknown name": (
        "sample_rows: 10000",
        "sample_row: 5000",
        r"params.yaml:18: gate: .*did you mean 'sample_rows'",
    ),
    "a missing name": ("  sample_rows: 10000", "  # 5000", r"params.yaml:15: gate: expected all of .*no sample_rows"),
    "an unknown section": ("train:", "training:", r"params.yaml:\d+: expected .*did you mean 'train'"),
    "a mode that there is none of": ("mode: auto", "mode: sometimes", r"params.yaml:16: gate.mode: expected one of"),
    "a policy of the server": ("unknown: accept", "unknown: maybe", r"serve.unknown: expected one of accept, refuse"),
    "a text for a number": ("minimum_rows: 200", "minimum_rows: many", r"gate.minimum_rows: expected a whole number"),
    "a number in quotes": ("minimum_rows: 200", 'minimum_rows: "200"', r"gate.minimum_rows: expected a whole number"),
    "a date without quotes": ('"2013-03-01"', "2013-03-01", r"params.yaml:8: ingest.until: expected a text"),
    "a moment that is none": ('"2013-03-01"', '"March"', r"ingest.until: expected a moment in UTC such as 2013-03-01"),
    "a share beyond 1": (
        "max_bad_share: 0.01",
        "max_bad_share: 1.5",
        r"max_bad_share: expected at least 0 and at most 1",
    ),
    "days below 1": ("batch_days: 28", "batch_days: 0", r"ingest.batch_days: expected at least 1"),
    "no YAML": ("ingest:", "ingest: [", r"params.yaml:\d+: expected YAML"),
}


def test_the_sample_is_read() -> None:
    assert read_parameters(root / "params.yaml")["gate"]["mode"] == "auto"


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_names_its_line(case: str, tmp_path: Path) -> None:
    old, new, told = MISTAKES[case]
    assert old in SAMPLE
    (tmp_path / "params.yaml").write_text(SAMPLE.replace(old, new, 1))
    with pytest.raises(InputError) as error:
        read_parameters(tmp_path / "params.yaml")
    assert re.search(told, str(error.value)), error.value


def test_a_step_refuses_what_params_may_not_hold() -> None:
    check_parameter("gate", "decay", 0.5)
    check_parameter("pull", "remote", "anything")
    with pytest.raises(InputError, match=r"^gate.decay: expected at least 0, found -1"):
        check_parameter("gate", "decay", -1.0)


def test_every_parameter_of_the_pipeline_is_in_the_schema_and_no_other() -> None:
    taken = {name for name in inspect.signature(training.pipeline_func).parameters if not name.startswith("pull_")}
    sections = [(name, part) for name, part in schema()["properties"].items() if name != "serve"]  # no step
    assert {f"{section}_{name}" for section, part in sections for name in part["properties"]} == taken - {
        "serve_record"  # which the shadow reads
    }


NUMBERS = [
    (step, name)
    for step, section in schema()["properties"].items()
    for name, kind in section["properties"].items()
    if kind.get("type") in ("number", "integer")
]


@pytest.mark.parametrize(("step", "name"), NUMBERS)
def test_what_is_not_finite_is_refused_in_the_file_and_on_the_command_line(
    step: str, name: str, tmp_path: Path
) -> None:
    for number in (".nan", ".inf", "-.inf"):
        text = re.sub(rf"(?m)^(  {name}: )[\d.]+", rf"\g<1>{number}", SAMPLE)
        assert text != SAMPLE
        (tmp_path / "params.yaml").write_text(text)
        with pytest.raises(InputError, match=r"params.yaml:\d+: expected YAML, found .*not a finite number"):
            read_parameters(tmp_path / "params.yaml")
        with pytest.raises(InputError, match=rf"{step}.{name}: expected a (whole )?number, found"):
            check_parameter(step, name, float(number.replace(".", "")))


def test_a_problem_without_the_section_of_the_server_has_its_defaults(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(SAMPLE[: SAMPLE.index("\nserve:")])
    assert read_parameters(path) == read_parameters(root / "params.yaml")
