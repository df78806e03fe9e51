"""What kserve serves beside predictions: health, metadata, metrics and the documentation."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from kserve.errors import ModelNotFound, ModelNotReady, ServerNotReady
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.rest.v1_endpoints import V1Endpoints
from kserve.protocol.rest.v2_endpoints import V2Endpoints
from prometheus_client import REGISTRY, exposition
from starlette.exceptions import HTTPException

from tidegate.process.wheel import version
from tidegate.serving.champion_model import ChampionModel
from tidegate.serving.openapi import docs, document
from tidegate.serving.refusal import BUSY, INTERNAL, NOT_FOUND, RefusalError


def application(model: ChampionModel, plane: DataPlane) -> FastAPI:
    """The application around a model; its predictions are answered before it is asked."""
    app = FastAPI(title=f"Tidegate: {model.name}", version=version(), docs_url=None, redoc_url=None)
    v1, v2 = V1Endpoints(plane), V2Endpoints(plane)
    routes: dict[str, Callable[..., Any]] = {
        "/": plane.live,
        "/metrics": metrics,
        "/v1/models": v1.models,
        "/v1/models/{model_name}": v1.model_ready,
        "/v2": v2.metadata,
        "/v2/health/live": v2.live,
        "/v2/health/ready": v2.ready,
        "/v2/models": v2.models,
        "/v2/models/{model_name}": v2.model_metadata,
        "/v2/models/{model_name}/ready": v2.model_ready,
    }
    for path, answer in routes.items():
        app.add_api_route(path, answer, methods=["GET"], response_model=None)
    app.add_api_route("/docs", lambda: HTMLResponse(docs(model)), methods=["GET"], include_in_schema=False)
    for kind, status in STATUSES.items():
        app.add_exception_handler(kind, _told(status))
    app.openapi = lambda: document(model)  # type: ignore[method-assign]
    return app


async def metrics(request: Request) -> Response:
    """The metrics of this process, for Prometheus."""
    encode, type_ = exposition.choose_encoder(request.headers.get("accept", ""))
    return Response(encode(REGISTRY), headers={"content-type": type_})


def _told(status: int | None) -> Callable[[Request, Any], JSONResponse]:
    """A handler that answers in the form of the protocols."""

    def tell(request: Request, error: Any) -> JSONResponse:
        code = status or error.status if status or isinstance(error, RefusalError) else error.status_code
        text = str(error) if status != INTERNAL else "internal error: see the log of the server"
        if isinstance(error, HTTPException):
            text = f"{error.detail}: see /docs"
        return JSONResponse({"error": text}, code, getattr(error, "headers", None))

    return tell


STATUSES: dict[type[Exception], int | None] = {
    RefusalError: None,
    HTTPException: None,
    ModelNotFound: NOT_FOUND,
    ModelNotReady: BUSY,
    ServerNotReady: BUSY,
    Exception: INTERNAL,
}
