"""`tidegate submit` against a Kubeflow that remembers: what it uploads, starts, follows, and how it ends."""

from collections.abc import Callable
from pathlib import Path

from tests.pipelines.kfp_server import KfpServer

Tidegate = Callable[..., tuple[int, str, str]]


def test_it_uploads_this_commit_and_starts_a_run(server: KfpServer, clone: Path, tidegate: Tidegate) -> None:
    code, out, err = tidegate("submit", "--unchecked", "--until", "2013-04-01")
    assert (code, err) == (0, "")
    (run,) = server.kubeflow.runs.values()
    assert out == f"{server.url}/#/runs/details/{run.run_id}\n"
