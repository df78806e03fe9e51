"""The commands of docs/promotion.md against a real MLflow server on Postgres, where one signs in."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from tests.tidegate.tracking.conftest import credentials, secured_server
from tests.workspaces import Workspace


def test_a_person_approves_asks_reproduces_and_takes_back(
    new_workspace: Callable[[Path], Workspace], postgres_server: str, tmp_path: Path
) -> None:
    workspace = new_workspace(tmp_path / "here")
    (tmp_path / "server").mkdir()
    params = (workspace / "params.yaml").read_text()
    (workspace / "params.yaml").write_text(params.replace("approval: automatic", "approval: manual"))
    workspace.run("git", "commit", "--quiet", "--all", "--message", "Ask a person")
    with secured_server(tmp_path / "server", postgres_server) as uri:
        workspace.environment |= {"MLFLOW_TRACKING_URI": uri, "TIDEGATE_USER": "ann", **credentials}
        assert "waits for `tidegate approve`" in workspace.tidegate("run").stdout
        assert re.search(r"^ 1 +2013-03-01 ", workspace.tidegate("waiting").stdout, re.MULTILINE)
        assert workspace.tidegate("approve", "1", "--reason", "looked at").stdout == "version 1 is champion\n"
        (row,) = json.loads(workspace.tidegate("history", "--json").stdout)
        assert (row["kind"], row["to"], row["who"], row["serves"]) == ("approval", "1", "ann", True)
        workspace.tidegate("history", "--page")
        assert "version 1 serves" in (workspace / "artifacts/history.html").read_text()
        model = json.loads(workspace.tidegate("lineage", "1", "--json").stdout)["model"]
        assert re.findall(r"^## (Purpose|Lineage)$", workspace.tidegate("card", "1").stdout, re.MULTILINE)
        line, *more = workspace.tidegate("reproduce", "1").stdout.splitlines()
        assert ": the same model (" in line and model in line and more == []
        told = workspace.tidegate("reject", "1", "--reason", "too late", check=False)
        assert told.returncode == 2 and told.stderr.count("\n") == 1
        assert not (workspace / "mlflow.db").exists()
