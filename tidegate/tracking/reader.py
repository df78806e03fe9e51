"""The types of a store and of what is read of it, for annotations: MLflow's client, or `Embedded` that only reads."""

from typing import TypeAlias

from mlflow import MlflowClient, entities
from mlflow.entities import model_registry

from tidegate.tracking import embedded

Client: TypeAlias = MlflowClient
Reader: TypeAlias = MlflowClient | embedded.Embedded
Experiment: TypeAlias = entities.Experiment | embedded.Experiment
Run: TypeAlias = entities.Run | embedded.Run
RegisteredModel: TypeAlias = model_registry.RegisteredModel | embedded.RegisteredModel
ModelVersion: TypeAlias = model_registry.ModelVersion | embedded.ModelVersion
