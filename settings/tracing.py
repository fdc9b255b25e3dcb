"""Tracing switch: OpenTelemetry is off until an endpoint is given by its standard variables."""

from __future__ import annotations

from collections.abc import Mapping

from settings.catalogue import observation
from settings.environment import Environment


def asked(variables: Mapping[str, str]) -> str | None:
    """The variable with the endpoint that traces are to go to, None where none are wanted.

    Raises SettingError for a protocol that the exporter does not speak.
    """
    env = Environment(variables)
    endpoint = next((setting for setting in observation.ENDPOINTS if setting.optional(env)), None)
    if endpoint is None or observation.OTEL_SDK_DISABLED.read(env):
        return None
    if observation.OTEL_TRACES_EXPORTER.read(env) == "none":
        return None
    for protocol in observation.PROTOCOLS:
        protocol.read(env)
    return endpoint.name


def traced(recorded: Mapping[str, object]) -> bool:
    """True where the settings that a result carries say that its run was traced."""
    return any(recorded.get(endpoint.name) for endpoint in observation.ENDPOINTS)


def variables_of(variables: Mapping[str, str]) -> dict[str, str]:
    """What a traced process is told: every OTEL_* variable; none where no traces are wanted. Raises SettingError."""
    if asked(variables) is None:
        return {}
    return {name: value for name, value in variables.items() if name.startswith("OTEL_")}
