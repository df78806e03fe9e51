"""What a real cluster answered, as `tests/recorded` has it."""

import gzip
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kfp_server_api as api

FOLDER = Path(__file__).parents[3] / "recorded"
CASES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def document(case: str, name: str) -> Any:
    """A recorded answer: `run`, `pods` or `workflow`; None where there is none."""
    path = FOLDER / case / f"{name}.json.gz"
    return json.loads(gzip.decompress(path.read_bytes())) if path.exists() else None


def run(case: str) -> Any:
    """The recorded run in the model of kfp-server-api."""
    text = json.dumps(document(case, "run"))
    return api.ApiClient().deserialize(SimpleNamespace(data=text), "V2beta1Run")


def log_answers() -> dict[str, str]:
    """What the log API answered in `gate-refused`, by what it was asked for: a pod, a wrong pod, a node."""
    text = (FOLDER / "gate-refused/log-answers.txt").read_text()
    found = re.split(r"^GET \S+/nodes/(\S+)/log\S*\n", text, flags=re.MULTILINE)[1:]
    bodies = [answer.partition("\n\n")[2].strip("\n") + "\n" for answer in found[1::2]]
    return dict(zip(found[::2], bodies, strict=True))
