"""What the OpenAPI document says beyond what Litestar sees: the bodies that are read by hand, and the refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request, Router
from litestar.exceptions import NotFoundException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from services.api.documents import Problem
from todo.commands import MAX_TEXT


def _only_the_document(request: Request[Any, Any, Any]) -> None:
    """Litestar answers other paths below with a page of HTML; here they get their problem document."""
    if request.path_params:
        raise NotFoundException


def openapi_config() -> OpenAPIConfig:
    """The document at `/schema`, for one application."""
    return OpenAPIConfig(
        title="Tidemark",
        version="1",
        description="The todo system under test: an event store on Postgres and its projection.",
        openapi_router=Router("/schema", route_handlers=[], before_request=_only_the_document, include_in_schema=False),
        render_plugins=[JsonRenderPlugin(path="/")],
    )


@dataclass
class TextOperation(Operation):
    """An operation whose body is `{"text"}`."""

    def __post_init__(self) -> None:
        text = Schema(type=OpenAPIType.STRING, min_length=1, max_length=MAX_TEXT)
        body = Schema(type=OpenAPIType.OBJECT, properties={"text": text}, required=["text"])
        self.request_body = RequestBody(content={"application/json": OpenAPIMediaType(schema=body)}, required=True)


def refusals(*statuses: int) -> dict[int, ResponseSpec]:
    """The problem documents that an operation may answer with."""
    return {
        status: ResponseSpec(Problem, description="RFC 9457 problem document", media_type="application/problem+json")
        for status in statuses
    }
