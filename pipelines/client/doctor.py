"""`tidegate doctor`: everything that a run needs, looked at from here."""

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from pipelines import cluster, kubeflow, steps
from pipelines.client import checks
from pipelines.client.checks import Check
from pipelines.client.connection import Connection
from pipelines.console import console

COLOURS: Mapping[str, str] = {checks.OK: "green", checks.WRONG: "red", checks.UNCHECKED: "yellow"}


def examine(connection: Connection, remote: str | None) -> list[Check]:
    """Every check, at the same time, in their order."""

    def namespace() -> str:
        platform = kubeflow.parts(kubeflow.compile(steps.IMAGE))[1]
        return checks.of_the_namespace(connection, None, platform, cluster.load().service_account)

    return checks.run({**checks.of_the_run(remote, namespace), **checks.of_the_services(connection)})


def show(found: Sequence[Check]) -> None:
    """Print them for a person."""
    table = Table.grid(padding=(0, 2))
    for name, state, told in found:
        table.add_row(name, Text(state, COLOURS[state]), Text(told))
    console().print(table)
