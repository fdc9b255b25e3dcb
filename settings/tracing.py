"""Whether OpenTelemetry traces are asked for: off until an endpoint is given by its standard variables."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final

from settings.environment import Environment, SettingError

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


def variables_of(variables: Mapping[str, str]) -> dict[str, str]:
    """What a traced process is told: every OTEL_* variable; none where no traces are wanted. Raises SettingError."""
    if not wanted(variables):
        return {}
    return {name: value for name, value in variables.items() if name.startswith("OTEL_")}
