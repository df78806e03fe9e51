"""Fetches a version of the data with DVC itself, in a throw-away repository without git."""

import shutil
import tempfile
from pathlib import Path

from components.errors import InputError
from components.formats import parse_yaml, replacing


def tracked_path(data_dvc: str) -> str:
    """The one path that data.dvc tracks; InputError when its text is none of data.dvc."""
    document = parse_yaml(data_dvc, "data.dvc")
    outs = document.get("outs") if isinstance(document, dict) else None
    out = outs[0] if isinstance(outs, list) and len(outs) == 1 else None
    if not isinstance(out, dict) or not {"md5", "path"} <= set(out) or Path(str(out["path"])).name != out["path"]:
        raise InputError("data.dvc", "one output with md5 and path", "another document", "pass the text of data.dvc")
    return str(out["path"])


def fetch(data_dvc: str, remote: str, target: Path) -> None:
    """Download that version from `remote` and verify it; InputError when it is not there."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    path = tracked_path(data_dvc)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            repository = Repo.init(scratch, no_scm=True)
            with repository.config.edit() as config:
                config["core"] = {"no_scm": True, "analytics": False, "remote": "source"}
                config["remote"] = {"source": {"url": remote, "verify": True}}
            Path(scratch, "data.dvc").write_text(data_dvc)
            with Repo(scratch) as opened:
                opened.pull()
                changed = opened.status()
            if changed:  # DVC verifies files, and believes the list of them
                raise DvcException("other data than the version it names")
        except (DvcException, ImportError) as error:  # a kind of remote that needs a package which is not there
            found = " ".join(str(error).split())
            raise InputError("data.dvc", "its data on the DVC remote", found, "run `dvc push` where it is") from None
        with replacing(target) as temporary:
            shutil.move(Path(scratch, path), temporary)
