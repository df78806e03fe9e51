"""The command line of collect."""

from datetime import UTC, datetime

from tidegate.components.collect.branch import commit_file
from tidegate.components.collect.collection import collect_rows
from tidegate.components.collect.day import day
from tidegate.contract.contract import parse_contract
from tidegate.documents.formats import write_parameter
from tidegate.process.command import Output


def collect(
    current_data_dvc: str,
    contract_yaml: str,
    remote: str,
    fetch: bool,
    requested_until: str,
    scheduled: str,
    created: str,
    repository: str,
    commit: str,
    data_dvc: Output,
    until: Output,
) -> None:
    """Write the text of data.dvc: the current one, or with `fetch` the newest version plus new rows of the sources.

    `current_data_dvc` is empty if there is no version yet. `commit` is the branch of the git `repository` that
    receives data.dvc. Also write `until`, the end of the batch: `requested_until`, or else derived from `scheduled`
    and `created`; see `day`.
    """
    end = day(requested_until, scheduled, created, datetime.now(UTC))
    if end.origin:
        print(f"the batch ends on {end.until}: {end.origin}")
    tables = {name: table for name, table in parse_contract(contract_yaml).tables.items() if table.source}
    text = current_data_dvc
    if fetch and tables:
        text, merged = collect_rows(current_data_dvc, remote, tables, end.until)
        for name in tables:
            print(f"{name}: {merged[name].summary() if name in merged else 'nothing new'}")
        if commit:
            commit_file(repository, commit, text)
    write_parameter(data_dvc, text)
    write_parameter(until, end.until)
