"""The command of pull."""


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
    """Fetch the data that the text of data.dvc names from the DVC remote, verified, and write the problem's files."""
    materialise(data_dvc, remote, data)
    write_text(contract, contract_yaml)
    write_text(sql, features_sql)
    write_text(estimator, model_yaml)
