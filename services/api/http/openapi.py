"""What the OpenAPI document says beyond what Litestar sees: what handlers read themselves, and the refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from litestar import Request, Router
from litestar.exceptions import NotFoundException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    RequestBody,
    Schema,
)

from services.api.http.bodies import Problem
from services.api.http.requests import ID, KEY, MAX_SHARD, MAX_VERSION, VERSION
from services.api.reading.waiting import DEFAULT_WAIT_MS, MAX_WAIT_MS
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


EVERYWHERE: Final = (400, 408, 414, 431, 503)
"""What the connection itself may answer, whatever is asked: no HTTP, late, too long, one connection too many."""

BLANK: Final = "".join(f"\\u{code:04x}" for code in range(0x10000) if chr(code).isspace())
"""What a text can not be made of alone, as the inside of a pattern's brackets."""


def _text(**more: Any) -> Schema:
    return Schema(type=OpenAPIType.STRING, **more)


STREAM: Final = Parameter(
    "stream", "path", _text(pattern=f"^{ID}$"), description="`todo-` and 32 hexadecimal digits", required=True
)
IF_MATCH: Final = Parameter(
    "If-Match",
    "header",
    _text(pattern=rf"^(\*|{VERSION})$"),
    description='the version expected, such as `"3"`, or `*`',
    required=False,
)
IDEMPOTENCY_KEY: Final = Parameter(
    "Idempotency-Key",
    "header",
    _text(pattern=f"^{KEY}$"),
    description="1 to 200 printable ASCII characters; a repetition is answered alike",
    required=False,
)
AT_LEAST_VERSION: Final = Parameter(
    "at_least_version",
    "query",
    Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=MAX_VERSION),
    description="wait until this version is projected",
    required=False,
)
WAIT: Final = Parameter(
    "wait",
    "query",
    Schema(type=OpenAPIType.INTEGER, minimum=0, maximum=MAX_WAIT_MS, default=DEFAULT_WAIT_MS),
    description="how long at most, in milliseconds",
    required=False,
)
SHARD: Final = Parameter(
    "shard",
    "query",
    Schema(type=OpenAPIType.INTEGER, minimum=0, maximum=MAX_SHARD),
    description="whose log: to be named where there are several shards, from 0 on",
    required=False,
)
NOT_BLANK: Final = rf"^[^\u0000]*[^\u0000{BLANK}][^\u0000]*$"
"""Pattern of a text: no NUL, and something that is not blank."""

TEXT: Final = RequestBody(
    content={
        "application/json": OpenAPIMediaType(
            schema=Schema(
                type=OpenAPIType.OBJECT,
                properties={"text": _text(min_length=1, max_length=MAX_TEXT, pattern=NOT_BLANK)},
                required=["text"],
            )
        )
    },
    required=True,
)


@dataclass
class CreateOperation(Operation):
    """What a create takes."""

    def __post_init__(self) -> None:
        self.request_body = TEXT
        self.parameters = [IDEMPOTENCY_KEY]


@dataclass
class UpdateOperation(Operation):
    """What an update takes."""

    def __post_init__(self) -> None:
        self.request_body = TEXT
        self.parameters = [STREAM, IF_MATCH, IDEMPOTENCY_KEY]


@dataclass
class DeleteOperation(Operation):
    """What a delete takes, and that its answer has no document."""

    def __post_init__(self) -> None:
        self.parameters = [STREAM, IF_MATCH, IDEMPOTENCY_KEY]
        if self.responses is not None and isinstance(done := self.responses["204"], OpenAPIResponse):
            done.content = None


@dataclass
class ReadOperation(Operation):
    """What a read takes."""

    def __post_init__(self) -> None:
        self.parameters = [STREAM, AT_LEAST_VERSION, WAIT]


@dataclass
class LogOperation(Operation):
    """What a page of the log takes beside what Litestar sees."""

    def __post_init__(self) -> None:
        self.parameters = [*(self.parameters or []), SHARD]


def refusals(*statuses: int) -> dict[int, ResponseSpec]:
    """The problem documents that an operation may answer with, beside those of the connection."""
    return {
        status: ResponseSpec(
            Problem,
            description="RFC 9457 problem document",
            media_type="application/problem+json",
            generate_examples=False,
        )
        for status in sorted({*EVERYWHERE, *statuses})
    }
