"""DVC as a fork of a server that has imported it: the tests start it hundreds of times, which takes 0.7 seconds each.

As a program: `serve SOCKET` forks for whoever asks, `ask WORDS` is DVC in such a fork, `run WORDS` what the fork does.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path
from shlex import join
from typing import NoReturn

from tidegate.process import fork_server
from tidegate.process.fork import FOLDER, leave_by_fork

NAME = "dvc"
# What the commands import when they run.
LIBRARIES = (
    *("dvc.cli.parser", "dvc.cachemgr", "dvc.data_cloud", "dvc.lock", "dvc.rwlock", "dvc.scm", "dvc.stage.run"),
    *(f"dvc.repo.{name}" for name in ("add", "experiments", "graph", "index", "metrics.show", "params.show", "plots")),
    *("dvc.repo.reproduce", "dvc.repo.status", "dvc.repo.trie", "dvc_data.hashfile.db.local"),
    *("dvc_data.hashfile.status", "dvc_render.vega_templates", "dulwich.porcelain", "flatten_dict", "networkx"),
    *("psutil", "pygit2", "rich.live", "ruamel.yaml", "scmrepo.fs", "scmrepo.git", "zc.lockfile"),
)


def start(environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """A server beside those of this environment, and `python` there: this interpreter, but for `-m dvc` in a fork."""
    folder = Path(environment[FOLDER])
    here, ask = join([sys.executable]), join([sys.executable, __file__, "ask"])
    launcher = folder / "python"
    launcher.write_text(
        f'#!/bin/sh\ncase "$1 $2 $3" in "-P -m dvc") shift 3; exec {ask} "$@";; esac\nexec {here} "$@"\n'
    )
    launcher.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / NAME))
        listener.listen(64)
        return subprocess.Popen(
            [sys.executable, __file__, "serve", str(listener.fileno())],
            env=environment,
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )


def command(*words: str) -> list[str]:
    """DVC with these words, in a fork if the environment has a server."""
    return [sys.executable, __file__, "ask", *words]


def run(words: list[str]) -> NoReturn:
    """Be DVC."""
    from dvc.cli import main

    code = main(words)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    mode, *rest = sys.argv[1:]
    if mode == "serve":
        fork_server.LIBRARIES[NAME] = LIBRARIES
        fork_server.serve(NAME, socket.socket(fileno=int(rest[0])))
    else:
        if mode == "ask":
            leave_by_fork(Path(__file__).stem, ["run", *rest], NAME)
        run(rest)
