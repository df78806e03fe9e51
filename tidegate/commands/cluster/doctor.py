"""`tidegate doctor`: everything that a run needs, looked at from here."""

from collections.abc import Mapping, Sequence

from rich.text import Text

from tidegate.commands.cluster import checks
from tidegate.commands.cluster.checks import Check
from tidegate.commands.cluster.connection import Connection
from tidegate.commands.console import console
from tidegate.pipelines import cluster, kubeflow, steps

COLOURS: Mapping[str, str] = {checks.OK: "green", checks.WRONG: "red", checks.UNCHECKED: "yellow"}


def examine(connection: Connection, remote: str | None) -> list[Check]:
    """Every check, at the same time, in their order."""

    def namespace() -> str:
        platform = kubeflow.parts(kubeflow.compile(steps.IMAGE))[1]
        return checks.of_the_namespace(connection, None, platform, cluster.load().service_account)

    return checks.run(
        {
            **checks.of_the_run(remote, connection.kube_context, namespace),
            **checks.of_the_rights(connection),
            **checks.of_the_services(connection),
        }
    )


def show(found: Sequence[Check]) -> None:
    """Print them for a person, a line each."""
    widths = [max(len(check[column]) for check in found) + 2 for column in (0, 1)]
    for name, state, told in found:
        line = Text.assemble(name.ljust(widths[0]), (state.ljust(widths[1]), COLOURS[state]), told)
        console().print(line, soft_wrap=True)
