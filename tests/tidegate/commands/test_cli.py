"""`tidegate`: what a person sees, and what is not imported before it is needed."""

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tidegate.commands import cli
from tidegate.commands.loop import greeting
from tidegate.pipelines import kubeflow, rendering
from tidegate.process import context
from tidegate.process.errors import InputError


def test_compile_writes_the_pipeline(tmp_path: Path) -> None:
    cli.main(["compile", "--output", str(tmp_path / "new" / "training.yaml")])
    assert (tmp_path / "new" / "training.yaml").read_text() == kubeflow.compile()


@pytest.mark.parametrize("words", [["render", "--check"], ["--debug", "render"], ["render", "--debug"]])
def test_an_error_is_one_line_and_debug_tells_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    *trace, line = capsys.readouterr().err.splitlines()
    assert stopped.value.code == 2
    assert line == "error: params.yaml: expected a file, found nothing; check the path"
    assert bool(trace) == ("--debug" in words)


def test_check_names_the_first_line_that_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    written = {Path("a.txt"): "one\ntwo\n"}
    monkeypatch.setattr(rendering, "rendered", lambda: written)
    monkeypatch.chdir(tmp_path)
    for text, message in [
        (None, "a.txt:1: expected `one`, found the end; run `tidegate render`"),
        ("one\n2\n", "a.txt:2: expected `two`, found `2`; run `tidegate render`"),
        ("one\ntwo\n\n", "a.txt:4: expected the end, found ``; run `tidegate render`"),
        ("one\ntwo", "a.txt:3: expected ``, found the end; run `tidegate render`"),
    ]:
        if text is not None:
            Path("a.txt").write_text(text)
        with pytest.raises(InputError) as error:
            rendering.check()
        assert str(error.value) == message
    rendering.write()
    rendering.check()


def test_a_run_to_no_moment_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["run", "--until", ""])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == (
        "error: --until: expected a UTC time such as 2013-03-01, without an offset, found ''; correct it\n"
    )


heavy = {"mlflow", "kfp", "kubernetes", "dvc", "pandas", "numpy", "sklearn", "evidently", "duckdb", "ruamel", "rich"}


def imported(*words: str) -> tuple[str, set[str]]:
    """What `tidegate` says to these words, in a process of its own, and which slow modules that takes."""
    script = (
        f"import sys\nfrom tidegate.commands.cli import main\n"
        f"try:\n    main({list(words)})\nexcept SystemExit as ended:\n    assert not ended.code\n"
        f"print('imported', *({heavy} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    told, _, found = done.stdout.rpartition("\nimported")
    return told, set(found.split())


def test_help_imports_nothing_heavy_and_names_every_command() -> None:
    told, found = imported("--help")
    assert found == set()
    assert set(re.findall(r"^  ([a-z]+) ", told, re.MULTILINE)) == {name.split()[0] for name in cli.COMMANDS}


def test_every_command_has_a_file_of_its_name_and_stands_in_one_section() -> None:
    listed = [name for section in cli.SECTIONS.values() for name in section]
    assert sorted(listed) == sorted(set(listed))
    for name, command in cli.COMMANDS.items():
        assert command.run.__module__ == f"tidegate.commands.{name.split()[0]}"


def test_the_version_imports_nothing_heavy_and_names_the_commit(root: Path) -> None:
    told, found = imported("--version")
    assert found == set()
    assert re.fullmatch(rf"tidegate {re.escape(version('tidegate'))} \(commit {context.commit(root)}\)", told)


def test_a_command_leaves_without_taking_the_interpreter_apart() -> None:
    # Where DuckDB's or Arrow's threads still work then, they abort the process.
    script = """
import atexit, sys
from tidegate.__main__ import program

class Left:
    def __del__(self):
        print("taken apart", file=sys.stderr)

sys.left = Left()
atexit.register(print, "temporary files removed")
sys.argv = ["tidegate", *sys.argv[1:]]
program()
"""
    right, wrong = (
        subprocess.run([sys.executable, "-c", script, word], capture_output=True, text=True, check=False)
        for word in ("--version", "--versoin")
    )
    assert (right.returncode, wrong.returncode) == (0, 2)
    assert right.stdout.startswith("tidegate ")
    assert right.stdout.endswith("\ntemporary files removed\n")
    assert right.stderr == ""
    assert wrong.stderr.startswith("error: tidegate: expected one of its flags")


def test_an_installed_package_knows_no_commit_but_that_of_its_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greeting, "ROOT", tmp_path)
    monkeypatch.delenv("TIDEGATE_COMMIT", raising=False)
    assert greeting.version() == f"tidegate {version('tidegate')}"
    monkeypatch.setenv("TIDEGATE_COMMIT", "c0ffee")
    assert greeting.version() == f"tidegate {version('tidegate')} (commit c0ffee)"


@pytest.mark.parametrize(
    ("contract", "told"),
    [
        ("name: orders\n", "Here is the problem orders."),
        ("name: [\n", "Here is the problem of contract.yaml, which cannot be read (contract.yaml:2: "),
        (None, "Here is no problem of yours: there is no contract.yaml in "),
    ],
)
def test_without_a_command_it_says_where_one_is_and_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    contract: str | None,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    if contract:
        Path("contract.yaml").write_text(contract)
    cli.main([])
    printed = capsys.readouterr().out
    assert printed.startswith("tidegate ") and told in printed
    assert "tidegate run " in printed and "tidegate status " in printed
    assert ("tidegate init " in printed) == (contract is None)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("rnu", "tidegate: expected a command, found 'rnu' (did you mean 'run'?); see `tidegate --help`"),
        ("--debug statsu --json", "'statsu' (did you mean 'status'?)"),
        ("frobnicate", "tidegate: expected a command, found 'frobnicate'; see `tidegate --help`"),
        ("contract infre a.csv", "tidegate contract: expected a command, found 'infre' (did you mean 'infer'?)"),
        ("run --untill 2013-03-01", "run: expected one of its flags, found '--untill' (did you mean '--until'?)"),
        ("schedule show --jsno", "schedule show: expected one of its flags, found '--jsno'"),
        ("--versoin", "tidegate: expected one of its flags, found '--versoin' (did you mean '--version'?)"),
        ("run --version", "tidegate run: expected one of its flags, found '--version'"),
        ("schedule", "schedule: the following arguments are required: COMMAND; see `tidegate "),
        ("lineage", "tidegate lineage: the following arguments are required: VERSION; see `tidegate lineage --help`"),
        ("feedback 2013-04-01 worng", "tidegate feedback: argument word: invalid choice: 'worng' (choose from "),
        ("run --until", "tidegate run: argument --until: expected one argument; see `tidegate run --help`"),
        ("run -x", "tidegate: unrecognized arguments: -x; see `tidegate --help`"),
        ("logs 1 gate more", "tidegate: unrecognized arguments: more; see `tidegate --help`"),
    ],
)  # fmt: skip
def test_words_that_it_does_not_know_are_one_line(capsys: pytest.CaptureFixture[str], words: str, told: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(words.split())
    out, err = capsys.readouterr()
    *_, line = err.splitlines()
    assert (stopped.value.code, out) == (2, "")
    assert line.startswith("error: ") and told in line
    assert "--debug" in words or err.count("\n") == 1


def test_no_flag_of_a_command_takes_the_place_of_another() -> None:
    """A version to show and the version that `--version` asks for must not be one."""
    assert vars(cli.parser().parse_args(["lineage", "2"])) | {"run": None} == {
        "command": "lineage", "version": "2", "picture": None, "json": False, "tell": False, "run": None,
    }  # fmt: skip
