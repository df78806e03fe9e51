"""Compiles the pipelines for Kubeflow; this needs no cluster and no network."""

import hashlib
import json
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from kfp import compiler, components, dsl
from kfp.compiler import pipeline_spec_builder
from ruamel.yaml import YAML

from tidegate.documents.formats import read_text
from tidegate.pipelines import cluster, fusion
from tidegate.pipelines.monitoring import monitoring
from tidegate.pipelines.predicting import predicting
from tidegate.pipelines.settings import configured
from tidegate.pipelines.training import training
from tidegate.process import code, wheel

PIPELINES = {"training": training, "predicting": predicting, "monitoring": monitoring}


def compile(image: str | None = None, settings: Path = cluster.PATH, name: str = "training") -> str:
    """The YAML of a pipeline; deterministic for one commit and one version of kfp.

    `image` defaults to the image of this code in the repository that `cluster.yaml` names.
    """
    loaded = cluster.load(settings)
    pipeline = PIPELINES[name]
    others = (*code.STEPS, *code.BESIDE) if pipeline is predicting else code.BESIDE
    wiring = configured(pipeline.pipeline_func, loaded, image or image_of(loaded), others)
    text = _text(dsl.pipeline(wiring, name=pipeline.name, description=pipeline.description))
    return _fused(text, loaded, pipeline.description) if loaded.fuse and pipeline is not predicting else text


def image_of(settings: cluster.Cluster) -> str:
    """The image of this version of Tidegate, tagged with its version and the digest of the code of its steps.

    A change of a problem needs no new image. Code that cannot change the result of a step, such as an upload, is not
    part of the digest: it reaches a cluster with the next version.
    """
    digests = "".join(code.digest(step, code.locked) for step in (*code.STEPS, *code.BESIDE))
    return f"{settings.repository}:{wheel.version()}-{hashlib.sha256(digests.encode()).hexdigest()[:16]}"


def server_image_of(settings: cluster.Cluster) -> str:
    """The image of the server of this version, beside that of the steps, tagged likewise."""
    repository = PurePosixPath(settings.repository).with_name("serve")
    return f"{repository}:{wheel.version()}-{code.server_digest()[:16]}"


def ir(pipeline: Any = training) -> dict[str, Any]:
    """The intermediate representation of a pipeline as kfp compiles it, without the settings of `cluster.yaml`."""
    return parts(_text(pipeline))[0]


def parts(compiled: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two documents of a compiled pipeline: the intermediate representation, and the Kubernetes settings."""
    graph, *rest = YAML(typ="safe", pure=True).load_all(compiled)
    return graph, rest[0] if rest else {}


def _fused(text: str, settings: cluster.Cluster, description: str) -> str:
    """The text with the steps fused, loaded and written by kfp so that its form is kfp's own."""
    documents = fusion.fused(*parts(text), settings.fuse, cluster.display(settings.path))
    loaded = components.load_component_from_text("\n---\n".join(map(json.dumps, documents)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.yaml"
        pipeline_spec_builder.write_pipeline_spec_to_file(
            loaded.pipeline_spec, description, loaded.platform_spec, str(path)
        )
        return read_text(path)


def _text(pipeline: Any) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.yaml"
        compiler.Compiler().compile(pipeline, str(path))
        return read_text(path)
