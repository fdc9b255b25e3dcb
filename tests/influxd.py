"""A real InfluxQL engine for tests: Debian's InfluxDB 1.6, found on PATH or fetched once into `.tools`."""

from __future__ import annotations

from pathlib import Path

from tests.debian import fetched, on_path


def influxd() -> Path:
    """The program. Raises Missing; a test that needs it then fails, it is never passed over."""
    return on_path("influxd") or fetched("influxdb", "influxdb") / "usr" / "bin" / "influxd"
