"""The types of what is read of a store, by MLflow's client or by `Embedded`; to be imported for types only."""

from typing import TypeAlias

from mlflow import MlflowClient, entities
from mlflow.entities import model_registry

from tidegate.tracking import embedded

Reader: TypeAlias = MlflowClient | embedded.Embedded
Experiment: TypeAlias = entities.Experiment | embedded.Experiment
Run: TypeAlias = entities.Run | embedded.Run
RegisteredModel: TypeAlias = model_registry.RegisteredModel | embedded.RegisteredModel
ModelVersion: TypeAlias = model_registry.ModelVersion | embedded.ModelVersion
