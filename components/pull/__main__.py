"""The command line of pull."""

from tidegate.components.pull.fetch import materialise
from tidegate.documents.formats import write_text
from tidegate.process.command import Output, OutputFolder


def pull(
    data_dvc: str,
    contract_yaml: str,
    features_sql: str,
    model_yaml: str,
    remote: str,
    data: OutputFolder,
    contract: Output,
    sql: Output,
    estimator: Output,
) -> None:
    """Fetch and verify the version of the data in data.dvc from the DVC remote, and write the problem's files."""
    materialise(data_dvc, remote, data)
    write_text(contract, contract_yaml)
    write_text(sql, features_sql)
    write_text(estimator, model_yaml)
