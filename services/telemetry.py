"""OpenTelemetry, asked for by its standard variables. Off, and nothing of it imported, until an endpoint is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from settings.tracing import wanted

if TYPE_CHECKING:
    from services.tracing import Tracing

__all__ = ["start", "wanted"]


def start(variables: Mapping[str, str], service: str) -> Tracing | None:
    """Tracing of this process, None unless it is wanted. The exporter reads the other OTEL_* variables itself."""
    if not wanted(variables):
        return None
    # Imported here and not above: it takes a third of a second, and images are made without it.
    from services.tracing import Tracing  # noqa: PLC0415

    return Tracing(service)
