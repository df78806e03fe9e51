"""DVC as a fork of a server that has imported it: the tests start it hundreds of times, which takes 0.7 seconds each.

As a program: `serve FILE` forks for whoever asks, `ask SOCKET WORDS` is DVC in a fork, `run WORDS` what that does.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path
from shlex import join
from typing import NoReturn

from tidegate.process import fork_server
from tidegate.process.fork import leave_by_fork

NAME = "dvc"
SOCKET = "dvc.socket"
# What the commands import when they run.
LIBRARIES = (
    *("dvc.cli.parser", "dvc.cachemgr", "dvc.data_cloud", "dvc.lock", "dvc.rwlock", "dvc.scm", "dvc.stage.run"),
    *(f"dvc.repo.{name}" for name in ("add", "experiments", "graph", "index", "metrics.show", "params.show", "plots")),
    *("dvc.repo.reproduce", "dvc.repo.status", "dvc.repo.trie", "dvc_data.hashfile.db.local"),
    *("dvc_data.hashfile.status", "dvc_render.vega_templates", "dulwich.porcelain", "flatten_dict", "networkx"),
    *("psutil", "pygit2", "rich.live", "ruamel.yaml", "scmrepo.fs", "scmrepo.git", "zc.lockfile"),
)


def start(folder: Path) -> "subprocess.Popen[bytes]":
    """A server in a folder, and `python` there: this interpreter, or a fork.

    It is this process that starts it: a stage of DVC ends when the process that runs it is not above it, so what
    another process reproduces is no fork.
    """
    here, ask = join([sys.executable]), join(command(folder))
    launcher = folder / "python"
    launcher.write_text(
        f"""#!/bin/sh
[ "$4 $TIDEGATE_RUN_PROCESS" = "repro {os.getpid()}" ] || [ "$4" != repro ] || exec {here} "$@"
case "$1 $2 $3" in
    "-P -m dvc") shift 3; exec {ask} "$@" ;;
    "-P -m tidegate.commands.draft."*) shift 2; exec {here} -P -m tidegate.process.fork "$@" ;;
    *) exec {here} "$@" ;;
esac
"""
    )
    launcher.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / SOCKET))
        listener.listen(64)
        return subprocess.Popen(
            [sys.executable, __file__, "serve", str(listener.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )


def command(folder: Path, *words: str) -> list[str]:
    """DVC with these words, in a fork of the server in this folder."""
    return [sys.executable, __file__, "ask", str(folder / SOCKET), *words]


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
            server, *rest = rest
            leave_by_fork(Path(__file__).stem, ["run", *rest], server)
        run(rest)
