"""The training pipeline as Kubeflow reads it; compiling needs no cluster and no network."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kfp import compiler
from ruamel.yaml import YAML

from components.formats import read_text
from pipelines.training import training


def compile(pipeline: Any = training) -> str:
    """The YAML of a pipeline: the same text whenever the same kfp compiles the same code."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.yaml"
        compiler.Compiler().compile(pipeline, str(path))
        return read_text(path)


def ir(pipeline: Any = training) -> dict[str, Any]:
    """The compiled pipeline as a dictionary: Kubeflow's intermediate representation."""
    # What may follow in a second document is for Kubernetes, not part of the graph.
    document: dict[str, Any] = next(iter(YAML(typ="safe", pure=True).load_all(compile(pipeline))))
    return document
