"""Logs and traces: the level of our logs, and the standard variables of OpenTelemetry as far as we name them.

The bench passes on all OTEL_* variables or none, those that are not named here too: see `settings.tracing`.
"""

from __future__ import annotations

from typing import Final

from settings.catalogue.kinds import Choice, Flag, Reader, Text

HEADING: Final = "Logs, and OpenTelemetry (extra `otel`); no endpoint: off, and nothing of it is imported"

_TRACED: Final[tuple[Reader, ...]] = ("api", "projector")

LOG_LEVEL: Final = Choice(
    "LOG_LEVEL",
    "level of the services' logs",
    "info",
    ("debug", "info", "warning", "error"),
    readers=("api", "projector"),
)
SAMPLE_RESOURCES: Final = Flag(
    "SAMPLE_RESOURCES",
    "look once a second at CPU of each part, waits of Postgres and WAL beside a run, for `resources.jsonl`",
    True,
    readers=("bench",),
    stack=(),
)
OTEL_EXPORTER_OTLP_ENDPOINT: Final = Text(
    "OTEL_EXPORTER_OTLP_ENDPOINT", "where traces go, by HTTP", readers=_TRACED, handed_on=False, unset="no traces"
)
OTEL_EXPORTER_OTLP_HEADERS: Final = Text(
    "OTEL_EXPORTER_OTLP_HEADERS", "headers of the requests to it, as name=value", readers=_TRACED, handed_on=False
)
OTEL_RESOURCE_ATTRIBUTES: Final = Text(
    "OTEL_RESOURCE_ATTRIBUTES", "attributes of each process, as name=value", readers=_TRACED, handed_on=False
)
OTEL_TRACES_SAMPLER: Final = Text(
    "OTEL_TRACES_SAMPLER", "which traces are kept", "parentbased_always_on", readers=_TRACED, handed_on=False
)
OTEL_TRACES_SAMPLER_ARG: Final = Text(
    "OTEL_TRACES_SAMPLER_ARG", "the sampler's argument", readers=_TRACED, handed_on=False
)
OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: Final = Text(
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "the same for traces alone",
    readers=_TRACED,
    handed_on=False,
    stack=(),
    shown=False,
)
OTEL_SDK_DISABLED: Final = Flag(
    "OTEL_SDK_DISABLED",
    "no traces, whatever else is said",
    False,
    readers=_TRACED,
    handed_on=False,
    stack=(),
    shown=False,
)
OTEL_TRACES_EXPORTER: Final = Choice(
    "OTEL_TRACES_EXPORTER",
    "none: no traces",
    "otlp",
    ("otlp", "none"),
    readers=_TRACED,
    handed_on=False,
    stack=(),
    shown=False,
)
OTEL_EXPORTER_OTLP_PROTOCOL: Final = Choice(
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "what the exporter speaks",
    "http/protobuf",
    ("http/protobuf",),
    readers=_TRACED,
    handed_on=False,
    stack=(),
    shown=False,
)
OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: Final = Choice(
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "the same for traces alone",
    "http/protobuf",
    ("http/protobuf",),
    readers=_TRACED,
    handed_on=False,
    stack=(),
    shown=False,
)
OTEL_EXPORTER_OTLP_TIMEOUT: Final = Text(
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "how long the exporter may try",
    readers=_TRACED,
    handed_on=False,
    unset="2 s",
    stack=(),
    shown=False,
)
OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: Final = Text(
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "the same for traces alone",
    readers=_TRACED,
    handed_on=False,
    stack=(),
    shown=False,
)

ENDPOINTS: Final = (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)
PROTOCOLS: Final = (OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL)
TIMEOUTS: Final = (OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT)
