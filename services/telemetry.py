"""OpenTelemetry, asked for by its standard variables. Off, and nothing of it imported, until an endpoint is given."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from settings import Environment, SettingError

if TYPE_CHECKING:
    from services.tracing import Tracing

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")


def wanted(variables: Mapping[str, str]) -> bool:
    """True when traces are to be exported.

    Raises SettingError where the extra `otel` is not installed, or a protocol is asked for that it does not speak.
    """
    env = Environment(variables)
    endpoint = next((name for name in ENDPOINTS if env.optional(name)), None)
    if endpoint is None or env.flag("OTEL_SDK_DISABLED", False):
        return False
    if env.choice("OTEL_TRACES_EXPORTER", "otlp", ["otlp", "none"]) == "none":
        return False
    for name in PROTOCOLS:
        env.choice(name, "http/protobuf", ["http/protobuf"])
    if find_spec("opentelemetry") is None:
        raise SettingError(endpoint, env.text(endpoint), "nothing, as long as the extra `otel` is not installed")
    return True


def start(variables: Mapping[str, str], service: str) -> Tracing | None:
    """Tracing of this process, None unless it is wanted. The exporter reads the other OTEL_* variables itself."""
    if not wanted(variables):
        return None
    # Imported here and not above: it takes a third of a second, and images are made without it.
    from services.tracing import Tracing  # noqa: PLC0415

    return Tracing(service)
