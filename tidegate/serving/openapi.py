"""What the server takes and answers, of this champion, with an example: as OpenAPI, and as a page."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tidegate.pages.page import page
from tidegate.process.wheel import version
from tidegate.serving.champion_model import ChampionModel
from tidegate.serving.fields import Field
from tidegate.serving.predictor import Predictor

DOCS = Path(__file__).with_name("docs.html")
TYPES = {
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "text": {"type": "string"},
    "category": {"type": "string"},
    "boolean": {"type": "boolean"},
    "timestamp": {"type": "string", "format": "date-time"},
}
REFUSALS = {
    "400": "No JSON, or not of the protocol",
    "404": "Another model or version",
    "413": "Too many rows or bytes",
    "415": "Another content type",
    "422": "Not what the contract promises; the error names the field, what was expected and what was found",
    "503": "No model is ready yet, or too many requests wait",
}
FLAG: dict[str, Any] = {"type": "boolean", "default": False}
PARAMETERS = {"type": "object", "properties": {"explain": FLAG}}
EXPLAIN = {
    "name": "explain",
    "in": "query",
    "description": "Whether to add what each feature contributes to each prediction",
    "schema": FLAG,
}
ERROR = {"type": "object", "properties": {"error": {"type": "string"}}}


def document(model: ChampionModel) -> dict[str, Any]:
    """The document, by the version that serves now."""
    name, current = model.name, model.follower.current
    v1 = {"instances": {"type": "array", "items": _instance(current) if current else {"type": "object"}}}
    v1["explain"] = FLAG
    tensor: Any = {"type": "object", "required": ["name", "shape", "datatype", "data"]}
    v2 = {"id": {"type": "string"}, "inputs": {"type": "array", "items": tensor}, "parameters": PARAMETERS}
    example = {"instances": [current.example]} if current and current.example else None
    paths = {
        f"/v1/models/{name}:predict": _operation("Predict rows", v1, ["instances"], example),
        f"/v2/models/{name}/infer": _operation("Predict rows: a tensor for each field", v2, ["inputs"], None),
        **{path: _get(summary) for path, summary in GETS.items()},
        f"/v1/models/{name}": _get("Whether the model is ready"),
        f"/v2/models/{name}": _get("The inputs and outputs of the model"),
        f"/v2/models/{name}/ready": _get("Whether the model is ready"),
    }
    return {"openapi": "3.1.0", "info": {"title": f"Tidegate: {name}", "version": version()}, "paths": paths}


def docs(model: ChampionModel) -> str:
    """The same as a page, which fetches nothing from elsewhere."""
    current = model.follower.current
    example = json.dumps({"instances": [current.example]}, indent=2, ensure_ascii=False) if current else ""
    values = {"name": model.name, "current": current, "example": example, "refusals": REFUSALS}
    return page(DOCS, f"Tidegate: {model.name}", paths=document(model)["paths"], **values)


GETS = {
    "/": "Whether the server lives",
    "/metrics": "Metrics for Prometheus",
    "/v1/models": "The names of the models",
    "/v2": "The name and version of the server",
    "/v2/health/live": "Whether the server lives",
    "/v2/health/ready": "Whether the model is ready",
}


def _get(summary: str) -> dict[str, Any]:
    return {"get": {"summary": summary, "responses": {"200": {"description": "The answer"}}}}


def _operation(summary: str, properties: Mapping[str, Any], required: list[str], example: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required}
    content = {"schema": schema} if example is None else {"schema": schema, "example": example}
    refusals = {
        status: {"description": text, "content": {"application/json": {"schema": ERROR}}}
        for status, text in REFUSALS.items()
    }
    return {
        "post": {
            "summary": summary,
            "parameters": [EXPLAIN],
            "requestBody": {"required": True, "content": {"application/json": content}},
            "responses": {"200": {"description": "The predictions, and the version that made them"}, **refusals},
        }
    }


def _instance(current: Predictor) -> dict[str, Any]:
    """An instance: an event, or the features by name."""
    return {
        "oneOf": [
            _object("An event: what is known before it", current.form.event),
            _object("The features by name", current.form.features),
        ]
    }


def _object(title: str, fields: Mapping[str, Field]) -> dict[str, Any]:
    return {
        "title": title,
        "type": "object",
        "additionalProperties": False,
        "required": [*fields],
        "properties": {name: _schema(field) for name, field in fields.items()},
    }


def _schema(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = dict(TYPES[field.type])
    if field.nullable:
        schema["type"] = [schema["type"], "null"]
    if field.range:
        schema |= {"minimum": field.range[0], "maximum": field.range[1]}
    if field.values is not None:
        schema["enum"] = [*sorted(field.values, key=str), *([None] if field.nullable else [])]
    return schema
