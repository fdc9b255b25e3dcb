"""InfluxDB and Grafana: where the samples of a run go, and where they are shown."""

from __future__ import annotations

from typing import Final

from settings.catalogue.kinds import ServiceAddress, StackSecret, Text

HEADING: Final = "InfluxDB; the stack has its own."

_SINCE: Final = "a value, since INFLUX_URL is set"

INFLUX_URL: Final = ServiceAddress(
    "INFLUX_URL",
    "also write the metrics to this InfluxDB; INFLUX_TOKEN, INFLUX_ORG and INFLUX_BUCKET are needed with it",
    readers=("loadgen", "bench"),
    unset="none",
    handed_on=True,
    stack=(),
    lead=True,
)
INFLUX_TOKEN: Final = StackSecret(
    "INFLUX_TOKEN",
    "token of InfluxDB, with the right to write",
    readers=("loadgen", "bench", "stack"),
    handed_on=True,
    expected=_SINCE,
    lasting=True,
)
INFLUX_ORG: Final = Text(
    "INFLUX_ORG",
    "organisation in InfluxDB",
    readers=("loadgen", "bench", "stack"),
    handed_on=True,
    stack=(),
    example="tidemark",
    expected=_SINCE,
)
INFLUX_BUCKET: Final = Text(
    "INFLUX_BUCKET",
    "bucket in InfluxDB",
    readers=("loadgen", "bench", "stack"),
    handed_on=True,
    stack=(),
    example="tidemark",
    expected=_SINCE,
)
GRAFANA_URL: Final = ServiceAddress(
    "GRAFANA_URL",
    "for the link that a run prints at its end",
    "http://localhost:3000",
    readers=("loadgen", "bench"),
    handed_on=True,
    stack=(),
)

NEEDED: Final = (INFLUX_TOKEN, INFLUX_ORG, INFLUX_BUCKET)
"""What an address needs beside it."""
