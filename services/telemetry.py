"""OpenTelemetry switch: off, and nothing of it imported, until its standard variables name an endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

from settings import SettingError
from settings.tracing import asked

if TYPE_CHECKING:
    from services.tracing import Tracing


def wanted(variables: Mapping[str, str]) -> bool:
    """True when this process is to export traces. Raises SettingError, also without the extra `otel`."""
    endpoint = asked(variables)
    if endpoint is not None and find_spec("opentelemetry") is None:
        expected = "nothing, as long as the extra `otel` is not installed"
        raise SettingError(endpoint, variables[endpoint], expected)
    return endpoint is not None


def start(variables: Mapping[str, str], service: str) -> Tracing | None:
    """Tracing of this process, None unless it is wanted. The exporter reads the other OTEL_* variables itself."""
    if not wanted(variables):
        return None
    # Imported here and not above: it takes a third of a second, and images are made without it.
    from services.tracing import Tracing  # noqa: PLC0415

    return Tracing(service)
