"""Trace export: spans, sent to an OpenTelemetry collector by its own thread. `telemetry.start` alone imports it."""

from __future__ import annotations

import os
import time
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.util.types import AttributeValue

from settings.catalogue.observation import TIMEOUTS

LONGEST_TRY_S: Final = 2.0
UNNAMED: Final = "unknown_service"


class Tracing:
    """This process's spans. What the collector does not take is dropped; nothing waits for it."""

    def __init__(self, service: str) -> None:
        self.provider: Final = TracerProvider(resource=_resource(service), shutdown_on_exit=False)
        self.provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=_timeout())))
        self._tracer: Final = self.provider.get_tracer("tidemark")

    def took(self, name: str, seconds: float, attributes: dict[str, AttributeValue]) -> None:
        """A span of something that has just ended and took that long."""
        now = time.time_ns()
        span = self._tracer.start_span(name, start_time=now - round(seconds * 1e9), attributes=attributes)
        span.end(now)

    def close(self) -> None:
        """Send what is left. Blocks, for as long as the exporter may try."""
        self.provider.shutdown()


def _timeout() -> float | None:
    """None: the standard variables say it. If they do not, a process still ends in time when the collector is away."""
    return None if any(os.environ.get(timeout.name) for timeout in TIMEOUTS) else LONGEST_TRY_S


def _resource(service: str) -> Resource:
    """OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, and else a name of our own."""
    told = Resource.create()
    name = str(told.attributes.get(SERVICE_NAME, UNNAMED))
    return told.merge(Resource({SERVICE_NAME: f"tidemark-{service}"})) if name.startswith(UNNAMED) else told
