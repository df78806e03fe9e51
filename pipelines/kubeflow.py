"""The training pipeline as Kubeflow reads it; compiling needs no cluster and no network."""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kfp import compiler, dsl
from ruamel.yaml import YAML

from components.formats import read_text
from pipelines import cluster, code
from pipelines.settings import configured
from pipelines.training import training


def compile(image: str | None = None, settings: Path = cluster.PATH) -> str:
    """The YAML of the training pipeline: the same text whenever the same kfp compiles the same commit.

    The image is that of this code, in the repository of `cluster.yaml`, unless another one is named.
    """
    given = cluster.load(settings)
    wiring = configured(training.pipeline_func, given, image or image_of(given))
    return _text(dsl.pipeline(wiring, name=training.name, description=training.description))


def image_of(given: cluster.Cluster) -> str:
    """The image of this code and its lock: a commit that changes neither, such as a new feature, has the same one."""
    return f"{given.repository}:{hashlib.sha256(code.of_the_image().encode()).hexdigest()[:16]}"


def ir(pipeline: Any = training) -> dict[str, Any]:
    """The compiled wiring of a pipeline, without settings: Kubeflow's intermediate representation."""
    return parts(_text(pipeline))[0]


def parts(compiled: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two documents of a compiled pipeline: the intermediate representation, and what is for Kubernetes."""
    graph, *rest = YAML(typ="safe", pure=True).load_all(compiled)
    return graph, rest[0] if rest else {}


def _text(pipeline: Any) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.yaml"
        compiler.Compiler().compile(pipeline, str(path))
        return read_text(path)
