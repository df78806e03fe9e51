"""The wiring of the training pipeline, and what it compiles to."""

from typing import Any

from tidegate.pipelines.graph import Port, edges, tasks


def test_graph(compiled: dict[str, Any]) -> None:
    assert edges(compiled) == {
        "collect": [],
        "pull": ["collect.data_dvc"],
        "ingest": ["collect.until", "pull.contract", "pull.data"],
        "validate": ["ingest.manifest", "ingest.tables", "pull.contract"],
        "featurize": [
            "ingest.manifest",
            "pull.contract",
            "pull.estimator",
            "pull.sql",
            "validate.clean",
            "validate.findings",
        ],
        "gate": ["featurize.batch", "featurize.features", "pull.contract", "validate.clean"],
        "train": [
            "featurize.batch",
            "featurize.features",
            "gate.retrain",
            "pull.contract",
            "pull.estimator",
            "pull.sql",
        ],
        "evaluate": [
            "featurize.batch",
            "featurize.features",
            "gate.retrain",
            "pull.contract",
            "train.baselines",
            "train.model",
            "train.record",
            "validate.clean",
        ],
        "deploy": [
            "evaluate.verdict",
            "featurize.batch",
            "gate.decision",
            "gate.retrain",
            "pull.contract",
            "pull.estimator",
            "pull.sql",
            "train.model",
            "train.record",
            "train.reference",
        ],
    }


def test_tasks_come_in_the_order_of_the_wiring(compiled: dict[str, Any]) -> None:
    order = ["collect", "pull", "ingest", "validate", "featurize", "gate", "train", "evaluate", "deploy"]
    assert [task.name for task in tasks(compiled)] == order


def test_every_input_is_fed_by_an_output_of_its_name(compiled: dict[str, Any]) -> None:
    fed = {(port, source) for task in tasks(compiled) for port, source in task.inputs.items()}
    assert {(port, source) for port, source in fed if isinstance(source, Port) and port != source.name} == set()
