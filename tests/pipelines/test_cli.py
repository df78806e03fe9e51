"""`tidegate`: what a person sees, and what is not imported before it is needed."""

import subprocess
import sys
from pathlib import Path

import pytest

from components.errors import InputError
from pipelines import cli, kubeflow, rendering


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
    assert capsys.readouterr().err == "error: --until: expected a date such as 2013-03-01, found ''; correct it\n"


def test_help_imports_nothing_heavy(root: Path) -> None:
    script = (
        "import sys\nfrom pipelines.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit:\n    print({'kfp', 'ruamel', 'pandas', 'mlflow', 'dvc'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("\nset()\n")
    assert all(name.split()[0] in done.stdout for name in cli.COMMANDS)
