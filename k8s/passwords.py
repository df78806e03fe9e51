"""`make secrets`: generates missing passwords, and writes the Secrets that the manifests refer to."""

import json
import os
import re
import secrets
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tidegate.process.errors import InputError

ROOT = Path(__file__).parent
USERS = ("MLFLOW_ADMIN_PASSWORD", "MLFLOW_RUN_PASSWORD", "MLFLOW_PREDICTOR_PASSWORD")
ANYWHERE = {*USERS, "MLFLOW_COOKIE_KEY"}  # used only within the cluster
OVERLAYS = ("local", "production")
SERVERS, TASKS, PREDICTORS = "servers", "tasks", "serving/predictors"
FILES = {"secrets.json": (SERVERS, TASKS), "secrets-serving.json": (PREDICTORS,)}  # for a cluster with KServe


def completed(template: str, values: Mapping[str, str], overlay: str) -> dict[str, str]:
    """A value for every name of the template, from `values` or random; InputError for an unknown or missing name."""
    names = re.findall(r"^(\w+)=", template, re.MULTILINE)
    if unknown := sorted(values.keys() - set(names)):
        raise InputError("k8s/secrets.env", f"names among {', '.join(names)}", ", ".join(unknown), "correct them")
    if lacking := [name for name in names if overlay != "local" and not values.get(name) and name not in ANYWHERE]:
        expected, cure = "the database and store credentials", "copy k8s/secrets.example.env there and enter them"
        raise InputError("k8s/secrets.env", expected, f"no {', '.join(lacking)}", cure)
    # Hexadecimal needs no quotes anywhere; an access key has 20 characters by custom.
    return {name: values.get(name) or secrets.token_hex(10 if name.endswith("_ID") else 24) for name in names}


def objects(values: Mapping[str, str], overlay: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The place (a folder of the base), name and data of every Secret."""
    keys = {"AWS_ACCESS_KEY_ID": values["MLFLOW_BUCKET_KEY_ID"], "AWS_SECRET_ACCESS_KEY": values["MLFLOW_BUCKET_KEY"]}
    server = {"PGPASSWORD": values["POSTGRES_PASSWORD"], "MLFLOW_FLASK_SERVER_SECRET_KEY": values["MLFLOW_COOKIE_KEY"]}
    yield SERVERS, "mlflow", server | keys
    yield SERVERS, "mlflow-users", {name: values[name] for name in USERS}
    yield TASKS, "tidegate-mlflow", {"username": "tidegate", "password": values["MLFLOW_RUN_PASSWORD"]}
    keys = {"AWS_ACCESS_KEY_ID": values["DATA_BUCKET_KEY_ID"], "AWS_SECRET_ACCESS_KEY": values["DATA_BUCKET_KEY"]}
    yield TASKS, "tidegate-data", keys
    yield PREDICTORS, "predictor-mlflow", {"username": "predictor", "password": values["MLFLOW_PREDICTOR_PASSWORD"]}
    yield PREDICTORS, "predictor-data", keys
    if overlay == "local":
        yield SERVERS, "postgres", {"password": values["POSTGRES_PASSWORD"]}
        yield SERVERS, "object-store", {"s3.json": json.dumps({"identities": list(_identities(values))})}


def _identities(values: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for bucket in ("mlflow", "data"):
        prefix = f"{bucket.upper()}_BUCKET_KEY"
        yield {
            "name": bucket,
            "credentials": [{"accessKey": values[f"{prefix}_ID"], "secretKey": values[prefix]}],
            "actions": [f"{action}:{bucket}" for action in ("Read", "Write", "List", "Tagging")],
        }


def manifest(values: Mapping[str, str], overlay: str, namespaces: Mapping[str, str]) -> dict[str, Any]:
    """The Secrets of these places as one List, for `kubectl apply`."""
    labels = {"app.kubernetes.io/part-of": "tidegate"}
    items = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespaces[place], "labels": labels},
            "stringData": data,
        }
        for place, name, data in objects(values, overlay)
        if place in namespaces
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def make(folder: Path, overlay: str) -> None:
    """Write secrets.env and the files of Secrets in `folder` with mode 0600; values in secrets.env are kept."""
    template, file = (folder / "secrets.example.env").read_text(), folder / "secrets.env"
    present = dict(re.findall(r"^(\w+)=(.*)$", file.read_text(), re.MULTILINE)) if file.exists() else {}
    values = completed(template, present, overlay)
    _write(file, re.sub(r"^(\w+)=.*$", lambda line: f"{line[1]}={values[line[1]]}", template, flags=re.MULTILINE))
    for name, places in FILES.items():
        namespaces = {place: _namespace(folder / "base" / place / "kustomization.yaml") for place in places}
        _write(folder / name, json.dumps(manifest(values, overlay, namespaces), indent=2) + "\n")


def _namespace(kustomization: Path) -> str:
    names: list[str] = re.findall(r"^namespace: (\S+)", kustomization.read_text(), re.MULTILINE)
    return names[0]


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)


if __name__ == "__main__":
    overlay = sys.argv[1] if sys.argv[1:] else ""
    try:
        if overlay not in OVERLAYS:
            raise InputError("OVERLAY", " or ".join(OVERLAYS), overlay or "nothing", "name one of them")
        make(ROOT, overlay)
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
