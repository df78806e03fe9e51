"""The command line of predict."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tidegate.components.predict import stores
from tidegate.components.predict.outgoing import aside
from tidegate.components.predict.prediction import Asked, predict_file
from tidegate.components.predict.version import loaded
from tidegate.documents.formats import write_json
from tidegate.documents.parameters import check_parameter
from tidegate.process.command import Output
from tidegate.process.errors import InputError


def predict(
    name: str,
    version: str,
    source: str,
    target: str,
    tables: str,
    unknown: str,
    skip_bad: bool,
    sign: str,
    moment: str,
    answered: Output,
) -> None:
    """Predict the rows at `source` into the folder or S3 prefix `target`, in a file that is named by the moment."""
    check_parameter("serve", "unknown", unknown, "unknown", "correct it")
    file = _name(moment)
    champion = loaded(name, version, sign)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch, "answer") if stores.is_remote(target) else Path(target)
        asked = Asked(stores.here(source, Path(scratch)), folder / file, tables, unknown, None, skip_bad)
        done = predict_file(champion, asked, datetime.now(UTC).replace(tzinfo=None), _tell)
        if stores.is_remote(target):
            stores.put([path for path in (aside(asked.target), asked.target) if path.exists()], target)
    write_json(answered, {**asdict(done), "file": file})
    print(f"{file}: {done.rows:,} rows, predicted by version {done.version}; {done.bad:,} bad ones")


def _name(moment: str) -> str:
    """The name of the answer: a run that is tried again replaces its own."""
    try:
        return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%dT%H-%M-%SZ}.parquet"
    except ValueError:
        raise InputError("moment", "a time such as 2013-03-01T06:00:00Z", repr(moment), "correct it") from None


def _tell(stage: str, done: int, total: int) -> None:
    """Tell what begins."""
    if not done:
        print(stage, flush=True)
