"""A span for each request, by OpenTelemetry's own ASGI middleware. Imported only where tracing is on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from litestar.types import ASGIApp
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.trace import Span, TracerProvider

from services.api.serving.access import request_id

UNTRACED: Final = "/livez$,/readyz$,/metrics$"


def middleware(provider: TracerProvider) -> Callable[[ASGIApp], ASGIApp]:
    """Spans named by method and route, with the request's id; a caller's trace goes on.

    Litestar's plugin would put the same around its router, where no route is known yet.
    """

    def around(app: ASGIApp) -> ASGIApp:
        traced = OpenTelemetryMiddleware(
            app,
            excluded_urls=UNTRACED,
            default_span_details=_details,
            server_request_hook=_identify,
            tracer_provider=provider,
            exclude_spans=["receive", "send"],
        )
        return cast(ASGIApp, traced)

    return around


def _details(scope: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    route = scope.get("path_template") or "unmatched"
    return f"{scope.get('method', '')} {route}", {"http.route": route}


def _identify(span: Span, _: dict[str, Any]) -> None:
    span.set_attribute("request.id", request_id())
