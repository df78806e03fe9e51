"""The command of pull."""

from pathlib import Path

from components.command import run
from components.formats import write_text
from components.pull.fetching import materialise


def pull(
    data_dvc: str,
    contract_yaml: str,
    features_sql: str,
    model_yaml: str,
    remote: str,
    data: Path,
    contract: Path,
    sql: Path,
    estimator: Path,
) -> None:
    """Fetch the data that the text of data.dvc names from the DVC remote, verified, and write the problem's files."""
    materialise(data_dvc, remote, data)
    write_text(contract, contract_yaml)
    write_text(sql, features_sql)
    write_text(estimator, model_yaml)


if __name__ == "__main__":
    run(pull)
