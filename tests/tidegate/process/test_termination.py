"""SIGTERM and Ctrl-C end whatever runs, within seconds and without a trace."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.durations import HANGING, SOON
from tests.tiers import lacking
from tests.workspaces import hear_ctrl_c

root = Path(__file__).parents[3]
STEP = """\
import os, time
from pathlib import Path
from tidegate.process.command import run
from tidegate.documents.formats import replacing, write_text
{imports}

def step(ready: Path, output: Path) -> None:
    with replacing(output) as folder:
        folder.mkdir()
        (folder / "half.txt").write_text("half")
        ready.touch()
        {busy}
    print("done")

run(step)
"""
BUSY: Mapping[str, tuple[str, str]] = {
    "python": ("", "while True: pass"),
    "sleep": ("", "time.sleep(60)"),
    "numpy": ("import numpy as np\nmatrix = np.random.default_rng(0).random((5000, 5000))", "np.linalg.svd(matrix)"),
    "duckdb": ("import duckdb", "duckdb.sql('SELECT sum(hash(a.range * b.range)) FROM ' + pairs).fetchall()"),
    "a library that catches all": ("", "swallow()"),
    "a library that logs": ("import logging", "tell()"),
    "a finalizer": ("", "finalize()"),
    "threads that are waited for": ("from concurrent.futures import ThreadPoolExecutor", "wait()"),
}
HELPERS = """
pairs = "range(1000000) a, range(1000000) b"
def swallow():
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

def tell():
    try:
        time.sleep(60)
    except BaseException:
        logging.getLogger("library").exception("interrupted")
        raise

class Slow:
    def __del__(self):
        time.sleep(30)

def finalize():
    while True:
        Slow()

def wait():
    with ThreadPoolExecutor() as pool:
        pool.submit(time.sleep, 60)
"""


# Its first process ignores every signal that it has no handler for.
CONTAINER = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]


def ended(process: "subprocess.Popen[str]", by: signal.Signals) -> tuple[float, int, str]:
    """How long it takes to end after the signal, its exit code and what it says."""
    begun = time.monotonic()
    process.send_signal(by)
    _, said = process.communicate(timeout=HANGING)
    return time.monotonic() - begun, process.returncode, said


@pytest.mark.parametrize(
    ("name", "by"), [*((name, signal.SIGTERM) for name in BUSY), ("python", signal.SIGINT), ("duckdb", signal.SIGINT)]
)
def test_whatever_it_does(name: str, by: signal.Signals, tmp_path: Path) -> None:
    imports, busy = BUSY[name]
    (tmp_path / "step.py").write_text(STEP.format(imports=imports + HELPERS, busy=busy))
    output = tmp_path / "output"
    output.mkdir()
    (output / "before.txt").write_text("before")
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "step.py"), "--ready", str(tmp_path / "ready"), "--output", str(output)],
        env=os.environ | {"PYTHONPATH": str(root)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        preexec_fn=hear_ctrl_c,
    )
    while not (tmp_path / "ready").exists():
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    seconds, code, said = ended(process, by)
    assert (code, said) == (128 + by, "")
    assert seconds < SOON
    assert sorted(path.name for path in tmp_path.iterdir()) == ["output", "ready", "step.py"]
    assert [path.name for path in output.iterdir()] == ["before.txt"]


AT_EACH_LINE = """\
import os, signal, sys
from pathlib import Path
from tidegate.documents import formats
from tidegate.process.termination import unwinding

output, by = Path(sys.argv[1]), signal.Signals[sys.argv[2]]

def signalling(moment):
    left = [moment]
    def trace(frame, event, _):
        if frame.f_code.co_filename != formats.__file__:
            return None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), by)
        return trace
    return trace

def write(moment):
    with unwinding(formats.discard):
        sys.settrace(signalling(moment))
        with formats.replacing(output) as folder:
            folder.mkdir()
            formats.write_text(folder / "after.txt", "after")
        sys.settrace(None)

code, moment = 1, 0
while code:
    moment += 1
    formats.remove(*output.parent.iterdir())
    output.mkdir()
    (output / "before.txt").write_text("before")
    if not (child := os.fork()):
        write(moment)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code, [path.name for path in output.iterdir()], end=" ")
    formats.recover(output.parent)
    print([path.name for path in output.parent.iterdir()], [path.name for path in output.iterdir()])
"""


@pytest.mark.parametrize(("by", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)])
def test_at_whichever_line_of_a_replacement_it_comes(by: signal.Signals, code: int, tmp_path: Path) -> None:
    """Before, while and after the block runs; also while that tidies up. There is an output at any moment."""
    said = subprocess.run(
        [sys.executable, "-c", AT_EACH_LINE, str(tmp_path / "output"), by.name],
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    *ended_early, whole = said.stdout.splitlines()
    assert said.stderr == ""
    assert len(ended_early) > 20
    states = [f"['{name}.txt'] ['output'] ['{name}.txt']" for name in ("before", "after")]
    for line in ended_early:
        assert line in [f"{code} {state}" for state in states], said.stdout
    assert whole == f"0 {states[1]}"


def test_the_first_process_of_a_container_ends_while_it_imports(tmp_path: Path) -> None:
    if not shutil.which("unshare") or subprocess.run([*CONTAINER, "true"], check=False).returncode:
        lacking("no namespace of process ids can be made here")
    (tmp_path / "sklearn.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    command = [*CONTAINER, sys.executable, "-m", "tidegate", "step", "train"]
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"}
    with subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "importing\n"
        (first,) = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        begun = time.monotonic()
        os.kill(int(first), signal.SIGTERM)
        assert parent.wait(timeout=HANGING) == 143
        assert time.monotonic() - begun < SOON
