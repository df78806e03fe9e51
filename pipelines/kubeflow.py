"""The training pipeline as Kubeflow reads it; compiling needs no cluster and no network."""

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kfp import compiler, components, dsl
from kfp.compiler import pipeline_spec_builder
from ruamel.yaml import YAML

from tidegate.documents.formats import read_text
from tidegate.pipelines import cluster, fusion
from tidegate.pipelines.settings import configured
from tidegate.pipelines.training import training
from tidegate.process import code, wheel


def compile(image: str | None = None, settings: Path = cluster.PATH) -> str:
    """The YAML of the training pipeline: the same text whenever the same kfp compiles the same commit.

    The image is that of this code, in the repository of `cluster.yaml`, unless another one is named.
    """
    given = cluster.load(settings)
    wiring = configured(training.pipeline_func, given, image or image_of(given))
    text = _text(dsl.pipeline(wiring, name=training.name, description=training.description))
    return _fused(text, given) if given.fuse else text


def image_of(given: cluster.Cluster) -> str:
    """The image of this version of Tidegate and of the code of its steps, in the repository that is given.

    A change of a problem needs no other image. What changes no answer of a step, such as how a file is uploaded, comes
    to a cluster with the next version.
    """
    digests = "".join(code.digest(step, code.locked) for step in code.STEPS)
    return f"{given.repository}:{wheel.version()}-{hashlib.sha256(digests.encode()).hexdigest()[:16]}"


def ir(pipeline: Any = training) -> dict[str, Any]:
    """The compiled wiring of a pipeline, without settings: Kubeflow's intermediate representation."""
    return parts(_text(pipeline))[0]


def parts(compiled: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two documents of a compiled pipeline: the intermediate representation, and what is for Kubernetes."""
    graph, *rest = YAML(typ="safe", pure=True).load_all(compiled)
    return graph, rest[0] if rest else {}


def _fused(text: str, given: cluster.Cluster) -> str:
    """The text with steps fused, as kfp reads it and writes it itself."""
    documents = fusion.fused(*parts(text), given.fuse, cluster.display(given.path))
    loaded = components.load_component_from_text("\n---\n".join(map(json.dumps, documents)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.yaml"
        pipeline_spec_builder.write_pipeline_spec_to_file(
            loaded.pipeline_spec, training.description, loaded.platform_spec, str(path)
        )
        return read_text(path)


def _text(pipeline: Any) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.yaml"
        compiler.Compiler().compile(pipeline, str(path))
        return read_text(path)
