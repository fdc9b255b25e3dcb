"""Whether OpenTelemetry traces are asked for: off until an endpoint is given by its standard variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from settings.environment import Environment

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")


def asked(variables: Mapping[str, str]) -> str | None:
    """The variable with the endpoint that traces are to go to, None where none are wanted.

    Raises SettingError for a protocol that the exporter does not speak.
    """
    env = Environment(variables)
    endpoint = next((name for name in ENDPOINTS if env.optional(name)), None)
    if endpoint is None or env.flag("OTEL_SDK_DISABLED", False):
        return None
    if env.choice("OTEL_TRACES_EXPORTER", "otlp", ["otlp", "none"]) == "none":
        return None
    for name in PROTOCOLS:
        env.choice(name, "http/protobuf", ["http/protobuf"])
    return endpoint


def traced(recorded: Mapping[str, object]) -> bool:
    """True where the settings that a result carries say that its run was traced."""
    return any(recorded.get(name) for name in ENDPOINTS)


def variables_of(variables: Mapping[str, str]) -> dict[str, str]:
    """What a traced process is told: every OTEL_* variable; none where no traces are wanted. Raises SettingError."""
    if asked(variables) is None:
        return {}
    return {name: value for name, value in variables.items() if name.startswith("OTEL_")}
