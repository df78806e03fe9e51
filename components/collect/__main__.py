"""The command of collect."""

from pathlib import Path

from components.collect.collecting import collect_rows
from components.collect.committing import commit_file
from components.command import run
from components.contract import parse_contract
from components.formats import write_parameter


def collect(
    given: str,
    contract_yaml: str,
    remote: str,
    fetch: bool,
    until: str,
    repository: str,
    commit: str,
    data_dvc: Path,
) -> None:
    """Hand on the text of data.dvc: the given one, or with `fetch` the newest version with what the sources have.

    `given` is empty where there is no version yet. `commit` is the branch of the git `repository` that gets data.dvc.
    """
    tables = {name: table for name, table in parse_contract(contract_yaml).tables.items() if table.source}
    text = given
    if fetch and tables:
        text, merged = collect_rows(given, remote, tables, until)
        for name in tables:
            print(f"{name}: {merged[name].told() if name in merged else 'nothing new'}")
        if commit:
            commit_file(repository, commit, text)
    write_parameter(data_dvc, text)


if __name__ == "__main__":
    run(collect)
